//! Which caches this core has, as EL1 asks for them (Arm ARM, D24.2.24, D24.2.27, D24.2.33).

use crate::registers::{CLIDR_EL1, CSSELR_EL1, Readable, govern};
use crate::{barrier, read_sysreg};

/// The widest ways and sets of CCSIDR_EL1 without FEAT_CCIDX.
const NARROW: [u64; 2] = [0x3ff, 0x7fff];

/// CLIDR_EL1 of this core.
pub fn levels() -> u64 {
    CLIDR_EL1.get()
}

/// CSSELR_EL1 of this core, which is the guest's.
pub fn selection() -> u64 {
    CSSELR_EL1.get()
}

/// Sets CSSELR_EL1 of this core to what its guest has written.
pub fn select(cache: u64) {
    // SAFETY: a register of EL1 that says what another one shows.
    unsafe {
        govern(CSSELR_EL1, cache);
    }
    // CCSIDR_EL1 shows that cache behind it only (Arm ARM, D24.1.2.2).
    barrier::isb();
}

/// CCSIDR_EL1 of this core, of the cache that its guest has [selected](select), in the format of FEAT_CCIDX if it is to be `wide`.
/// Zero if there is no such cache: the core may have an exception then instead of a value (Arm ARM, CCSIDR_EL1, "accessing").
pub fn size(wide: bool) -> u64 {
    if !is_there(levels(), selection()) {
        return 0;
    }
    // ID_AA64MMFR2_EL1.CCIDX.
    let is_wide = read_sysreg!("s3_0_c0_c7_2") >> 20 & 0xf != 0;
    convert(read_sysreg!("ccsidr_el1"), is_wide, wide)
}

/// Whether there is the cache that `selection`, of CSSELR_EL1, names, where CLIDR_EL1 is `levels`.
fn is_there(levels: u64, selection: u64) -> bool {
    let (instructions, level, tags) = (selection & 1 != 0, selection >> 1 & 7, selection >> 4 & 1 != 0);
    // CLIDR_EL1.Ctype<n>, of seven levels: 0, which those above the last one have, is no cache.
    let kind = if level < 7 { levels >> (3 * level) & 7 } else { 0 };
    match kind {
        // Instructions, data, both apart, both in one. Of a cache of tags nobody is told.
        1 => instructions,
        2 | 4 => !instructions && !tags,
        3 => instructions || !tags,
        _ => false,
    }
}

/// A CCSIDR_EL1 in another format: what does not fit is the most that does.
fn convert(size: u64, is_wide: bool, wide: bool) -> u64 {
    let line = size & 7;
    let [ways, sets] = if is_wide {
        [size >> 3 & 0x1f_ffff, size >> 32 & 0xff_ffff]
    } else {
        [size >> 3 & 0x3ff, size >> 13 & 0x7fff]
    };
    match (is_wide, wide) {
        (true, true) | (false, false) => size,
        (false, true) => line | ways << 3 | sets << 32,
        (true, false) => line | ways.min(NARROW[0]) << 3 | sets.min(NARROW[1]) << 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    /// 1 MiB in 16 ways of 1024 sets, and lines of 64 bytes.
    const CACHE: [u64; 2] = [2 | 15 << 3 | 1023 << 13, 2 | 15 << 3 | 1023 << 32];

    #[test]
    fn a_size_is_told_in_the_format_that_is_expected() {
        let [narrow, wide] = CACHE;
        assert_eq!([convert(narrow, false, false), convert(wide, true, false)], [narrow; 2]);
        assert_eq!([convert(narrow, false, true), convert(wide, true, true)], [wide; 2]);
        let largest = 7 | 0x1f_ffff << 3 | 0xff_ffff << 32;
        assert_eq!(convert(largest, true, false), 7 | 0x3ff << 3 | 0x7fff << 13);
    }

    #[test]
    fn this_core_says_which_format_it_has() {
        fake::set("ccsidr_el1", CACHE[1]);
        fake::set("s3_0_c0_c7_2", 1 << 20);
        fake::set("clidr_el1", 0x0a20_0023);
        select(2);
        assert_eq!((levels(), selection()), (0x0a20_0023, 2));
        assert_eq!([size(false), size(true)], CACHE);
    }

    /// Each selection of each level and kind: what is not there has no size, and is not read.
    #[test]
    fn a_cache_that_is_not_there_has_no_size() {
        // By Ctype: whether there are data and instructions.
        const KINDS: [[bool; 2]; 8] = [
            [false, false],
            [false, true],
            [true, false],
            [true, true],
            [true, false],
            [false, false],
            [false, false],
            [false, false],
        ];
        fake::set("ccsidr_el1", CACHE[0]);
        fake::set("s3_0_c0_c7_2", 0);
        for (kind, there) in (0_u64..).zip(KINDS) {
            for level in 0..7_u64 {
                // Behind the kinds stand LoUIS, LoC, LoUU, ICB and Ttype.
                fake::set("clidr_el1", 0xff_ffff_ffe0_0000 | kind << (3 * level));
                for selection in 0..32_u64 {
                    select(selection);
                    let (side, of, tags) = ((selection & 1) as usize, selection >> 1 & 7, selection & 0x11 == 0x10);
                    let known = of == level && there[side] && !tags;
                    assert_eq!(size(false), if known { CACHE[0] } else { 0 }, "{kind} {level} {selection:#x}");
                }
            }
        }
    }
}
