//! Random SGIs between vCPUs against a reference that knows each pair of sender and receiver by itself.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::*;

const VCPUS: usize = 3;

/// SGI, sender, receiver.
type Sgi = (u32, u32, usize);

/// Every vCPU gets to its flush in any order, and takes and ends what it likes; SPIs come in between.
#[test]
fn sgis_by_sender() {
    for lrs in [1, 2, 4] {
        for seed in 1..=if cfg!(miri) { 1 } else { 12 } {
            run(lrs, seed);
        }
    }
}

fn run(lrs: usize, seed: u64) {
    let mut random = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut gic = enabled(VCPUS);
    let mut cores: [Core; VCPUS] = std::array::from_fn(|_| Core::v2(lrs));
    let mut kicked = [true; VCPUS];
    let mut pending: BTreeSet<Sgi> = BTreeSet::new();
    for _ in 0..if cfg!(miri) { 15 } else { 4000 } {
        if random.usize(..50) == 0 {
            move_all(&mut gic, &mut cores);
            kicked = [true; VCPUS];
        }
        let vcpu = random.usize(..VCPUS);
        let (sgi, other) = ([0, 1, 7, 8, 15][random.usize(..5)], random.usize(..VCPUS));
        let kick = match random.usize(..10) {
            0..=2 => {
                pending.insert((sgi, vcpu as u32, other));
                write(&gic, vcpu, SGIR, sgir(sgi, 1 << other))
            }
            3 => {
                pending.extend((0..VCPUS).filter(|&target| target != vcpu).map(|target| (sgi, vcpu as u32, target)));
                write(&gic, vcpu, SGIR, 1 << 24 | u64::from(sgi))
            }
            4 => {
                pending.insert((sgi, other as u32, vcpu));
                write_byte(&gic, vcpu, SPENDSGIR + u64::from(sgi), 1 << other)
            }
            5 => {
                pending.remove(&(sgi, other as u32, vcpu));
                write_byte(&gic, vcpu, CPENDSGIR + u64::from(sgi), 1 << other)
            }
            6 => write_byte(&gic, vcpu, IPRIORITYR + u64::from(sgi), random.u64(..) as u8),
            7 => write(&gic, vcpu, ISPENDR + 4, 1 << random.usize(..4)),
            8 => write_byte(&gic, vcpu, ITARGETSR + 32 + random.usize(..4) as u64, 1 << other),
            _ => VcpuSet::EMPTY,
        };
        kick.for_each(|other| kicked[other] = true);
        for (other, kicked) in kicked.iter().enumerate() {
            assert!(other == vcpu || *kicked || !gic.needs_flush(other), "vCPU {other} was not told");
        }
        // The vCPU was in the hypervisor, and enters the guest now; so does another one that is told to look.
        for other in [vcpu, random.usize(..VCPUS)] {
            if other == vcpu || kicked[other] || cores[other].maintenance() {
                cores[other].enter(&gic, other).for_each(|next| kicked[next] = true);
                kicked[other] = gic.needs_flush(other);
            }
        }
        check(&gic, vcpu, &cores[vcpu], &pending);
        let core = &mut cores[vcpu];
        match random.usize(..3) {
            0 => {
                if let Some((intid, sender)) = core.acknowledge_v2()
                    && intid < 16
                {
                    assert!(pending.remove(&(intid, sender, vcpu)), "{intid} from {sender} was not pending");
                }
            }
            1 => _ = core.end(),
            _ => {}
        }
    }
    // Everything that is pending comes, once.
    let mut idle = 0;
    while idle < VCPUS {
        idle = 0;
        for (vcpu, core) in cores.iter_mut().enumerate() {
            let taken = drain(core, &gic, vcpu);
            idle += usize::from(taken.is_empty());
            for (intid, sender) in taken.into_iter().filter(|&(intid, _)| intid < 16) {
                assert!(pending.remove(&(intid, sender, vcpu)), "{intid} from {sender} was not pending");
            }
        }
    }
    assert!(pending.is_empty(), "{pending:?}");
}

/// The registers of a vCPU that has just entered show what the reference has.
fn check(gic: &Vgic, vcpu: usize, core: &Core, pending: &BTreeSet<Sgi>) {
    for sgi in 0..16 {
        let expected: u64 = pending
            .iter()
            .filter(|(n, _, target)| (*n, *target) == (sgi, vcpu))
            .map(|(_, sender, _)| 1u64 << sender)
            .sum();
        let offset = u64::from(sgi);
        let shown = gic.read_gicv2_distributor(vcpu, SPENDSGIR + offset, 1, core);
        assert_eq!(shown, expected, "SGI {sgi} of vCPU {vcpu}");
        assert_eq!(read_on(gic, vcpu, ISPENDR, core) >> sgi & 1, u64::from(expected != 0));
    }
}
