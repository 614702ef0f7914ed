//! The guests that the project knows by name, and where their files come from.

pub mod boot_disk;
pub mod boot_loaders;
pub mod cpio;
pub mod debian;
pub mod disks;
pub mod emulator;
pub mod file_systems;
pub mod firmware;
pub mod gpio_tools;
pub mod initramfs;
pub mod libraries;
pub mod manager;
pub mod root;
pub mod tools;
pub mod uboot;

use std::error::Error;
use std::path::PathBuf;

use anyhow::Result;

use self::initramfs::More;
use crate::environment::Environment;
use crate::{metal, package};
use system::{Images, Vm};

/// The guests written here that need no other's files.
const BARE_METAL: [&str; 3] = ["conformance", metal::OPS, metal::OPS_TESTING];

/// The known guests, made ready when a manifest names them.
#[derive(Debug)]
pub struct Guests<'a> {
    environment: &'a Environment,
}

impl<'a> Guests<'a> {
    /// The known guests of this checkout.
    pub const fn new(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// Whether `vm` has the RAM disk of a Debian guest, whose init script reports what its firmware offers. Another RAM disk
    /// does not, whatever kernel unpacks it.
    pub fn reports(&self, vm: &Vm) -> bool {
        vm.initrd.as_ref().is_some_and(|initrd| initrd.path.starts_with(debian::folder(self.environment)))
    }

    /// Whether `vm` is a guest that switches itself off in the end if its command line says so.
    pub fn exits(&self, vm: &Vm) -> bool {
        let is_shell =
            |name| vm.kernel.as_ref().is_some_and(|kernel| kernel.path == metal::image_path(self.environment, name));
        self.reports(vm) || [metal::OPS, metal::OPS_TESTING].into_iter().any(is_shell)
    }

    fn find_kernel(&self, name: &str) -> Result<Option<PathBuf>> {
        match debian::Release::of_guest(name) {
            Some(release) => debian::kernel(self.environment, release).map(|kernel| Some(kernel.image)),
            None if name == uboot::GUEST => uboot::program(self.environment).map(Some),
            None if BARE_METAL.contains(&name) => {
                // The others are part of every build.
                if name == metal::OPS_TESTING {
                    metal::build_ops_testing(self.environment)?;
                }
                metal::image(self.environment, name).map(Some)
            }
            None => Ok(None),
        }
    }

    fn find_flash(&self, name: &str) -> Result<Option<PathBuf>> {
        if name == firmware::EDK2 {
            return firmware::edk2(self.environment).map(Some);
        }
        if !BARE_METAL.contains(&name) {
            return Ok(None);
        }
        let Some(image) = self.find_kernel(name)? else { return Ok(None) };
        firmware::filled(self.environment, name, &image).map(Some)
    }

    fn find_initrd(&self, name: &str) -> Result<Option<PathBuf>> {
        if name == uboot::GUEST {
            return uboot::disk(self.environment).map(Some);
        }
        let Some(release) = debian::Release::of_guest(name) else { return Ok(None) };
        let kernel = debian::kernel(self.environment, release)?;
        let busybox = debian::busybox(self.environment)?;
        let tools = name.ends_with(debian::TOOLS).then(|| tools::tools(self.environment, release)).transpose()?;
        let programs = tools.is_some().then(|| manager::programs(self.environment)).transpose()?.flatten();
        let root = name.ends_with(debian::ROOT).then(|| root::root(self.environment)).transpose()?;
        let package = root.is_some().then(|| package::made(self.environment)).transpose()?;
        let more = More { tools, programs, root: root.zip(package) };
        initramfs::build(self.environment, &kernel, &busybox, &more).map(Some)
    }
}

impl Images for Guests<'_> {
    fn names(&self) -> Vec<String> {
        let debian = ["debian", "debian-6.12", "debian-6.1", "debian-7", "debian-16k"];
        let other = [uboot::GUEST, firmware::EDK2].into_iter().chain(BARE_METAL).map(str::to_owned);
        let debian =
            debian.into_iter().flat_map(|name| ["", debian::TOOLS, debian::ROOT].map(|more| format!("{name}{more}")));
        debian.chain(other).collect()
    }

    fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(self.find_kernel(name)?)
    }

    fn initrd(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(self.find_initrd(name)?)
    }

    fn flash(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(self.find_flash(name)?)
    }

    fn disks(&self) -> Vec<String> {
        disks::NAMES.map(str::to_owned).into()
    }

    fn disk(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(disks::image(self.environment, name)?)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fs;
    use std::path::Path;

    use super::*;
    use system::{Board, Manifest};

    /// A guest `debian` whose files are two of these, as those that are downloaded would lie.
    struct Downloaded<'a>(&'a Path);

    impl Images for Downloaded<'_> {
        fn names(&self) -> Vec<String> {
            Vec::new()
        }

        fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
            Ok((name == "debian").then(|| self.0.join("Image")))
        }

        fn initrd(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
            Ok((name == "debian").then(|| self.0.join("initramfs.cpio")))
        }
    }

    #[test]
    fn the_ram_disk_makes_a_guest_that_reports_and_not_the_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::at(folder.path());
        let downloads = debian::folder(&environment).join("debian-6.12");
        fs::create_dir_all(&downloads).unwrap();
        for file in [downloads.join("Image"), downloads.join("initramfs.cpio"), folder.path().join("own.cpio")] {
            fs::write(file, [0x14; 64]).unwrap();
        }
        let text = "[[vm]]\nname = \"a\"\nimage = \"debian\"\nmemory = \"2M\"\ncores = [0]\n";
        let board = Board {
            name: "b".to_owned(),
            cores: 1,
            memory: 1 << 30,
            forwards: false,
            time: true,
            cpu: None,
            ram: None,
            devices: Vec::new(),
        };
        let found = |text: &str| {
            let manifest = Manifest::parse("m", text, folder.path(), &board, &Downloaded(&downloads)).unwrap();
            let guests = Guests::new(&environment);
            (guests.reports(&manifest.vms[0]), guests.exits(&manifest.vms[0]))
        };
        assert_eq!(found(text), (true, true));
        assert_eq!(found(&format!("{text}initrd = \"own.cpio\"\n")), (false, false));
        let kernel = "image = \"target/guests/debian-6.12/Image\"";
        assert_eq!(found(&text.replace("image = \"debian\"", kernel)), (false, false));
    }
}
