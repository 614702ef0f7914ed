//! `suspend`: whether a VM may suspend itself, by a function that its version of PSCI must have.

use portcullis_abi::firmware::PSCI_VERSION;
use portcullis_abi::function::PSCI_VERSION_1_0;

use super::diagnostic::Diagnostics;
use super::firmware::Firmware;
use super::section::Section;

/// Reports it if the VM that `section` describes may suspend itself by a function that its `firmware` lacks.
pub fn check(section: &Section<'_>, suspend: bool, firmware: Option<&Firmware>, diagnostics: &mut Diagnostics<'_>) {
    let version = firmware.and_then(|firmware| firmware.register(PSCI_VERSION));
    let Some(version) = version.filter(|version| suspend && *version < u64::from(PSCI_VERSION_1_0)) else { return };
    let Some(value) = section.value("suspend") else { return };
    let message = format!("PSCI {}.{} cannot suspend a VM", version >> 16, version & 0xffff);
    let help = r#"SYSTEM_SUSPEND came with PSCI 1.0: write psci = "1.0" or a newer one, or leave `suspend` out"#;
    diagnostics.error(value.span(), message, help);
}
