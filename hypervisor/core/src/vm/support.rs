//! What a VM's firmware registers can hold: what the board can serve, less what its manifest does not give it, and
//! with what that brings.

use portcullis_abi::firmware::SIP_WATCHDOG;
use portcullis_bundle::VmConfig;
use portcullis_gate::Support;

/// The upper limits of the firmware registers of a VM that the bundle describes so, on a board with the limits `board`.
pub fn of_vm(config: &VmConfig<'_>, board: &Support) -> Support {
    let absent = if config.settings.watchdog == 0 { SIP_WATCHDOG } else { 0 };
    Support { sip: board.sip & !absent, soc: board.soc || config.soc.is_some(), ..*board }
}

#[cfg(test)]
mod tests {
    use portcullis_board::SocId;

    use super::*;
    use crate::tests::rig;

    #[test]
    fn a_vm_without_a_watchdog_cannot_be_given_its_bit() {
        let mut config = rig::vm("a", &[0]);
        assert_eq!(of_vm(&config, &Support::FULL), Support { sip: 0, ..Support::FULL });
        config.settings.watchdog = 30;
        assert_eq!(of_vm(&config, &Support::FULL), Support::FULL);
        assert_eq!(of_vm(&config, &Support::NONE), Support::NONE);
    }

    #[test]
    fn a_manifest_that_names_a_soc_needs_no_board_that_does() {
        let mut config = rig::vm("a", &[0]);
        config.soc = Some(SocId { version: 1, revision: 0 });
        assert_eq!(of_vm(&config, &Support::NONE), Support { soc: true, ..Support::NONE });
    }
}
