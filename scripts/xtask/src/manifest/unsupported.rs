//! What the manifest's format has but this version has no machinery for yet. Each is an error here rather than silently
//! without effect; each has one function, which goes when its machinery comes.

use super::diagnostic::Diagnostics;
use super::draft::Draft;

/// Reports every use of what is not supported yet.
pub fn check(drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    devices(drafts, diagnostics);
}

fn devices(drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    for device in drafts.iter().filter_map(|draft| draft.devices.first()) {
        let message = "passing devices through is not supported by this version";
        diagnostics.error(device.span(), message, "write devices = [], or leave the line out");
    }
}
