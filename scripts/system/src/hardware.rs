//! What a VM is told of the hardware besides what its board says: CPUs of boards to which it may move, and the SoC.

use portcullis_abi::bundle::IMPLEMENTATIONS_MAX;
use portcullis_board::SocId;
use portcullis_bundle::implementations::Implementation;
use toml::Spanned;

use super::diagnostic::Diagnostics;
use super::key;
use super::section::Section;

/// Reads the list `implementations` of a VM, with its place.
pub fn implementations(
    section: &Section<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Spanned<Vec<Implementation>>> {
    let span = section.value("implementations")?.span();
    let mut list = Vec::new();
    for one in section.sections("implementations", &key::IMPLEMENTATION, diagnostics) {
        one.require("midr", diagnostics);
        let midr = limited(&one, "midr", u32::MAX.into(), "MIDR_EL1 has 32 bits", diagnostics);
        let mut optional = |key| one.number(key, diagnostics).map_or(0, Spanned::into_inner);
        let (revidr, aidr) = (optional("revidr"), optional("aidr"));
        let Some(midr) = midr else { continue };
        let implementation = Implementation { midr, revidr, aidr };
        if list.contains(&implementation) {
            let message = format!("the CPU with MIDR {midr:#x} is listed twice in `implementations`");
            diagnostics.error(one.span.clone(), message, "list it once");
        }
        list.push(implementation);
    }
    if list.len() > IMPLEMENTATIONS_MAX {
        let message = format!("{} CPUs are more than a VM is told of", list.len());
        let help = format!("keep {IMPLEMENTATIONS_MAX} of them at the most, its own cores included");
        diagnostics.error(span.clone(), message, help);
    }
    Some(Spanned::new(span, list))
}

/// Reads `soc-id` of a VM, with its place.
pub fn soc_id(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<SocId>> {
    const LIMIT: u64 = i32::MAX as u64;
    let soc = section.section("soc-id", &key::SOC_ID, diagnostics)?;
    let mut number = |key| {
        soc.require(key, diagnostics);
        limited(&soc, key, LIMIT, "with bit 31 it would be an error to whoever asks", diagnostics)
    };
    let (version, revision) = (number("version"), number("revision"));
    let soc_id = SocId { version: u32::try_from(version?).ok()?, revision: u32::try_from(revision?).ok()? };
    Some(Spanned::new(soc.span.clone(), soc_id))
}

/// The number at `key`, at most `limit`; a larger one is reported, with what the register `takes`.
fn limited(
    section: &Section<'_>,
    key: &str,
    limit: u64,
    takes: &str,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<u64> {
    let number = section.number(key, diagnostics)?;
    if *number.get_ref() > limit {
        let message = format!("{:#x} in `{key}` is out of range", number.get_ref());
        diagnostics.error(number.span(), message, format!("{takes}: numbers up to {limit:#x}"));
        return None;
    }
    Some(number.into_inner())
}
