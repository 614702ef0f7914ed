//! The active state of an SGI, cleared by the distributor's or the redistributor's register in place of its end.

use guest_runtime::gic::{self, register::*};
use guest_runtime::{counter, mmio};

use crate::guest::interrupts::PATIENCE;
use crate::guest::report;

const IPI: u32 = 1;

/// The cases.
pub fn run() {
    gic::enable(IPI);
    let round = || {
        gic::send(IPI, 1);
        let mut taken = None;
        counter::wait_until(PATIENCE, || {
            taken = gic::acknowledge();
            taken.is_some()
        });
        let active = gic::is_set(ISACTIVER, IPI);
        mmio::write32(gic::word(ICACTIVER, IPI), 1 << IPI);
        let cleared = gic::is_set(ISACTIVER, IPI);
        // The priority drops only by this.
        if let Some(interrupt) = taken {
            gic::end(interrupt);
        }
        (taken.map(|interrupt| interrupt.intid), active, cleared)
    };
    report::equal(format_args!("gic/active, cleared by register"), (Some(IPI), true, false), round());
    report::equal(format_args!("gic/active, the next one comes"), (Some(IPI), true, false), round());
    gic::disable(IPI);
}
