//! What the board can serve: the upper limits of every VM's firmware registers.

use portcullis_abi::{firmware, function};
use portcullis_arch::cpu;
use portcullis_board::Board;
use portcullis_gate::Support;

/// The services that have a backend on this board.
pub fn support(board: &Board) -> Support {
    let bit = |present: bool, bit: u64| if present { bit } else { 0 };
    // With neither EL3's calls nor a core that says it is unaffected, a guest is told the truth: not protected.
    let spectre_v2 = if cpu::predicts_within_context() {
        firmware::WORKAROUND_NOT_REQUIRED
    } else {
        firmware::WORKAROUND_NOT_AVAILABLE
    };
    Support {
        std: bit(board.entropy.is_some(), firmware::STD_TRNG),
        std_hyp: firmware::STD_HYP_PV_TIME,
        vendor_hyp: firmware::VENDOR_HYP_FUNC_FEAT | bit(board.wall_clock.is_some(), firmware::VENDOR_HYP_PTP),
        vendor_hyp_2: 0,
        psci: u64::from(function::PSCI_VERSION_1_1),
        workaround_1: spectre_v2,
        workaround_2: firmware::WORKAROUND_NOT_AVAILABLE,
        workaround_3: firmware::WORKAROUND_NOT_AVAILABLE,
    }
}
