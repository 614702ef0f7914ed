//! What QEMU emulates of a board, and its command line.

use std::path::Path;

use super::{Board, Gic};
use crate::el3::{El3, option};
use crate::raspberry_pi;

/// What is emulated: a board with its interrupt controller, its firmware and its cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// The board.
    pub board: Board,
    /// Its interrupt controller.
    pub gic: Gic,
    /// Its firmware.
    pub el3: El3,
    /// Number of its cores.
    pub cores: u32,
}

/// The files that a machine starts from, and what brings them into its memory.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The hypervisor's image.
    pub image: &'a Path,
    /// The bundle.
    pub bundle: &'a Path,
    /// The firmware that starts the image, if there is one; else QEMU does.
    pub firmware: Option<Flash<'a>>,
    /// What a Raspberry Pi needs beside them.
    pub raspberry_pi: Option<&'a raspberry_pi::Files>,
    /// The device tree for a machine of which QEMU makes none.
    pub tree: Option<&'a Path>,
    /// QEMU's arguments for a boot loader that starts them, if there is one.
    pub loader: Option<&'a [String]>,
}

/// Firmware in flash, which expects an image in memory.
#[derive(Clone, Copy, Debug)]
pub struct Flash<'a> {
    /// What the flash holds.
    pub content: &'a Path,
    /// Where it expects the image.
    pub image_address: u64,
    /// Where the bundle is to lie.
    pub bundle_address: u64,
}

impl Hardware {
    /// `board` with its own interrupt controller and nothing at EL3.
    pub const fn new(board: Board, cores: u32) -> Self {
        Self { board, gic: board.gic(), el3: El3::None, cores }
    }

    /// QEMU's arguments, with the first serial port on its standard input and output.
    pub fn qemu_arguments(&self, cpu: Option<&str>, files: &Files<'_>) -> Vec<String> {
        let mut machine = self.board.machine().to_owned();
        if !self.board.is_fixed() {
            machine.push_str(&format!(",gic-version={}", self.gic.version()));
        }
        // EL3 and what only it may touch: its RAM, its flash, the second UART.
        if files.firmware.is_some() {
            machine.push_str(",secure=on");
        }
        let mut arguments: Vec<String> =
            ["-machine", &machine, "-display", "none", "-nic", "none", "-monitor", "none"].map(str::to_owned).into();
        if self.board == Board::Zcu102 {
            // Its display has sound, which QEMU would look for on the host.
            arguments.extend(["-audio", "none"].map(str::to_owned));
        }
        if let Some(cpu) = cpu.or(self.board.cpu()) {
            arguments.extend(["-cpu".to_owned(), cpu.to_owned()]);
        }
        if self.board == Board::Imx8mp {
            // Its console is the second port, and QEMU's machine has one core if it is not told.
            arguments.extend(["-serial", "null", "-smp", "4"].map(str::to_owned));
        }
        // No signals from the keyboard: the console's keys all go to the machine.
        arguments.extend(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"].map(str::to_owned));
        if let Some(pi) = files.raspberry_pi {
            // Cores and RAM are the machine's own.
            arguments.extend(pi.qemu_arguments(files.image, files.bundle));
            return arguments;
        }
        if !self.board.is_fixed() {
            arguments.extend(["-smp".to_owned(), self.cores.to_string()]);
        }
        arguments.extend(["-m".to_owned(), format!("{}M", self.board.memory() >> 20)]);
        match files.loader {
            Some(loader) => arguments.extend_from_slice(loader),
            None => arguments.extend(files.arguments()),
        }
        arguments
    }
}

impl Files<'_> {
    fn arguments(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let options = match self.firmware {
            None => {
                let tree = self.tree.map(|tree| ("-dtb", path(tree)));
                let files = [("-kernel", path(self.image)), ("-initrd", path(self.bundle))];
                files.into_iter().chain(tree).collect()
            }
            // With firmware QEMU does not load what -kernel and -initrd name. The guest loader also tells of the bundle in
            // the device tree, as a multiboot module of type ramdisk.
            Some(Flash { content, image_address, bundle_address }) => vec![
                ("-bios", path(content)),
                ("-device", format!("loader,file={},addr={image_address:#x},force-raw=on", option(self.image))),
                ("-device", format!("guest-loader,addr={bundle_address:#x},initrd={}", option(self.bundle))),
            ],
        };
        options.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(hardware: Hardware, cpu: Option<&str>, firmware: Option<Flash<'_>>) -> String {
        let files = Files {
            image: Path::new("i,1"),
            bundle: Path::new("b"),
            firmware,
            raspberry_pi: None,
            tree: None,
            loader: None,
        };
        hardware.qemu_arguments(cpu, &files).join(" ")
    }

    #[test]
    fn the_command_line_wins_over_the_default_cpu() {
        let two = Hardware::new(Board::QemuVirt, 2);
        assert!(arguments(two, None, None).contains("-cpu max,"));
        assert!(arguments(two, Some("cortex-a72"), None).contains("-cpu cortex-a72 "));
        assert!(arguments(two, None, None).contains("-smp 2 -m 2048M"));
    }

    #[test]
    fn without_firmware_qemu_loads_the_image() {
        let line = arguments(Hardware::new(Board::QemuVirt, 2), None, None);
        assert!(line.contains("-machine virt,virtualization=on,gic-version=3 "), "{line}");
        assert!(line.ends_with("-kernel i,1 -initrd b"), "{line}");
    }

    #[test]
    fn a_machine_with_cores_of_its_own_is_asked_for_none() {
        let files = Files {
            image: Path::new("i"),
            bundle: Path::new("b"),
            firmware: None,
            raspberry_pi: None,
            tree: Some(Path::new("t")),
            loader: None,
        };
        let line = Hardware::new(Board::Zcu102, 4).qemu_arguments(None, &files).join(" ");
        assert!(line.starts_with("-machine xlnx-zcu102,virtualization=on -display none "), "{line}");
        assert!(line.ends_with("-m 2048M -kernel i -initrd b -dtb t") && !line.contains("-smp"), "{line}");
    }

    #[test]
    fn a_boot_loader_takes_the_place_of_both_files() {
        let loader = ["-bios".to_owned(), "u-boot".to_owned()];
        let files = Files {
            image: Path::new("i"),
            bundle: Path::new("b"),
            firmware: None,
            raspberry_pi: None,
            tree: None,
            loader: Some(&loader),
        };
        let line = Hardware::new(Board::QemuVirt, 2).qemu_arguments(None, &files).join(" ");
        assert!(line.ends_with("-m 2048M -bios u-boot"), "{line}");
    }

    #[test]
    fn with_firmware_it_and_the_image_are_loaded_apart() {
        let hardware = Hardware { gic: Gic::V2, el3: El3::TfA, ..Hardware::new(Board::QemuVirt, 2) };
        let flash = Flash { content: Path::new("fw"), image_address: 0x6000_0000, bundle_address: 0x6020_0000 };
        let line = arguments(hardware, None, Some(flash));
        assert!(line.contains("-machine virt,virtualization=on,gic-version=2,secure=on "), "{line}");
        assert!(!line.contains("-kernel") && !line.contains("-initrd"), "{line}");
        let end = "-bios fw -device loader,file=i,,1,addr=0x60000000,force-raw=on \
                   -device guest-loader,addr=0x60200000,initrd=b";
        assert!(line.ends_with(end), "{line}");
    }
}
