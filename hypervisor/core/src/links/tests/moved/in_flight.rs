//! VMs that are saved at any point of random work at all of their links, and restored: what is in flight arrives once.

use super::traffic::World;
use crate::links::tests::guest::Random;
use portcullis_vgic::GicVersion;

/// How often the VM is moved on one machine, and how many machines there are of each kind.
const MOVES: u64 = 125;

/// Moves a VM again and again while it works, on a machine whose drivers have accepted `features`.
fn moves(gic: GicVersion, features: u64, seed: u64) {
    let mut world = World::new(gic, features, Random(seed));
    for round in 0..MOVES {
        let steps = world.random.below(10);
        (0..steps).for_each(|_| world.step());
        world.moves();
        if round % 8 == 7 {
            world.settle();
        }
    }
    world.settle();
    assert!(world.counts.iter().all(|count| *count > MOVES / 2), "all of it was at work: {:?}", world.counts);
}

/// VIRTIO_F_INDIRECT_DESC and VIRTIO_F_EVENT_IDX (virtio 1.2, section 6).
const INDIRECT: u64 = 1 << 28;
const EVENT_INDEX: u64 = 1 << 29;

#[test]
fn in_flight_by_plain_queues() {
    moves(GicVersion::V3, 0, 0x9e37_79b9_7f4a_7c15);
    moves(GicVersion::V2, 0, 0x2545_f491_4f6c_dd1d);
}

#[test]
fn in_flight_by_tables() {
    moves(GicVersion::V3, INDIRECT, 0x1234_5678_9abc_def1);
    moves(GicVersion::V2, INDIRECT, 0x6c62_272e_07bb_0142);
}

#[test]
fn in_flight_by_event_indices() {
    moves(GicVersion::V3, EVENT_INDEX, 0xcbf2_9ce4_8422_2325);
    moves(GicVersion::V2, EVENT_INDEX, 0x1000_0000_01b3_0001);
}

#[test]
fn in_flight_by_both() {
    moves(GicVersion::V3, INDIRECT | EVENT_INDEX, 0xaf63_bd4c_8601_b7df);
    moves(GicVersion::V2, INDIRECT | EVENT_INDEX, 0x0bad_cafe_dead_beef);
}
