//! The banks of flash, against those that there were.

use portcullis_abi::state::{FlashNeeds, Unfit};

use super::lack::Lack;
use super::{FLASH, same};

/// Checks that the first bank has the firmware that it had, and the second one the size; none: there is no flash.
///
/// # Errors
///
/// The first [`Lack`].
pub fn check_flash(saved: &FlashNeeds, here: Option<&FlashNeeds>) -> Result<(), Lack> {
    Unfit::check_version(saved.version, FlashNeeds::VERSION).map_err(Lack::Unfit)?;
    let here = here.ok_or(Lack::Device(FLASH))?;
    same("bytes of firmware in its flash", saved.first, here.first)?;
    same("as the CRC-32C of the firmware in its flash", saved.sum.into(), here.sum.into())?;
    same("bytes in the second bank of its flash", saved.second, here.second)
}
