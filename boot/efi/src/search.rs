//! The search for the bundle.

use portcullis_board::{Range, Regions};

use crate::firmware::Firmware;
use crate::path;
use crate::refusal::Refusal;
use crate::source::Source;

/// Finds the bundle. `chosen` is where the device tree has it, `usable` the RAM that may be read.
///
/// # Errors
///
/// There is none, it cannot be read, or it is said to be where no RAM is.
pub fn find(
    firmware: &mut impl Firmware,
    chosen: Option<Range>,
    usable: &Regions,
) -> Result<(Source, &'static [u8]), Refusal> {
    let read = |source, result: Result<_, _>| match result {
        Ok(bytes) => Ok((source, bytes)),
        Err(status) => Err(Refusal::Unread { source, status }),
    };
    if let Some(result) = firmware.offered() {
        return read(Source::LoadFile2, result);
    }
    if let Some(path) = path::named(firmware.options()) {
        // It was asked for: that it is not there is worth more words than that another one is.
        let path = path.map_err(|_| Refusal::LongPath)?;
        let result = firmware.file(&path).unwrap_or(Err(uefi_raw::Status::NOT_FOUND));
        return read(Source::Option, result);
    }
    if let Some(range) = chosen {
        if !usable.iter().any(|ram| ram.contains(&range)) {
            return Err(Refusal::Outside(range));
        }
        return Ok((Source::Chosen, firmware.loaded(range)));
    }
    let beside = firmware.own_path().beside().ok_or(Refusal::NoBundle)?;
    read(Source::Beside, firmware.file(&beside).ok_or(Refusal::NoBundle)?)
}
