//! SPIs with a physical one behind them.

use super::*;
use crate::GicVersion;
use crate::list_register::{EOI, HW, State};

const INTID: u32 = 40;

/// A physical SPI: what the distributor of the board knows of it.
struct Physical {
    line: bool,
    active: bool,
    taken: usize,
}

impl Physical {
    const fn new(line: bool) -> Self {
        Self { line, active: false, taken: 0 }
    }

    /// Has the interrupt taken if it is pending, after what the core has deactivated.
    fn step(&mut self, gic: &Vgic, cores: &mut [Core]) {
        for core in cores {
            for intid in core.deactivated.drain(..) {
                assert_eq!(intid, INTID);
                self.active = false;
            }
        }
        if self.line && !self.active {
            self.active = true;
            self.taken += 1;
            let _ = gic.raise_shared(INTID);
        }
    }

    /// Steps and enters until nothing changes any more. Returns how often it came to each vCPU's guest.
    fn settle(&mut self, gic: &Vgic, cores: &mut [Core]) {
        for _ in 0..8 {
            self.step(gic, cores);
            for (vcpu, core) in cores.iter_mut().enumerate() {
                let _ = core.enter_beside_others(gic, vcpu);
            }
        }
    }
}

fn entered(vcpus: usize) -> (Vgic, Vec<Core>) {
    let gic = enabled(vcpus);
    let mut cores: Vec<Core> = (0..vcpus).map(|_| Core::new(4)).collect();
    for (vcpu, core) in cores.iter_mut().enumerate() {
        let _ = core.enter(&gic, vcpu);
    }
    (gic, cores)
}

#[test]
fn the_guest_s_end_deactivates_the_physical_one() {
    let (gic, mut cores) = entered(1);
    assert_eq!(gic.raise_shared(INTID).collect::<Vec<_>>(), [0]);
    let _ = cores[0].enter(&gic, 0);
    let lr = cores[0].lr_of(INTID).unwrap();
    assert_eq!((lr & HW, lr >> 32 & 0x1fff), (HW, u64::from(INTID)));
    assert_eq!(cores[0].drain(&gic, 0), [INTID]);
    assert_eq!(cores[0].deactivated, [INTID]);
}

#[test]
fn a_line_that_stays_high_comes_again_and_one_at_a_time() {
    let (gic, mut cores) = entered(1);
    let mut physical = Physical::new(true);
    for round in 1..5 {
        physical.settle(&gic, &mut cores);
        assert_eq!((physical.taken, cores[0].pending()), (round, vec![(0, INTID)]));
        assert_eq!(cores[0].acknowledge(), Some(INTID));
        physical.settle(&gic, &mut cores);
        assert_eq!((physical.taken, State::of(cores[0].lr_of(INTID).unwrap())), (round, State::Active));
        cores[0].end();
    }
}

#[test]
fn it_comes_to_the_vcpu_that_it_is_routed_to() {
    let (gic, mut cores) = entered(2);
    let mut physical = Physical::new(true);
    let _ = gic.write_distributor(0, IROUTER + u64::from(INTID) * 8, 8, 1);
    physical.settle(&gic, &mut cores);
    assert_eq!((cores[0].pending(), cores[1].pending()), (vec![], vec![(0, INTID)]));
    // Routed back while pending: it moves, and the physical one is not taken again.
    let _ = gic.write_distributor(0, IROUTER + u64::from(INTID) * 8, 8, 0);
    for vcpu in [1, 0] {
        let _ = cores[vcpu].enter_beside_others(&gic, vcpu);
    }
    assert_eq!((cores[0].pending(), cores[1].pending(), physical.taken), (vec![(0, INTID)], vec![], 1));
}

#[test]
fn one_that_is_not_wanted_is_taken_once_and_asked_for_again() {
    for line in [true, false] {
        let (gic, mut cores) = entered(1);
        let _ = write_bit(&gic, 0, ICENABLER, INTID);
        let mut physical = Physical::new(true);
        physical.settle(&gic, &mut cores);
        assert_eq!((physical.taken, cores[0].valid().len()), (1, 0));
        physical.line = line;
        let _ = write_bit(&gic, 0, ISENABLER, INTID);
        physical.settle(&gic, &mut cores);
        // Only a line that is still high is worth an interrupt.
        assert_eq!((physical.taken, cores[0].pending().len()), if line { (2, 1) } else { (1, 0) });
        assert_eq!(physical.active, line);
        assert_eq!(read_bit(&gic, 0, ISPENDR, INTID, &cores[0]), line);
    }
}

#[test]
fn an_edge_that_is_not_wanted_yet_is_kept() {
    let (gic, mut cores) = entered(1);
    gic.set_shared_trigger(INTID, true);
    assert_eq!(gic.read_distributor(0, ICFGR + 8, 4, &cores[0]), 2 << ((INTID - 32) * 2));
    let _ = write_bit(&gic, 0, ICENABLER, INTID);
    let _ = gic.raise_shared(INTID);
    let _ = cores[0].enter(&gic, 0);
    let _ = write_bit(&gic, 0, ISENABLER, INTID);
    assert_eq!(cores[0].drain(&gic, 0), [INTID]);
    assert_eq!(cores[0].deactivated, [INTID]);
}

#[test]
fn a_vcpu_that_goes_off_leaves_none_active() {
    let (gic, mut cores) = entered(2);
    let mut physical = Physical::new(true);
    physical.settle(&gic, &mut cores);
    assert_eq!(cores[0].acknowledge(), Some(INTID));
    let _ = cores[0].reset(&gic, 0);
    assert_eq!(cores[0].deactivated, [INTID]);
    // Pending, it waits for whom the guest sends it to.
    physical.settle(&gic, &mut cores);
    let _ = cores[0].reset(&gic, 0);
    assert!(cores[0].deactivated.is_empty());
    let _ = gic.write_distributor(1, IROUTER + u64::from(INTID) * 8, 8, 1);
    let _ = cores[1].enter_beside_others(&gic, 1);
    assert_eq!((cores[1].acknowledge(), physical.taken), (Some(INTID), 2));
}

#[test]
fn deactivation_by_the_guest_reaches_the_physical_one() {
    let (gic, mut cores) = entered(1);
    let _ = gic.raise_shared(INTID);
    let _ = cores[0].enter(&gic, 0);
    assert_eq!(cores[0].acknowledge(), Some(INTID));
    let _ = write_bit(&gic, 0, ICACTIVER, INTID);
    let _ = cores[0].enter(&gic, 0);
    assert_eq!(cores[0].deactivated, [INTID]);
}

#[test]
fn a_gicv2_reports_the_end_and_the_hypervisor_deactivates() {
    let gic = Vgic::of_version(GicVersion::V2, 1);
    let mut core = Core::v2(4);
    let _ = gic.write_gicv2_distributor(0, CTLR, 4, 1);
    let _ = gic.write_gicv2_distributor(0, ISENABLER + 4, 4, 0xffff_ffff);
    let _ = core.enter(&gic, 0);
    for _ in 0..3 {
        let _ = gic.raise_shared(INTID);
        let _ = core.enter(&gic, 0);
        // Looked at once more while pending.
        let _ = gic.write_gicv2_distributor(0, ISENABLER + 4, 4, 0xffff_ffff);
        gic.attend(0);
        let _ = core.enter(&gic, 0);
        assert_eq!(core.lr_of(INTID).map(|lr| lr & (HW | EOI)), Some(EOI));
        assert_eq!(core.acknowledge(), Some(INTID));
        let _ = core.enter(&gic, 0);
        core.end();
        assert!(core.deactivated.is_empty() && core.maintenance());
        let _ = core.enter(&gic, 0);
        assert_eq!(std::mem::take(&mut core.deactivated), [INTID]);
    }
}

#[test]
fn what_is_no_spi_is_not_raised() {
    let (gic, _) = entered(1);
    for intid in [0, 31, 288, 1020, u32::MAX] {
        gic.set_shared_trigger(intid, true);
        assert!(gic.raise_shared(intid).is_empty());
    }
}

#[test]
fn whatever_happens_none_is_lost_or_left_active() {
    let mut seed = 7u64;
    let mut next = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    for _ in 0..if cfg!(miri) { 2 } else { 300 } {
        let (gic, mut cores) = entered(2);
        let mut physical = Physical::new(false);
        for _ in 0..60 {
            let vcpu = next(2) as usize;
            match next(9) {
                0 => physical.line = !physical.line,
                1 => _ = write_bit(&gic, vcpu, [ISENABLER, ICENABLER][next(2) as usize], INTID),
                2 => _ = gic.write_distributor(vcpu, IROUTER + u64::from(INTID) * 8, 8, next(3)),
                3 => _ = write_bit(&gic, vcpu, ICPENDR, INTID),
                4 => _ = cores[vcpu].acknowledge(),
                5 => _ = cores[vcpu].end(),
                6 => {
                    cores[vcpu].running.clear();
                    _ = cores[vcpu].reset(&gic, vcpu);
                }
                7 => _ = write_bit(&gic, vcpu, [ISPENDR, ICACTIVER][next(2) as usize], INTID),
                _ => {}
            }
            if next(2) == 0 {
                physical.step(&gic, &mut cores);
            }
            let _ = cores[vcpu].enter_beside_others(&gic, vcpu);
        }
        // The guest wants it, on its first vCPU, and finishes what it has begun.
        for register in [ISENABLER, ICACTIVER] {
            let _ = write_bit(&gic, 0, register, INTID);
        }
        let _ = gic.write_distributor(0, IROUTER + u64::from(INTID) * 8, 8, 0);
        physical.line = true;
        for _ in 0..4 {
            physical.settle(&gic, &mut cores);
            for core in &mut cores {
                while core.end().is_some() {}
            }
        }
        physical.settle(&gic, &mut cores);
        assert_eq!((cores[0].pending(), cores[1].valid()), (vec![(0, INTID)], vec![]));
        assert_eq!(cores[0].acknowledge(), Some(INTID));
        physical.line = false;
        cores[0].end();
        physical.settle(&gic, &mut cores);
        assert!(!physical.active && cores[0].valid().is_empty(), "{:x?}", cores[0]);
    }
}
