//! What the board can serve: the upper limits of every VM's firmware registers.

use portcullis_abi::firmware;
use portcullis_arch::cpu;
use portcullis_board::Board;
use portcullis_gate::Support;

/// What the gate knows, less the services that have no backend on this board.
pub fn support(board: &Board) -> Support {
    let absent = |present: bool, bit: u64| if present { 0 } else { bit };
    // With neither EL3's calls nor a core that says it is unaffected, a guest is told the truth: not protected.
    let spectre_v2 = if cpu::predicts_within_context() {
        firmware::WORKAROUND_NOT_REQUIRED
    } else {
        firmware::WORKAROUND_NOT_AVAILABLE
    };
    Support {
        std: Support::FULL.std & !absent(board.entropy.is_some(), firmware::STD_TRNG),
        vendor_hyp: Support::FULL.vendor_hyp & !absent(board.wall_clock.is_some(), firmware::VENDOR_HYP_PTP),
        soc: board.soc.is_some(),
        workaround_1: spectre_v2,
        workaround_2: firmware::WORKAROUND_NOT_AVAILABLE,
        workaround_3: firmware::WORKAROUND_NOT_AVAILABLE,
        // A service that needs nothing of the board is offered on every one.
        ..Support::FULL
    }
}
