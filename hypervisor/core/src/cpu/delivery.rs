//! Whether interrupts reach a core at all. Firmware may have left every one of them to the other Security state (group 0; on a
//! Raspberry Pi, `enable_gic=0`): nothing that a core waits for would ever come, and nobody would say so.

use portcullis_arch::timer;
use portcullis_board::signal::KICK;

use super::gic::{CpuInterface, SPECIAL, Signals};
use super::physical_core::Core;
use crate::with_interface;

/// An SGI is there within microseconds: so many of them to a second are enough for any.
const PATIENCE: u64 = 100;

/// Sends an SGI from `core`, this one, whose GIC is ready, to itself. Returns whether it has come within 10 ms.
pub fn works(core: &Core) -> bool {
    with_interface!(G => comes::<G>(G::signal(KICK, core.index, core.affinity)))
}

fn comes<G: CpuInterface + Signals>(signal: u64) -> bool {
    G::send(signal);
    let (start, patience) = (timer::count(), timer::frequency() / PATIENCE);
    loop {
        let acknowledged = G::acknowledge();
        let intid = G::intid(acknowledged);
        if intid < SPECIAL {
            G::drop_priority(acknowledged);
            G::finish(acknowledged);
        }
        if intid == KICK {
            return true;
        }
        if timer::count().wrapping_sub(start) > patience {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_arch::fake;
    use portcullis_vgic::GicVersion;

    use super::*;
    use crate::tests::rig::{Rig, vm};

    #[test]
    fn a_core_hears_itself_or_is_deaf() {
        for gic in [GicVersion::V3, GicVersion::V2] {
            let rig = Rig::on(crate::tests::board::Parts::new(), gic, &[vm("ops", &[0])]);
            rig.settle();
            let core = rig.machine.cores[0];
            let heard = |pending: &[u32]| {
                rig.at(0, || {
                    fake::tick(1);
                    pending.iter().for_each(|intid| fake::pend(*intid));
                    let start = timer::count();
                    let works = works(core);
                    assert!(timer::count() - start < timer::frequency() / PATIENCE + 10, "{gic:?} {pending:?}");
                    (works, fake::pending())
                })
            };
            // What the rig delivers afterwards is taken before the next turn.
            assert_eq!(heard(&[KICK]), (true, 0), "{gic:?}");
            rig.settle();
            assert_eq!(heard(&[57, KICK]), (true, 0), "{gic:?}: something else comes first");
            rig.settle();
            assert_eq!(heard(&[]), (false, 0), "{gic:?}");
            rig.settle();
            assert_eq!(heard(&[57]), (false, 0), "{gic:?}: something else is not what was sent");
        }
    }
}
