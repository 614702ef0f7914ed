//! What raises the interrupt line, and what lowers it.

use portcullis_virtio::mmio::{Effect, registers::*};

use crate::guest::Guest;

#[test]
fn interrupts_are_acknowledged_by_cause() {
    let mut guest = Guest::running();
    assert!(!guest.0.level());
    guest.0.used();
    guest.0.changed();
    assert_eq!((guest.read(INTERRUPT_STATUS), guest.0.level()), (3, true));
    assert_eq!(guest.write(INTERRUPT_ACK, 1), Effect::Raise);
    assert_eq!((guest.read(INTERRUPT_STATUS), guest.0.level()), (2, true));
    assert_eq!(guest.write(INTERRUPT_ACK, u32::MAX), Effect::None);
    assert_eq!((guest.read(INTERRUPT_STATUS), guest.0.level()), (0, false));
}

/// An interrupt controller that sees rising edges only, as the guest's is set up.
#[derive(Default)]
struct Edges {
    high: bool,
    pending: bool,
}

impl Edges {
    fn line(&mut self, high: bool) {
        self.pending |= high && !self.high;
        self.high = high;
    }

    fn effect(&mut self, effect: Effect, level: bool) {
        if effect == Effect::Raise {
            self.line(false);
        }
        self.line(level);
    }
}

#[test]
fn a_cause_that_comes_before_the_acknowledgement_is_an_edge_of_its_own() {
    // A second cause comes at any point of the driver's handler: before its read, between read and acknowledgement, behind it.
    for (first, second) in [(1, 2), (2, 1), (1, 1), (2, 2)] {
        for at in 0..3 {
            let (mut guest, mut gic) = (Guest::running(), Edges::default());
            let raise = |guest: &mut Guest, gic: &mut Edges, cause| {
                if cause == 1 {
                    guest.0.used()
                } else {
                    guest.0.changed()
                }
                gic.line(guest.0.level());
            };
            raise(&mut guest, &mut gic, first);
            let (mut round, mut handled) = (0, 0);
            while core::mem::take(&mut gic.pending) {
                let extra = |guest: &mut Guest, gic: &mut Edges, point| {
                    if round == 0 && point == at {
                        raise(guest, gic, second);
                    }
                };
                extra(&mut guest, &mut gic, 0);
                let causes = guest.read(INTERRUPT_STATUS);
                extra(&mut guest, &mut gic, 1);
                let effect = guest.write(INTERRUPT_ACK, causes);
                gic.effect(effect, guest.0.level());
                // It looks at what there is behind the acknowledgement.
                handled |= causes;
                extra(&mut guest, &mut gic, 2);
                round += 1;
                assert!(round < 4);
            }
            assert_eq!((handled, guest.0.level()), (first | second, false), "{first}, then {second} at {at}");
        }
    }
}
