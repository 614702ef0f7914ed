//! What the board can serve: the upper limits of every VM's firmware registers.

use portcullis_abi::firmware;
use portcullis_board::Board;
use portcullis_gate::Support;

/// What the gate knows, less the services that have no backend on this board. `told`: whoever has started the machine has told the
/// time of day.
pub fn support(board: &Board, told: bool) -> Support {
    let absent = |present: bool, bit: u64| if present { 0 } else { bit };
    Support {
        std: Support::FULL.std & !absent(board.entropy.is_some(), firmware::STD_TRNG),
        vendor_hyp: Support::FULL.vendor_hyp & !absent(board.wall_clock.is_some() || told, firmware::VENDOR_HYP_PTP),
        soc: board.soc.is_some(),
        // A service that needs nothing of the board is offered on every one; the levels of workarounds are those of a VM's cores.
        ..Support::FULL
    }
}
