//! The measuring guests' images with the configuration of a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bench_guests::configuration::{Configuration, MAGIC, OFFSET};

use crate::environment::Environment;
use crate::metal;

/// Size of the guest whose boot the peers' figures are for; ours is filled up to it.
const CALLS_BYTES: usize = 8_600;
/// Size of the guests of windows: one that is reset is loaded again, and that shall take long.
const WINDOWS_BYTES: usize = 512 << 10;
/// Where the guests that save and restore lie in their RAM. With the 2 MiB of any image (its header's `text_offset` is 0 as
/// built) they would have EL2's addresses, and the counter takes for the guest what lies at its image's.
const MOVING_OFFSET: u64 = 3 << 20;
/// Where an arm64 Image has that offset (Linux' Documentation/arch/arm64/booting.rst).
const TEXT_OFFSET: std::ops::Range<usize> = 8..16;

/// A measuring guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// Firmware calls.
    Calls,
    /// Interrupts, devices, registers.
    Interrupts,
    /// From one guest to another on a core.
    Switches,
    /// Windows of a cyclic schedule, and their neighbours.
    Windows,
    /// From one guest to another through networks and wires.
    Links,
    /// From one that saves and restores others.
    Moving,
    /// Bytes of disks and of serial ports.
    Transfers,
    /// Calls of the control VM by its port.
    Controls,
}

impl Guest {
    /// Name of its program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Calls => "bench-calls",
            Self::Interrupts => "bench-interrupts",
            Self::Switches => "bench-switches",
            Self::Windows => "bench-windows",
            Self::Links => "bench-links",
            Self::Moving => "bench-moving",
            Self::Transfers => "bench-transfers",
            Self::Controls => "bench-controls",
        }
    }

    /// Bytes that its image is filled up to, if it is.
    const fn bytes(self) -> Option<usize> {
        match self {
            Self::Calls => Some(CALLS_BYTES),
            Self::Windows => Some(WINDOWS_BYTES),
            Self::Interrupts | Self::Switches | Self::Links | Self::Moving | Self::Transfers | Self::Controls => None,
        }
    }

    /// Writes its image with `configuration` to `folder` under `name`.
    ///
    /// # Errors
    ///
    /// The program was not built, or is not what it should be.
    pub fn write(
        self,
        environment: &Environment,
        configuration: &Configuration,
        folder: &Path,
        name: &str,
    ) -> Result<PathBuf> {
        let mut image = fs::read(metal::image(environment, self.program())?)?;
        let place = image.get_mut(OFFSET..OFFSET + size_of::<Configuration>()).context("the image is too short")?;
        ensure!(place.starts_with(&MAGIC), "{} has no configuration at offset {OFFSET}", self.program());
        place.copy_from_slice(&configuration.bytes());
        if self == Self::Moving {
            let offset = image.get_mut(TEXT_OFFSET).context("the image is too short")?;
            offset.copy_from_slice(&MOVING_OFFSET.to_le_bytes());
        }
        if let Some(bytes) = self.bytes() {
            ensure!(image.len() <= bytes, "{} has {} bytes of at most {bytes}", self.program(), image.len());
            image.resize(bytes, 0);
        }
        let path = folder.join(format!("{name}.img"));
        fs::write(&path, image).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }
}
