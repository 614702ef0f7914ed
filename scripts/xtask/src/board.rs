//! The boards that the scripts know, and how QEMU is started for them.

use std::path::Path;

/// Bytes of RAM of the emulated `virt` machine: as much as the smallest board that is planned for.
const VIRT_MEMORY: u64 = 2 << 30;

/// A board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// QEMU's `virt` machine with a GICv3.
    QemuVirt,
}

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    ///
    /// One sentence, if there is none or if it is not built yet.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "qemu-virt" => Ok(Self::QemuVirt),
            "raspi4b" | "rpi4" => Err(format!("board {name} is not built yet; qemu-virt is")),
            _ => Err(format!("there is no board {name}; qemu-virt is built, raspi4b and rpi4 are planned")),
        }
    }

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QemuVirt => "qemu-virt",
        }
    }

    /// Bytes of its RAM.
    pub const fn memory(self) -> u64 {
        match self {
            Self::QemuVirt => VIRT_MEMORY,
        }
    }

    /// The CPU model where none is asked for: one with FEAT_RNG, the source of the guests' entropy.
    pub const fn cpu(self) -> &'static str {
        match self {
            // QEMU's own algorithm for pointer authentication: the architected one takes most of a guest's boot time.
            Self::QemuVirt => "max,pauth-impdef=on",
        }
    }

    /// QEMU's arguments, with the first serial port on its standard input and output.
    pub fn qemu_arguments(self, cpu: Option<&str>, cores: u32, image: &Path, bundle: &Path) -> Vec<String> {
        let cpu = cpu.unwrap_or(self.cpu()).to_owned();
        let machine = match self {
            Self::QemuVirt => "virt,virtualization=on,gic-version=3",
        };
        let mut arguments: Vec<String> =
            ["-machine", machine, "-cpu", &cpu, "-display", "none", "-nic", "none", "-monitor", "none"]
                .map(str::to_owned)
                .into();
        // No signals from the keyboard: the console's keys all go to the machine.
        arguments.extend(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"].map(str::to_owned));
        arguments.extend(["-smp".to_owned(), cores.to_string(), "-m".to_owned(), format!("{}M", self.memory() >> 20)]);
        arguments.extend(["-kernel".to_owned(), image.display().to_string()]);
        arguments.extend(["-initrd".to_owned(), bundle.display().to_string()]);
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_boards() {
        assert_eq!(Board::parse(Board::QemuVirt.name()), Ok(Board::QemuVirt));
        assert!(Board::parse("pc").unwrap_err().contains("no board pc"));
    }

    #[test]
    fn the_command_line_wins_over_the_default_cpu() {
        let arguments = |cpu| Board::QemuVirt.qemu_arguments(cpu, 2, Path::new("i"), Path::new("b")).join(" ");
        assert!(arguments(None).contains("-cpu max,"));
        assert!(arguments(Some("cortex-a72")).contains("-cpu cortex-a72 "));
        assert!(arguments(None).contains("-smp 2 -m 2048M"));
    }
}
