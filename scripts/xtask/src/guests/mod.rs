//! The guests that the project knows by name, and where their files come from.

pub mod cpio;
pub mod debian;
pub mod initramfs;

use std::error::Error;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::environment::Environment;
use crate::metal;
use system::Images;

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

    /// Whether `kernel` is that of a Debian guest, whose init script reports what its firmware offers.
    pub fn reports(&self, kernel: &Path) -> bool {
        kernel.starts_with(debian::folder(self.environment))
    }

    /// Whether `kernel` is a guest that switches itself off in the end if its command line says so.
    pub fn exits(&self, kernel: &Path) -> bool {
        let is_shell = |name| kernel == metal::image_path(self.environment, name);
        self.reports(kernel) || [metal::OPS, metal::OPS_TESTING].into_iter().any(is_shell)
    }

    fn find_kernel(&self, name: &str) -> Result<Option<PathBuf>> {
        match debian::Release::of_guest(name) {
            Some(release) => debian::kernel(self.environment, release).map(|kernel| Some(kernel.image)),
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

    fn find_initrd(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(release) = debian::Release::of_guest(name) else { return Ok(None) };
        let kernel = debian::kernel(self.environment, release)?;
        let busybox = debian::busybox(self.environment)?;
        initramfs::build(self.environment, &kernel, &busybox).map(Some)
    }
}

impl Images for Guests<'_> {
    fn names(&self) -> Vec<String> {
        ["debian", "debian-6.12", "debian-6.1"].into_iter().chain(BARE_METAL).map(str::to_owned).collect()
    }

    fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(self.find_kernel(name)?)
    }

    fn initrd(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(self.find_initrd(name)?)
    }
}
