//! The settings of a VM as they stand in the manifest.

use portcullis_abi::bundle::{CONDUIT_HVC, CONDUIT_SMC, MACHINE_OFF, MACHINE_RESET};
use portcullis_bundle::Settings;
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::firmware;
use super::section::Section;
use super::watchdog;

/// Reads the settings of the VM that `section` describes; whatever is wrong with them is reported.
pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Settings {
    let conduits = conduits(section, diagnostics);
    Settings {
        autostart: section.boolean("autostart", diagnostics).unwrap_or(true),
        audit: section.boolean("audit", diagnostics).unwrap_or(false),
        stop_on_fault: stop_on_fault(section, diagnostics),
        restart_limit: restart_limit(section, diagnostics),
        conduits,
        machine: machine(section, diagnostics),
        trust_dma: section.boolean("trust-dma", diagnostics).unwrap_or(false),
        rtc: section.spanned_boolean("rtc", diagnostics).map(Spanned::into_inner),
        suspend: section.boolean("suspend", diagnostics).unwrap_or(false),
        // What is wrong with it is said where it is checked.
        movable: section.value("movable").is_some_and(|movable| movable.get_ref().as_bool() == Some(true)),
        kaslr: section.boolean("kaslr", diagnostics).unwrap_or(true),
        watchdog: watchdog::read(section, conduits, diagnostics),
    }
}

/// Where the section says whether the VM has a real-time clock.
pub fn clock(section: &Section<'_>) -> Option<Span> {
    section.value("rtc").map(|value| value.span())
}

fn stop_on_fault(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> bool {
    let known = [("abort", false), ("stop", true)];
    let word = section.string("on-fault", diagnostics);
    let word = word.and_then(|word| firmware::choice("on-fault", "way to answer a fault", &word, &known, diagnostics));
    word.unwrap_or(false)
}

/// How often a VM starts again when it fails, if the manifest does not say.
const RESTART_LIMIT: u32 = 3;

fn restart_limit(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> u32 {
    let known = [("never", false), ("on-failure", true)];
    let restart = section.string("restart", diagnostics);
    let restart = restart.and_then(|word| firmware::choice("restart", "restart policy", &word, &known, diagnostics));
    let limit = section.number("restart-limit", diagnostics);
    match (restart, limit) {
        (Some(true), None) => RESTART_LIMIT,
        (Some(true), Some(limit)) => match u32::try_from(*limit.get_ref()) {
            Ok(limit @ 1..) => limit,
            _ => {
                let help = "a limit is from 1 to 4294967295; for none at all write restart = \"never\"";
                diagnostics.error(limit.span(), format!("a limit of {} restarts", limit.get_ref()), help);
                RESTART_LIMIT
            }
        },
        (_, Some(limit)) => {
            let help = "add restart = \"on-failure\", or leave the limit out";
            diagnostics.error(limit.span(), "a limit of restarts for a VM that never restarts", help);
            0
        }
        (_, None) => 0,
    }
}

fn conduits(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> u32 {
    let Some(list) = section.strings("conduits", diagnostics) else { return CONDUIT_HVC | CONDUIT_SMC };
    let known = [("hvc", CONDUIT_HVC), ("smc", CONDUIT_SMC)];
    if list.get_ref().is_empty() {
        let help = "name \"hvc\", \"smc\" or both: a guest without either cannot even power off";
        diagnostics.error(list.span(), "a VM without a conduit", help);
    }
    firmware::flags("conduits", "conduit", list.get_ref(), &known, diagnostics) as u32
}

fn machine(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> u32 {
    let Some(list) = section.strings("machine", diagnostics) else { return 0 };
    let known = [("off", MACHINE_OFF), ("reset", MACHINE_RESET)];
    firmware::flags("machine", "right over the machine", list.get_ref(), &known, diagnostics) as u32
}
