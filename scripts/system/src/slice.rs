//! `slice`: how long the vCPUs of a VM run at a time.

use portcullis_abi::bundle::SLICE;
use portcullis_bundle::limit;
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::Diagnostics;
use super::duration;
use super::section::Section;

/// Microseconds of each vCPU's slice, one for each item of the list `cores` of the VM's `section`.
pub fn slices(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Vec<u32> {
    let vcpus = section.value("cores").and_then(|cores| cores.get_ref().as_array()).map_or(0, |cores| cores.len());
    let mut slice = |value: &Spanned<DeValue<'_>>| {
        let slice = duration::read(section, "slice", value, limit::SLICE, diagnostics);
        slice.map_or(SLICE, Spanned::into_inner)
    };
    let Some(value) = section.value("slice") else { return vec![SLICE; vcpus] };
    let Some(list) = value.get_ref().as_array() else { return vec![slice(value); vcpus] };
    let slices: Vec<u32> = list.iter().map(slice).collect();
    if slices.len() != vcpus {
        let message = format!("{} slices, but `cores` lists {vcpus}", slices.len());
        diagnostics.error(value.span(), message, "list one for each vCPU, or write one for all: slice = \"5ms\"");
    }
    slices
}
