//! The boards that the scripts know, and how QEMU is started for them.

mod gic;
mod hardware;

pub use self::gic::Gic;
pub use self::hardware::{Files, Flash, Hardware};
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_boards() {
        for board in
            [Board::QemuVirt, Board::Raspi4b, Board::Rpi4, Board::Rpi5, Board::Zcu102, Board::Versal, Board::Imx8mp]
        {
            assert_eq!(Board::parse(board.name()), Ok(board));
        }
        assert!(Board::parse("pc").unwrap_err().contains("no board pc"));
    }
}
