//! The boards that the scripts know, and how QEMU is started for them.

use std::path::Path;

use crate::el3::{El3, option};
use crate::raspberry_pi;

/// Bytes of RAM of the emulated `virt` machine: as much as the smallest board that is planned for.
const VIRT_MEMORY: u64 = 2 << 30;
/// Where the `virt` machine's RAM starts.
const VIRT_RAM: u64 = 0x4000_0000;
/// Bytes of RAM of a Xilinx board in one piece. What it has beyond that is above 32 GiB, and in QEMU its device tree puts it
/// elsewhere.
const XILINX_MEMORY: u64 = 2 << 30;

/// Bytes of RAM of an i.MX 8M Plus EVK, as far as it is counted on.
const IMX8MP_MEMORY: u64 = 2 << 30;

/// A board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// QEMU's `virt` machine.
    QemuVirt,
    /// QEMU's `raspi4b` machine.
    Raspi4b,
    /// A Raspberry Pi 4 Model B.
    Rpi4,
    /// A Raspberry Pi 5.
    Rpi5,
    /// Xilinx' ZCU102 with a Zynq UltraScale+, and QEMU's.
    Zcu102,
    /// A board with Xilinx' Versal, and QEMU's `xlnx-versal-virt`.
    Versal,
    /// NXP's i.MX 8M Plus EVK, and QEMU's `imx8mp-evk`.
    Imx8mp,
}

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    ///
    /// One sentence, if there is none.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "qemu-virt" => Ok(Self::QemuVirt),
            "raspi4b" => Ok(Self::Raspi4b),
            "rpi4" => Ok(Self::Rpi4),
            "rpi5" => Ok(Self::Rpi5),
            "zcu102" => Ok(Self::Zcu102),
            "versal" => Ok(Self::Versal),
            "imx8mp" => Ok(Self::Imx8mp),
            _ => {
                Err(format!("there is no board {name}; one of qemu-virt, raspi4b, rpi4, rpi5, zcu102, versal, imx8mp"))
            }
        }
    }

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QemuVirt => "qemu-virt",
            Self::Raspi4b => "raspi4b",
            Self::Rpi4 => "rpi4",
            Self::Rpi5 => "rpi5",
            Self::Zcu102 => "zcu102",
            Self::Versal => "versal",
            Self::Imx8mp => "imx8mp",
        }
    }

    /// What the root of its device tree is compatible with.
    pub const fn compatible(self) -> &'static str {
        match self {
            Self::QemuVirt => "linux,dummy-virt",
            Self::Raspi4b | Self::Rpi4 => "raspberrypi,4-model-b",
            Self::Rpi5 => "raspberrypi,5-model-b",
            Self::Zcu102 => "xlnx,zynqmp-zcu102",
            Self::Versal => "xlnx,versal",
            Self::Imx8mp => "fsl,imx8mp",
        }
    }

    /// Bytes of its RAM, as far as VMs can have it.
    pub const fn memory(self) -> u64 {
        match self {
            Self::QemuVirt => VIRT_MEMORY,
            Self::Raspi4b => raspberry_pi::QEMU_MEMORY,
            Self::Rpi4 => raspberry_pi::BOARD_MEMORY,
            Self::Rpi5 => raspberry_pi::PI_5_MEMORY,
            Self::Zcu102 | Self::Versal => XILINX_MEMORY,
            Self::Imx8mp => IMX8MP_MEMORY,
        }
    }

    /// Whether it has a clock that the hypervisor knows how to read.
    pub const fn knows_time(self) -> bool {
        match self {
            Self::QemuVirt | Self::Zcu102 | Self::Versal => true,
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Imx8mp => false,
        }
    }

    /// Where its RAM begins.
    pub const fn ram(self) -> u64 {
        match self {
            Self::QemuVirt | Self::Imx8mp => VIRT_RAM,
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Zcu102 | Self::Versal => 0,
        }
    }

    /// The first address that is no longer its RAM.
    pub const fn memory_end(self) -> u64 {
        match self {
            Self::QemuVirt => VIRT_RAM + VIRT_MEMORY,
            Self::Imx8mp => VIRT_RAM + IMX8MP_MEMORY,
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Zcu102 | Self::Versal => self.memory(),
        }
    }

    /// The CPU model where none is asked for; none where the machine has only one.
    pub const fn cpu(self) -> Option<&'static str> {
        match self {
            // FEAT_RNG is the source of the guests' entropy. QEMU's own algorithm for pointer authentication: the architected
            // one takes most of a guest's boot time.
            Self::QemuVirt => Some("max,pauth-impdef=on"),
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Zcu102 | Self::Versal | Self::Imx8mp => None,
        }
    }

    /// The interrupt controller where none is asked for.
    pub const fn gic(self) -> Gic {
        match self {
            Self::QemuVirt | Self::Versal | Self::Imx8mp => Gic::V3,
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Zcu102 => Gic::V2,
        }
    }

    /// Number of cores where none is asked for.
    pub const fn cores(self) -> u32 {
        match self {
            Self::QemuVirt => 5,
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Zcu102 | Self::Imx8mp => 4,
            Self::Versal => 2,
        }
    }

    /// The demonstration for so many cores, in `scripts/manifests`.
    pub const fn demonstration(self) -> &'static str {
        match self {
            Self::QemuVirt => "demo.toml",
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Zcu102 | Self::Imx8mp => "demo-four-cores.toml",
            Self::Versal => "demo-two-cores.toml",
        }
    }

    /// Name of its device tree among Debian's, where QEMU is to be given one.
    pub const fn device_tree(self) -> Option<&'static str> {
        match self {
            Self::Zcu102 => Some("xilinx/zynqmp-zcu102-rev1.0.dtb"),
            Self::Imx8mp => Some("freescale/imx8mp-evk.dtb"),
            Self::QemuVirt | Self::Raspi4b | Self::Rpi4 | Self::Rpi5 | Self::Versal => None,
        }
    }

    /// What QEMU calls its machine, with the options without which it does not start the image at EL2.
    const fn machine(self) -> &'static str {
        match self {
            Self::QemuVirt => "virt,virtualization=on",
            // A Raspberry Pi 5 is not in QEMU; nobody starts one.
            Self::Raspi4b | Self::Rpi4 | Self::Rpi5 => "raspi4b",
            Self::Zcu102 => "xlnx-zcu102,virtualization=on",
            Self::Versal => "xlnx-versal-virt",
            Self::Imx8mp => "imx8mp-evk",
        }
    }

    /// Whether cores, CPU model and interrupt controller are what QEMU's machine has, and nothing else; none of them is asked for.
    pub const fn is_fixed(self) -> bool {
        !matches!(self, Self::QemuVirt)
    }
}

/// A generation of Arm's interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gic {
    /// GICv2.
    V2,
    /// GICv3.
    V3,
}

impl Gic {
    /// The one with this number.
    ///
    /// # Errors
    ///
    /// One sentence, if there is none.
    pub fn parse(number: &str) -> Result<Self, String> {
        match number {
            "2" => Ok(Self::V2),
            "3" => Ok(Self::V3),
            _ => Err(format!("--gic {number}: expected one of 2, 3")),
        }
    }

    /// Its number.
    pub const fn version(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

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
    fn names_lead_to_boards() {
        for board in
            [Board::QemuVirt, Board::Raspi4b, Board::Rpi4, Board::Rpi5, Board::Zcu102, Board::Versal, Board::Imx8mp]
        {
            assert_eq!(Board::parse(board.name()), Ok(board));
        }
        assert!(Board::parse("pc").unwrap_err().contains("no board pc"));
    }

    #[test]
    fn numbers_lead_to_interrupt_controllers() {
        assert_eq!([Gic::V2, Gic::V3].map(|gic| Gic::parse(&gic.version().to_string())), [Ok(Gic::V2), Ok(Gic::V3)]);
        assert!(Gic::parse("4").unwrap_err().contains("--gic 4: expected one of 2, 3"));
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
