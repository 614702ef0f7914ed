//! Texts in the bundle's tree.

use super::error::VmError;

/// The text, or nothing if it is none: no name in the format is empty.
pub fn utf8(name: &[u8]) -> &str {
    str::from_utf8(name).unwrap_or_default()
}

/// The value without its terminating NUL.
pub fn string<'a>(name: &'static str, value: &'a [u8]) -> Result<&'a str, VmError> {
    let text = core::str::from_utf8(value).ok().and_then(|text| text.strip_suffix('\0'));
    text.filter(|text| !text.contains('\0')).ok_or(VmError::Malformed(name))
}
