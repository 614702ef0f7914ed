//! `watchdog`: after how long without a sign of life a VM has failed.

use portcullis_abi::bundle::CONDUIT_SMC;
use portcullis_abi::watchdog::TIMEOUT_MIN;
use toml::de::DeValue;

use super::diagnostic::Diagnostics;
use super::duration;
use super::section::Section;

/// Microseconds of a second.
const SECOND: u64 = 1_000_000;

/// The longest timeout of the watchdog of the VM that `section` describes, in seconds; 0: it has none. `conduits` are its open
/// ones.
pub fn read(section: &Section<'_>, conduits: u32, diagnostics: &mut Diagnostics<'_>) -> u32 {
    let Some(value) = section.value("watchdog") else { return 0 };
    let DeValue::String(text) = value.get_ref() else {
        let wrong: Option<u32> = section.wrong_type("watchdog", value, "a time like \"30s\"", diagnostics);
        return wrong.unwrap_or(0);
    };
    if conduits & CONDUIT_SMC == 0 {
        let help = "add \"smc\" to `conduits`, by which alone Linux' arm_smc_wdt calls, or leave the watchdog out";
        diagnostics.error(value.span(), "a watchdog for a VM without the conduit \"smc\"", help);
    }
    let Some(time) = duration::parse(text) else {
        let help = r#"write a whole number of seconds, like "30s""#;
        diagnostics.error(value.span(), format!("{text:?} is not a time"), help);
        return 0;
    };
    match u32::try_from(time / SECOND) {
        Ok(seconds @ TIMEOUT_MIN..) if time.is_multiple_of(SECOND) => seconds,
        _ => {
            let message = format!("a watchdog of {}", duration::show(time));
            diagnostics.error(
                value.span(),
                message,
                format!("a watchdog is {TIMEOUT_MIN}s to {}s, in whole seconds", u32::MAX),
            );
            0
        }
    }
}
