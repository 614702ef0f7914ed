//! What the board can serve: the upper limits of every VM's firmware registers.

use portcullis_abi::firmware;
use portcullis_board::Board;
use portcullis_gate::Support;

/// What the gate knows, less the services that have no backend on this board.
pub fn support(board: &Board) -> Support {
    let absent = |present: bool, bit: u64| if present { 0 } else { bit };
    Support {
        std: Support::FULL.std & !absent(board.entropy.is_some(), firmware::STD_TRNG),
        vendor_hyp: Support::FULL.vendor_hyp & !absent(board.wall_clock.is_some(), firmware::VENDOR_HYP_PTP),
        // What the implementation's discovery is to tell of, other cores to which a VM may move, no board has.
        vendor_hyp_2: Support::FULL.vendor_hyp_2
            & !(firmware::VENDOR_HYP_2_IMPL_VERSION | firmware::VENDOR_HYP_2_IMPL_CPUS),
        // A service that needs nothing of the board is offered on every one; the levels of workarounds are those of a VM's cores.
        ..Support::FULL
    }
}
