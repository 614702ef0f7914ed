//! Wires from one VM to another.

use portcullis_abi::map;
use portcullis_arch::account::Exit;
use portcullis_bundle::links::{Wire, WireEnd};
use portcullis_devices::gpio::registers::*;
use portcullis_vgic::GicVersion;

use crate::tests::guest::{load, store};
use crate::tests::rig::{Rig, exits, vm, x};
use crate::vm::state::{Action, Phase};

/// Line 0 of the first VM drives line 1 of the second one, whose line 2 drives line 3 of the first.
const THERE: Wire<'_> = Wire { name: "there", from: WireEnd { vm: 1, line: 0 }, to: WireEnd { vm: 2, line: 1 } };
const BACK: Wire<'_> = Wire { name: "back", from: WireEnd { vm: 2, line: 2 }, to: WireEnd { vm: 1, line: 3 } };

/// A control VM on core 0, and two VMs with wires on `cores`. Their GICs let the interrupt of the controller through, to vCPU 0.
fn rig(gic: GicVersion, cores: [u32; 2]) -> Rig {
    let rig = Rig::with_wires(gic, &[vm("ops", &[0]), vm("a", &[cores[0]]), vm("b", &[cores[1]])], &[THERE, BACK]);
    rig.settle();
    [1, 2].iter().for_each(|&index| wants_wires(&rig, gic, index));
    rig
}

fn wants_wires(rig: &Rig, gic: GicVersion, index: usize) {
    let vgic = &rig.vm(index).vgic;
    let bit = 1 << (map::GPIO_INTID % 32);
    match gic {
        GicVersion::V3 => {
            // GICD_CTLR.EnableGrp1, GICD_ISENABLER1.
            let _ = vgic.write_distributor(0, 0, 4, 2);
            let _ = vgic.write_distributor(0, 0x104, 4, bit);
        }
        GicVersion::V2 => {
            // GICD_CTLR.EnableGrp0, GICD_ITARGETSR, GICD_ISENABLER1.
            let _ = vgic.write_gicv2_distributor(0, 0, 4, 1);
            let _ = vgic.write_gicv2_distributor(0, 0x800 + u64::from(map::GPIO_INTID), 1, 1);
            let _ = vgic.write_gicv2_distributor(0, 0x104, 4, bit);
        }
    }
}

fn write(rig: &Rig, core: usize, offset: u64, value: u64) {
    rig.guest(core, move |context| store(context, map::GPIO + offset, value));
    rig.settle();
}

fn read(rig: &Rig, core: usize, offset: u64) -> u64 {
    x(rig.guest(core, move |_| load(map::GPIO + offset)), 0)
}

/// The data register of a line.
const fn data(line: u64) -> u64 {
    DATA + (4 << line)
}

#[test]
fn an_edge_interrupts_the_other_vm_in_both_directions() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let rig = rig(gic, [1, 2]);
        for (driver, out, receiver, line) in [(1, 0, 2, 1), (2, 2, 1, 3)] {
            write(&rig, receiver, IEV, 1 << line);
            write(&rig, receiver, IE, 1 << line);
            write(&rig, driver, DIR, 1 << out);
            let has_interrupt = || rig.at(receiver, || rig.vcpu(receiver, 0).has_interrupt());
            assert!(!has_interrupt(), "{gic:?}");
            write(&rig, driver, data(out), 0xff);
            assert!(has_interrupt(), "{gic:?}: from {driver} to {receiver}");
            assert_eq!((read(&rig, receiver, MIS), read(&rig, receiver, data(line))), (1 << line, 1 << line));
            write(&rig, receiver, IC, 1 << line);
            assert_eq!((read(&rig, receiver, MIS), read(&rig, receiver, data(line))), (0, 1 << line));
            assert!(!has_interrupt(), "{gic:?}: the line fell before the guest took it");
            write(&rig, driver, data(out), 0);
            assert_eq!((read(&rig, receiver, RIS), read(&rig, receiver, data(line))), (0, 0), "only rising edges");
        }
    }
}

#[test]
fn a_level_lasts_as_long_as_the_wire_has_it_and_what_does_not_change_costs_nobody() {
    let rig = rig(GicVersion::V3, [1, 2]);
    for (register, value) in [(IS, 2), (IEV, 2), (IE, 2)] {
        write(&rig, 2, register, value);
    }
    write(&rig, 1, DIR, 1);
    write(&rig, 1, data(0), 1);
    write(&rig, 2, IC, 2);
    assert_eq!(read(&rig, 2, MIS), 2, "clearing ends no level");
    let before = exits(rig.vcpu(2, 0), Exit::Interrupt) + exits(rig.vcpu(2, 0), Exit::Device);
    (0..5).for_each(|_| write(&rig, 1, data(0), 1));
    assert_eq!(exits(rig.vcpu(2, 0), Exit::Interrupt) + exits(rig.vcpu(2, 0), Exit::Device), before);
    write(&rig, 1, data(0), 0);
    assert_eq!(read(&rig, 2, MIS), 0);
}

#[test]
fn a_line_falls_when_its_driver_ends_and_an_input_keeps_its_level() {
    let rig = rig(GicVersion::V3, [1, 2]);
    write(&rig, 1, DIR, 1);
    write(&rig, 1, data(0), 1);
    write(&rig, 2, DIR, 4);
    write(&rig, 2, data(2), 4);
    write(&rig, 2, IE, 2);
    assert_eq!((read(&rig, 2, RIS), read(&rig, 2, data(1)), read(&rig, 1, data(3))), (0, 2, 8));
    // Falling edges are those after a reset of the controller.
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.settle();
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    assert_eq!((read(&rig, 2, MIS), read(&rig, 2, data(1))), (2, 0));
    assert!(rig.at(2, || rig.vcpu(2, 0).has_interrupt()));
    // It begins again: what drives it still does, what it drove it has to drive anew.
    rig.at(0, || rig.vm(1).wait_manager_lock().restart()).unwrap();
    rig.settle();
    assert_eq!((read(&rig, 1, data(3)), read(&rig, 1, DIR), read(&rig, 2, data(1))), (8, 0, 0));
}

#[test]
fn vms_on_one_core_reach_each_other() {
    let rig = rig(GicVersion::V3, [1, 1]);
    let running = rig.loaded(1).unwrap().0;
    let (driver, receiver) = (running, 3 - running);
    let (out, line) = if driver == 1 { (0, 1) } else { (2, 3) };
    write(&rig, 1, DIR, 1 << out);
    write(&rig, 1, data(out), 0xff);
    assert_eq!(rig.loaded(1).unwrap().0, driver, "nothing has woken the other one: it wants no interrupt");
    let state =
        rig.vm(receiver).bus.find(map::GPIO).map(|(device, _)| device.read(rig.vcpu(receiver, 0), data(line), 4));
    assert_eq!(state, Some(1 << line));
}

#[test]
fn who_has_no_wire_has_no_controller() {
    let rig = rig(GicVersion::V3, [1, 2]);
    assert!(rig.vm(0).bus.find(map::GPIO).is_none() && rig.vm(1).bus.find(map::GPIO).is_some());
}
