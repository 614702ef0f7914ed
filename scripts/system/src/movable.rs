//! `movable`: whether the control VM may save a VM. Then it has nothing of the board's.

use super::diagnostic::{Diagnostics, Span};
use super::section::Section;

/// Where the section says that the VM is movable. What of the VM itself keeps it from that is reported.
pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Span> {
    let movable = section.spanned_boolean("movable", diagnostics).filter(|movable| *movable.get_ref())?;
    let has = |key: &str| {
        let value = section.value(key)?;
        let is_none = value.get_ref().as_bool() == Some(false)
            || key == "devices" && value.get_ref().as_array().is_some_and(|list| list.is_empty());
        (!is_none).then(|| value.span())
    };
    for (key, why) in
        [("devices", "a device of the board stays where it is"), ("trust-dma", "its memory is where its devices write")]
    {
        if let Some(other) = has(key) {
            let line = diagnostics.line(&other);
            let message = format!("a VM with `{key}`, in line {line}, cannot be saved: {why}");
            diagnostics.error(movable.span(), message, format!("leave `movable` out, or `{key}`"));
        }
    }
    Some(movable.span())
}
