//! Random operations against a reference that knows each interrupt by itself.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::*;
use crate::VcpuSet;
use crate::list_register::ListRegisters;

/// One of a list.
fn pick(random: &mut Rng, list: &[u32]) -> u32 {
    list[random.usize(..list.len())]
}

const SGI: &[u32] = &[0, 1, 2, 15];
const HARDWARE: &[u32] = &[27, 30];
const LEVEL: &[u32] = &[33, 34, 35, 64];
const EDGE: &[u32] = &[40, 41, 42, 43, 70, 287];

/// One interrupt as the architecture has it.
#[derive(Clone, Copy, Debug, Default)]
struct Reference {
    enabled: bool,
    latch: bool,
    line: bool,
    active: bool,
    /// The physical interrupt is active.
    physical: bool,
    priority: u8,
}

impl Reference {
    fn deliverable(&self) -> bool {
        self.enabled && !self.active && (self.latch || self.line)
    }
}

fn all() -> Vec<u32> {
    [SGI, HARDWARE, LEVEL, EDGE].concat()
}

/// What is deliverable, most urgent first.
fn deliverable(reference: &BTreeMap<u32, Reference>) -> Vec<(u8, u32)> {
    let mut list: Vec<_> = reference
        .iter()
        .filter(|(_, state)| state.deliverable())
        .map(|(&intid, state)| (state.priority, intid))
        .collect();
    list.sort();
    list
}

/// The list registers have the most urgent of what the reference has. When the guest ends one while others are pending
/// in list registers, its place may stay free until those run out.
fn check(reference: &BTreeMap<u32, Reference>, core: &Core) {
    let expected = deliverable(reference);
    let found = core.pending();
    let active = reference.values().filter(|state| state.active).count();
    let room = core.lrs.len() - active;
    assert!(!found.is_empty() || room == 0 || expected.is_empty(), "{expected:?} {core:x?}");
    assert!(found.len() == expected.len().min(room) || core.no_pending_maintenance, "{expected:?} {core:x?}");
    for (have, want) in found.iter().zip(&expected) {
        // Among equals, one that is in stays in.
        assert_eq!(have.0, want.0, "{expected:?} {core:x?}");
        assert!(expected.contains(have), "{have:?} {expected:?}");
    }
}

fn acknowledge(reference: &mut BTreeMap<u32, Reference>, core: &mut Core) {
    if let Some(intid) = core.acknowledge() {
        let state = reference.get_mut(&intid).unwrap();
        assert!(state.deliverable(), "{intid} {state:?}");
        (state.latch, state.active) = (false, true);
    }
}

fn end(reference: &mut BTreeMap<u32, Reference>, core: &mut Core) {
    if let Some(intid) = core.end() {
        reference.get_mut(&intid).unwrap().active = false;
    }
}

/// Another vCPU has the core for a while; meanwhile the GIC is saved and another one made of it.
fn change_over(gic: &mut Vgic, core: &mut Core, reference: &mut BTreeMap<u32, Reference>) {
    let timers = |reference: &BTreeMap<u32, Reference>| -> BTreeSet<u32> {
        let active = reference.iter().filter(|(_, state)| state.physical);
        active.map(|(&intid, _)| intid).collect()
    };
    gic.leave_core(0, core);
    assert_eq!(core.deactivated.drain(..).collect::<BTreeSet<_>>(), timers(reference));
    core.synchronize();
    moves(gic, core.lrs.len());
    // The other one finds nothing in them and leaves nothing in them.
    assert_eq!(core.empty().count_ones() as usize, core.lrs.len(), "{core:x?}");
    core.lrs.fill(0);
    core.no_pending_maintenance = !core.no_pending_maintenance;
    gic.enter_core(0, core);
    for intid in timers(reference) {
        let state = reference.get_mut(&intid).unwrap();
        state.physical = false;
        if std::mem::take(&mut state.latch) {
            // Its timer is on again, and so is its line.
            gic.raise_hardware(0, intid);
            (state.physical, state.latch) = (true, true);
        }
    }
}

/// One vCPU; every operation is followed by an entry of the guest, so list registers and reference agree at each step.
#[test]
fn one_vcpu() {
    for lrs in [1, 2, 4, 16] {
        for seed in 1..=if cfg!(miri) { 1 } else { 20 } {
            run_one(lrs, seed);
        }
    }
}

fn run_one(lrs: usize, seed: u64) {
    let mut random = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut gic = enabled(1);
    let mut core = Core::new(lrs);
    // As when the vCPU is switched on.
    let _ = core.reset(&gic, 0);
    for bank in 0..18 {
        // Edge-triggered: 40 to 47, 70 and 287.
        let config = match bank {
            2 => 0xaaaa_0000,
            4 => 0x0000_2000,
            17 => 0x8000_0000,
            _ => 0,
        };
        let _ = gic.write_distributor(0, ICFGR + bank * 4, 4, config);
    }
    let mut reference: BTreeMap<u32, Reference> = BTreeMap::new();
    for intid in all() {
        reference.insert(intid, Reference { enabled: true, ..Reference::default() });
    }
    for _ in 0..if cfg!(miri) { 20 } else { 3000 } {
        let intid = pick(&mut random, &all());
        let state = reference.get_mut(&intid).unwrap();
        match random.usize(..15) {
            14 => change_over(&mut gic, &mut core, &mut reference),
            0 | 1 => {
                let sgi = pick(&mut random, SGI);
                let _ = gic.write_sgi1r(0, sgi1r(sgi, 1));
                reference.get_mut(&sgi).unwrap().latch = true;
            }
            2 | 3 => {
                let kind = if random.usize(..2) == 0 { LEVEL } else { EDGE };
                let spi = pick(&mut random, kind);
                let level = random.usize(..2) == 0;
                let _ = gic.set_spi_level(spi, level);
                let state = reference.get_mut(&spi).unwrap();
                if LEVEL.contains(&spi) {
                    state.line = level;
                } else {
                    state.latch |= level;
                    // A pulse: the next one is an edge again.
                    let _ = gic.set_spi_level(spi, false);
                }
            }
            4 => {
                let ppi = pick(&mut random, HARDWARE);
                let state = reference.get_mut(&ppi).unwrap();
                if !state.physical {
                    gic.raise_hardware(0, ppi);
                    (state.physical, state.latch) = (true, true);
                }
            }
            5 => {
                let _ = write_bit(&gic, 0, ISENABLER, intid);
                state.enabled = true;
            }
            6 if random.usize(..2) == 0 => {
                let _ = write_bit(&gic, 0, ICENABLER, intid);
                state.enabled = false;
            }
            7 if !HARDWARE.contains(&intid) => {
                let _ = write_bit(&gic, 0, ISPENDR, intid);
                state.latch = true;
            }
            8 if !HARDWARE.contains(&intid) => {
                let _ = write_bit(&gic, 0, ICPENDR, intid);
                state.latch = false;
            }
            9 if !state.active => {
                state.priority = (random.u64(..) as u8) & 0xf8;
                set_priority(&gic, 0, intid, state.priority);
            }
            10 | 11 => acknowledge(&mut reference, &mut core),
            _ => end(&mut reference, &mut core),
        }
        let before = core.deactivated.len();
        assert!(core.enter(&gic, 0).is_empty());
        assert!(core.deactivated.len() <= before + 2);
        for intid in core.deactivated.drain(..) {
            let state = reference.get_mut(&intid).unwrap();
            assert!(state.physical && !state.active, "{intid} {state:?}");
            state.physical = false;
        }
        check(&reference, &core);
        let intid = pick(&mut random, &all());
        let state = reference[&intid];
        assert_eq!(read_bit(&gic, 0, ISPENDR, intid, &core), state.latch || state.line, "{intid} {state:?}");
        assert_eq!(read_bit(&gic, 0, ISACTIVER, intid, &core), state.active, "{intid} {state:?}");
    }
    // Everything that was ever raised comes out.
    for intid in all() {
        let _ = write_bit(&gic, 0, ISENABLER, intid);
        if LEVEL.contains(&intid) {
            let _ = gic.set_spi_level(intid, false);
        }
        let state = reference.get_mut(&intid).unwrap();
        (state.enabled, state.line) = (true, false);
    }
    let expected: BTreeSet<_> = reference.iter().filter(|(_, state)| state.latch).map(|(&intid, _)| intid).collect();
    let handled = core.drain(&gic, 0);
    assert_eq!(handled.len(), expected.len(), "{handled:?} {expected:?}");
    assert_eq!(handled.into_iter().collect::<BTreeSet<_>>(), expected);
    let held = reference.iter().filter(|(_, state)| state.physical).map(|(&intid, _)| intid);
    assert!(held.eq(core.deactivated.iter().copied().collect::<BTreeSet<_>>()));
}

/// What was raised; SGIs by target.
#[derive(Debug, Default)]
struct Waiting {
    /// Not acknowledged since it was last raised.
    lost: BTreeSet<(u32, usize)>,
    /// How often it was raised, less how often it was acknowledged. Two that are raised before the first is
    /// acknowledged may come as one, or, if the first was on its way to another core, as two.
    surplus: BTreeMap<(u32, usize), u32>,
}

impl Waiting {
    fn raise(&mut self, intid: u32, target: usize) {
        self.lost.insert((intid, target));
        *self.surplus.entry((intid, target)).or_default() += 1;
    }

    fn acknowledge(&mut self, intid: u32, vcpu: usize) {
        let key = (intid, if intid < 32 { vcpu } else { 0 });
        let surplus = self.surplus.get_mut(&key).unwrap();
        *surplus = surplus.checked_sub(1).expect("acknowledged more often than raised");
        self.lost.remove(&key);
    }
}

/// Three vCPUs whose cores get to their flushes in any order, while SPIs are routed to and fro.
#[test]
fn three_vcpus() {
    for lrs in [1, 4] {
        for seed in 1..=if cfg!(miri) { 1 } else { 40 } {
            run_three(lrs, seed);
        }
    }
}

fn run_three(lrs: usize, seed: u64) {
    let mut random = Rng::with_seed(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let mut gic = enabled(3);
    for bank in 2..18 {
        let _ = gic.write_distributor(0, ICFGR + bank * 4, 4, !0);
    }
    let mut cores: Vec<_> = (0..3).map(|_| Core::new(lrs)).collect();
    let mut kicked = [true; 3];
    let mut waiting = Waiting::default();
    for _ in 0..if cfg!(miri) { 20 } else { 4000 } {
        let vcpu = random.usize(..3);
        let spi = pick(&mut random, EDGE);
        if random.usize(..50) == 0 {
            move_all(&mut gic, &mut cores);
            kicked = [true; 3];
        }
        // The vCPU is in the hypervisor now, so it enters afterwards.
        let kick = match random.usize(..8) {
            0 | 1 => {
                let (sgi, target) = (pick(&mut random, SGI), random.usize(..3));
                waiting.raise(sgi, target);
                gic.write_sgi1r(vcpu, sgi1r(sgi, 1 << target))
            }
            2 | 3 => {
                waiting.raise(spi, 0);
                write_bit(&gic, vcpu, ISPENDR, spi)
            }
            4 => gic.write_distributor(vcpu, IROUTER + u64::from(spi) * 8, 8, random.usize(..3) as u64),
            5 => gic.write_distributor(vcpu, IPRIORITYR + u64::from(spi), 1, random.u64(..) & 0xff),
            6 => write_bit(&gic, vcpu, if random.usize(..2) == 0 { ISENABLER } else { ICENABLER }, spi),
            _ => VcpuSet::EMPTY,
        };
        for other in kick {
            kicked[other] = true;
        }
        for (other, kicked) in kicked.iter().enumerate() {
            assert!(other == vcpu || *kicked || !gic.needs_flush(other), "vCPU {other} was not told");
        }
        for other in [vcpu, random.usize(..3)] {
            if other == vcpu || kicked[other] || cores[other].maintenance() {
                for next in cores[other].enter(&gic, other) {
                    kicked[next] = true;
                }
                kicked[other] = false;
            }
        }
        let mut held: Vec<_> = cores.iter().flat_map(|core| core.valid()).filter(|&intid| intid >= 32).collect();
        let count = held.len();
        held.sort();
        held.dedup();
        assert_eq!(held.len(), count, "an SPI in the list registers of two vCPUs: {cores:x?}");
        let vcpu = random.usize(..3);
        let core = &mut cores[vcpu];
        match random.usize(..3) {
            0 => {
                if let Some(intid) = core.acknowledge() {
                    waiting.acknowledge(intid, vcpu);
                }
            }
            1 => {
                core.end();
            }
            _ => {}
        }
    }
    for spi in EDGE {
        for other in write_bit(&gic, 0, ISENABLER, *spi) {
            kicked[other] = true;
        }
    }
    let mut idle = 0;
    while idle < 3 {
        idle = 0;
        for (vcpu, core) in cores.iter_mut().enumerate() {
            let handled = core.drain(&gic, vcpu);
            idle += usize::from(handled.is_empty());
            for intid in handled {
                waiting.acknowledge(intid, vcpu);
            }
        }
    }
    assert!(waiting.lost.is_empty(), "{waiting:?}");
}
