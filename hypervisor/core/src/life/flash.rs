//! How a VM gets its flash: the memory behind it, mapped to be read.

use core::fmt;

use portcullis_abi::map::{FLASH, FLASH_BANK};
use portcullis_board::device::Device;
use portcullis_board::vm_memory::Banks;
use portcullis_board::{Range, Regions};
use portcullis_bundle::VmConfig;

use crate::devices::flash_is_replaced;
use crate::memory::stage2::{Access, Stage2};
use crate::vm::flash::{Flash, SECOND};

/// Why a VM cannot have its flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError {
    /// A device that it is given is there.
    Replaced,
    /// It needs more memory than is left.
    NoMemory {
        /// Bytes that it needs.
        wanted: u64,
        /// Bytes that are left.
        free: u64,
    },
    /// A range cannot be mapped.
    Unmappable(Range),
}

impl fmt::Display for FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replaced => {
                write!(
                    f,
                    "it has flash, and is given a device of the board below 0x8000000, where that is; leave one out"
                )
            }
            Self::NoMemory { wanted, free } => write!(
                f,
                "its flash wants {} MiB of memory, each bank in one piece; {} MiB are free in all",
                wanted >> 20,
                free >> 20
            ),
            Self::Unmappable(range) => {
                write!(
                    f,
                    "{:#x} to {:#x} cannot be mapped for its flash; addresses up to 512 GiB can",
                    range.start, range.end
                )
            }
        }
    }
}

impl core::error::Error for FlashError {}

/// Gives a VM that drives `devices` its flash, if the manifest wants some: memory out of what is `free`, mapped to be read.
///
/// # Errors
///
/// [`FlashError`]: there is not enough memory, or a device in its place.
pub(super) fn create(
    config: &VmConfig<'static>,
    devices: &[Device],
    stage2: &mut Stage2,
    free: &mut Regions,
) -> Result<Option<Flash>, FlashError> {
    let Some([first, _]) = config.flash else { return Ok(None) };
    if flash_is_replaced(devices) {
        return Err(FlashError::Replaced);
    }
    let firmware = first.unwrap_or_default();
    let size = firmware.len() as u64;
    let banks = Banks::take(free, size, FLASH_BANK)
        .ok_or_else(|| FlashError::NoMemory { wanted: Banks::size(size, FLASH_BANK), free: free.free() })?;
    let first = banks.first.map(|first| (FLASH, first));
    for (ipa, bank) in first.into_iter().chain([(SECOND, banks.second)]) {
        stage2.map(ipa, bank, Access::Rom).map_err(|_| FlashError::Unmappable(bank))?;
    }
    Ok(Some(Flash::new(banks, firmware)))
}
