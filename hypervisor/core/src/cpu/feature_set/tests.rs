//! What cores that differ have in common.

use super::*;

fn set(registers: &[(u64, u64, u64)]) -> FeatureSet {
    let set = FeatureSet::new();
    registers.iter().for_each(|&(crm, op2, value)| set.0[number(crm, op2)].store(value, Ordering::Relaxed));
    set
}

fn common(one: &FeatureSet, other: &FeatureSet) -> FeatureSet {
    let common = one.clone();
    common.limit_to(other);
    common
}

/// Of any number of cores in any order, and twice, the same is found.
#[test]
fn the_order_of_cores_does_not_matter() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..if cfg!(miri) { 2 } else { 200 } {
        let sets: Vec<FeatureSet> = (0..3)
            .map(|_| {
                let set = FeatureSet::new();
                set.0.iter().for_each(|value| value.store(draw() & draw(), Ordering::Relaxed));
                set
            })
            .collect();
        let [a, b, c] = [0, 1, 2].map(|index| &sets[index]);
        let all = common(&common(a, b), c);
        assert_eq!(all, common(&common(c, b), a));
        assert_eq!(all, common(a, &common(b, c)));
        assert_eq!(all, common(&all, b), "and is no less the second time");
    }
}

#[test]
fn absent_floating_point_and_pages_stay_absent() {
    let has = set(&[(4, 0, 0x0011_0012), (7, 0, 0x0000_1122)]);
    let lacks = set(&[(4, 0, 0x00ff_0012), (7, 0, 0xff00_1122)]);
    assert_eq!(common(&has, &lacks).register(4, 0) & 0xff_0000, 0xff_0000);
    assert_eq!(common(&lacks, &has).register(7, 0) & 0xff00_0000, 0xff00_0000);
}

#[test]
fn pointers_are_signed_by_one_algorithm_or_by_none() {
    // APA 1 and 5 are QARMA5 without and with EnhancedPAC2 and more; API is another algorithm.
    let of = |isar1| set(&[(6, 1, isar1)]);
    assert_eq!(common(&of(0x10), &of(0x10)).register(6, 1), 0x10);
    assert_eq!(common(&of(0x10), &of(0x50)).register(6, 1), 0);
    assert_eq!(common(&of(0x10), &of(0x100)).register(6, 1), 0);
    // A generic key's are not signed by what an address key is.
    assert_eq!(common(&of(0x0100_0010), &of(0x0100_0050)).register(6, 1), 0x0100_0000);
}

/// A Cortex-A53 and a Cortex-A72 as QEMU has them, of a board like the RK3399 or the i.MX8QM, and a Cortex-A55 with a
/// Cortex-A76, as the RK3588 has them.
#[test]
fn boards_of_big_and_little_cores() {
    let a53 = set(&[(4, 0, 0x1100_0000_0000_0012), (6, 0, 0x0001_1120), (7, 0, 0x1121)]);
    let a72 = set(&[(4, 0, 0x1000_0000_0000_0012), (6, 0, 0x0001_1120), (7, 0, 0x1121)]);
    let both = common(&a53, &a72);
    assert_eq!(both.register(4, 0), 0x1000_0000_0000_0012, "CSV2 of one does not hold for both");
    assert_eq!((both.register(6, 0), both.register(7, 0)), (0x0001_1120, 0x1121));
    let a55 = set(&[(4, 0, 0x1100_0000_0111_0012), (6, 0, 0x0000_1000_1021_1120), (6, 1, 0x0010_0001), (7, 2, 0x1011)]);
    let a76 = set(&[(4, 0, 0x1100_0000_0111_0012), (6, 0, 0x0000_1000_1021_1120), (6, 1, 0x0010_0001), (7, 2, 0x1011)]);
    assert_eq!(common(&a55, &a76), a55);
}

/// AArch32's registers mean nothing on a core that has none, whatever they hold there.
#[test]
fn a_core_without_aarch32_takes_it_from_all() {
    let with = set(&[(1, 0, 0x131), (2, 0, 0x0210_1110), (3, 0, 0x1011_0222), (4, 0, 0x12), (6, 0, 0x1_1120)]);
    let without = set(&[(1, 0, 0xdead), (2, 0, 0xffff_ffff), (4, 0, 0x11), (6, 0, 0x1_1120)]);
    let both = common(&with, &without);
    assert!((1..4).all(|crm| (0..8).all(|op2| both.register(crm, op2) == 0)));
    assert_eq!((both.register(4, 0), both.register(6, 0)), (0x11, 0x1_1120));
}

#[test]
fn what_is_left_out_is_said() {
    let little = set(&[(4, 0, 0x12), (6, 0, 0x0001_1120)]);
    let big = set(&[(4, 0, 0x11), (6, 0, 0x0021_1120), (1, 0, 0x131)]);
    let both = common(&little, &big);
    let words = Beyond { common: &both, cores: &[&little, &big] }.to_string();
    // Bits that are not zero on all alike; EL0's AArch32 is the little core's.
    assert_eq!(words, "ID_AA64PFR0_EL1 0xf, ID_AA64ISAR0_EL1 0xf00000, some of AArch32");
    assert_eq!(Beyond { common: &little, cores: &[&little, &little] }.to_string(), "");
}
