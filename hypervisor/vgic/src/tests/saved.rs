//! Saved states: the random tests save and restore in passing; here is what is not saved, and what is not taken on.

use portcullis_abi::state::{self, Unfit};

use super::*;
use crate::GicVersion;
use crate::list_register::HW;

/// A GICv3 of two vCPUs that has interrupts in all places, and off its cores.
fn busy() -> state::Gic {
    let gic = enabled(2);
    let mut cores = [Core::new(4), Core::new(4)];
    for (vcpu, core) in cores.iter_mut().enumerate() {
        let _ = core.enter(&gic, vcpu);
    }
    let _ = gic.write_sgi1r(0, sgi1r(5, 0b11));
    let _ = write_bit(&gic, 0, ISPENDR, 40);
    let _ = core_enters(&gic, &mut cores);
    assert!(cores[0].acknowledge().is_some());
    let _ = gic.set_spi_level(50, true);
    gic.leave_core(0, &mut cores[0]);
    gic.leave_core(1, &mut cores[1]);
    let saved = gic.save().unwrap();
    assert!(saved.cpus[0].used.count_ones() >= 2 && saved.cpus[1].used != 0, "{saved:x?}");
    saved
}

fn core_enters(gic: &Vgic, cores: &mut [Core]) -> usize {
    cores.iter_mut().enumerate().map(|(vcpu, core)| core.enter(gic, vcpu).bits().count_ones() as usize).sum()
}

#[test]
fn a_gic_out_of_reset_comes_back() {
    for (version, vcpus) in [(GicVersion::V2, 1), (GicVersion::V2, 8), (GicVersion::V3, 1), (GicVersion::V3, 8)] {
        let mut gic = Vgic::of_version(version, vcpus);
        moves(&mut gic, 1);
        let _ = gic.save().filter(|saved| saved.vcpus as usize == vcpus).unwrap();
    }
}

#[test]
fn what_is_physical_is_not_saved() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    gic.raise_hardware(0, 27);
    assert_eq!(gic.save(), None, "it has come in");
    let _ = core.enter(&gic, 0);
    assert_eq!(gic.save(), None, "it is in a list register");
    gic.leave_core(0, &mut core);
    assert!(gic.save().is_some(), "its line tells again");
    let _ = gic.raise_shared(60);
    assert_eq!(gic.save(), None, "a device's is active");
}

#[test]
fn what_the_guest_has_ended_is_saved_as_ended() {
    let gic = enabled(1);
    let mut core = Core::new(4);
    let _ = core.enter(&gic, 0);
    gic.raise_hardware(0, 27);
    let _ = core.enter(&gic, 0);
    assert_eq!(core.acknowledge(), Some(27));
    assert_eq!(core.end(), Some(27));
    core.deactivated.clear();
    gic.leave_core(0, &mut core);
    let saved = gic.save().unwrap();
    let used = saved.cpus[0].list_registers.iter().filter(|value| **value & HW != 0).count();
    let next = Vgic::new(1);
    assert_eq!((used, next.restore(&saved, 4)), (0, Ok(())));
    next.enter_core(0, &mut core);
    core.synchronize();
    let _ = core.enter(&next, 0);
    assert_eq!(core.deactivated, [], "there is nothing to end any more");
}

/// A change of a good state, and what it is called.
type Damage = (fn(&mut state::Gic), Unfit);

#[test]
fn what_no_gic_holds_is_refused_by_name_and_nothing_changes() {
    const VALUE: fn(&'static str) -> Unfit = Unfit::Value;
    let good = busy();
    let damages: &[Damage] = &[
        (|gic| gic.version = 2, Unfit::Version { saved: 2, known: 1 }),
        (|gic| gic.architecture = 4, VALUE("the GIC's architecture")),
        (|gic| gic.architecture = 2, Unfit::Absent("a GIC of an architecture")),
        (|gic| gic.vcpus = 0, VALUE("the number of vCPUs")),
        (|gic| gic.vcpus = 9, VALUE("the number of vCPUs")),
        (|gic| gic.vcpus = 3, Unfit::Absent("a number of vCPUs")),
        (|gic| gic.control = 4, VALUE("GICD_CTLR")),
        (|gic| gic.spis[3].priority[7] = 1, VALUE("an SPI")),
        (|gic| gic.cpus[1].private.priority[31] = 7, VALUE("an SGI or PPI")),
        (|gic| gic.cpus[0].private.edge = 0, VALUE("an SGI or PPI")),
        (|gic| gic.cpus[0].private.line = 1 << 3, VALUE("an SGI or PPI")),
        (|gic| gic.cpus[0].senders[2] = 1, VALUE("the senders of an SGI")),
        (|gic| gic.cpus[1].maintained = 2, VALUE("the maintenance interrupt's mark")),
        (|gic| gic.cpus[1].fresh = 2, VALUE("a vCPU's mark of having been switched on")),
        (|gic| gic.cpus[1].asleep = 2, VALUE("GICR_WAKER")),
        (|gic| gic.cpus[1].reserved = 1, VALUE("a reserved word")),
        (|gic| gic.cpus[1].fresh = 1, VALUE("the list registers in use")),
        (|gic| gic.cpus[0].used |= 1 << 16, VALUE("the list registers in use")),
        (|gic| gic.cpus[0].used |= 1 << 9, Unfit::Absent("more list registers in use")),
        (|gic| (gic.cpus[2].fresh, gic.cpus[2].used) = (0, 1), VALUE("the list registers of a vCPU beyond the last")),
        (|gic| gic.cpus[0].special |= 1 << 20, VALUE("the list registers whose end is looked at")),
        (|gic| gic.cpus[0].special = 0, VALUE("the list registers whose end is looked at")),
        (|gic| gic.cpus[0].list_registers[9] = 1, VALUE("a list register that is not in use")),
        (|gic| gic.cpus[0].list_registers[0] = 288, VALUE("the INTID of a list register")),
        (|gic| gic.cpus[0].list_registers[0] |= HW, VALUE("a list register")),
        (|gic| gic.cpus[0].list_registers[0] |= 1 << 48, VALUE("a list register")),
        (|gic| gic.cpus[0].list_registers[1] = gic.cpus[0].list_registers[0], VALUE("the INTID of a list register")),
        (|gic| gic.cpus[0].private.deactivate = 1 << 9, VALUE("what is known of an SGI or PPI in a list register")),
        (|gic| gic.spis[7].latch_in_list = 1, VALUE("what is known of an SPI in a list register")),
    ];
    let gic = Vgic::new(2);
    let before = gic.save();
    for (number, (damage, expected)) in damages.iter().enumerate().step_by(if cfg!(miri) { 5 } else { 1 }) {
        let mut bad = good;
        damage(&mut bad);
        assert_eq!(gic.restore(&bad, 4), Err(*expected), "damage {number}");
        assert!(gic.save() == before, "damage {number}");
    }
    assert_eq!(gic.restore(&good, 4), Ok(()));
    assert!(gic.save() == Some(good));
}

#[test]
fn a_gicv2s_senders_and_targets_are_vcpus_of_the_vm() {
    let gic = Vgic::of_version(GicVersion::V2, 2);
    let good = gic.save().unwrap();
    let restore = |damage: fn(&mut state::Gic)| {
        let mut bad = good;
        damage(&mut bad);
        gic.restore(&bad, 4)
    };
    assert_eq!(restore(|gic| gic.routes[255] = 0b101), Err(Unfit::Value("GICD_ITARGETSR")));
    assert_eq!(restore(|gic| gic.cpus[0].senders[15] = 0b100), Err(Unfit::Value("the senders of an SGI")));
    let from_vcpu_2 = |gic: &mut state::Gic| {
        (gic.cpus[0].fresh, gic.cpus[0].used) = (0, 1);
        gic.cpus[0].list_registers[0] = 1 << 62 | 2 << 32 | 3;
    };
    assert_eq!(restore(from_vcpu_2), Err(Unfit::Value("a list register")));
    assert_eq!(restore(|gic| (gic.routes[255], gic.cpus[1].senders[15]) = (0b11, 0b11)), Ok(()));
}
