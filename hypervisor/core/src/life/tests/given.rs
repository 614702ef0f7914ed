//! Devices of the board that a VM drives itself.

use portcullis_abi::map;
use portcullis_arch::fake;
use portcullis_board::Range;
use portcullis_board::device::{Device, Interrupt};
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_bundle::assignment::Assignments;
use portcullis_vgic::GicVersion;

use crate::tests::board::{Asked, Parts};
use crate::tests::guest::store;
use crate::tests::rig::{Rig, vm};
use crate::vm::state::Action;

/// INTID of the device.
const LINE: u32 = 100;

/// A machine on which VM 1 has a device.
fn rig(cores: &[u32], other: &[u32]) -> Rig {
    let device = Device {
        path: "/dev@b000000",
        name: b"dev@b000000",
        compatible: b"dev\0",
        registers: [Range::sized(0x3b00_0000, 0x1000)].into(),
        interrupts: [Interrupt { physical: LINE, edge: true }].into(),
        clock: None,
        clock_names: b"",
        kept: Vec::new(),
        masters: false,
    };
    let mut assignments = Assignments::default();
    assignments.give("a", false, Range::sized(map::RAM, 2 << 20), device, |_| false).unwrap();
    let vms = [vm("ops", &[0]), vm("a", cores), vm("b", other)];
    let rig = Rig::with_devices(Parts::new(), GicVersion::V3, &vms, assignments);
    rig.settle();
    rig
}

#[test]
fn its_interrupt_comes_while_the_vm_runs_and_goes_where_the_guest_sends_it() {
    let rig = rig(&[1, 2], &[3]);
    let asked = rig.parts.controller.take();
    assert!(asked.contains(&Asked::Trigger { intid: LINE, edge: true }));
    assert!(asked.contains(&Asked::Route { intid: LINE, affinity: 1 }));
    assert!(asked.contains(&Asked::Shared { intid: LINE, enabled: true }));
    // The guest wants it: GICD_CTLR, GICD_IGROUPR3, GICD_ISENABLER3.
    for (offset, value) in [(0, 2), (0x8c, u32::MAX), (0x10c, 1 << (LINE - 96))] {
        rig.guest(1, move |context| store(context, map::GICD + offset, value.into()));
    }
    rig.interrupt(1, LINE);
    assert!(rig.at(1, || rig.vcpu(1, 0).has_interrupt()));
    // GICD_IROUTER100: to its second vCPU, so to core 2.
    rig.parts.controller.take();
    rig.guest(1, |context| store(context, map::GICD + 0x6000 + u64::from(LINE) * 8, 1));
    assert!(rig.parts.controller.take().contains(&Asked::Route { intid: LINE, affinity: 2 }));
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.settle();
    let asked = rig.parts.controller.take();
    assert!(asked.contains(&Asked::Quiet(LINE)), "{asked:?}");
}

#[test]
fn on_a_shared_core_it_comes_in_the_vms_own_time() {
    let rig = rig(&[1], &[1]);
    rig.parts.controller.take();
    let mut asked = Vec::new();
    for _ in 0..12 {
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
        let changes = rig.parts.controller.take();
        // What is let through belongs to the one that has the core.
        for change in &changes {
            if let Asked::Shared { intid: LINE, enabled } = change {
                assert_eq!(*enabled, rig.loaded(1).is_some_and(|(vm, _)| vm == 1), "{changes:?}");
            }
        }
        asked.extend(changes);
    }
    let through = Asked::Shared { intid: LINE, enabled: true };
    let held = Asked::Shared { intid: LINE, enabled: false };
    assert!(asked.contains(&through) && asked.contains(&held), "{asked:?}");
    // One that comes late is held back, and the vCPU has it when it comes onto the core.
    rig.at(1, || fake::pend(LINE));
    rig.settle();
    assert!(rig.at(1, || fake::pending() == 0));
}
