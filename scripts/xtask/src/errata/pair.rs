//! What a pair is: a load or store, and right behind it a 64-bit multiply-accumulate that does not take what was loaded. One that
//! does waits for it, and is right (so has it GNU ld, `aarch64_erratum_sequence`).

/// XZR.
const ZERO: u32 = 31;

/// A register's number in a word, whose lowest bit is `shift`.
const fn register(word: u32, shift: u32) -> u32 {
    word >> shift & 0x1f
}

/// MADD, MSUB, SMADDL, SMSUBL, UMADDL or UMSUBL of 64 bits that adds something (Arm ARM, C4.1.97).
pub const fn is_multiply_accumulate(word: u32) -> bool {
    word & 0xff00_0000 == 0x9b00_0000 && matches!(word >> 21 & 7, 0 | 1 | 5) && register(word, 10) != ZERO
}

/// The registers that it takes.
pub fn sources(word: u32) -> [u32; 3] {
    [5, 16, 10].map(|shift| register(word, shift))
}

/// A load, store or prefetch (C4.1, op0 x1x0).
pub const fn is_access(word: u32) -> bool {
    word & 0x0a00_0000 == 0x0800_0000
}

/// A load or store of one or two general registers, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// It loads.
    pub loads: bool,
    /// It has two registers.
    pub is_pair: bool,
    /// It changes its base.
    pub writes_back: bool,
    /// Its offset is in a register.
    pub has_index: bool,
    /// Its address is relative to its own.
    pub is_literal: bool,
}

/// Which of the common loads and stores `word` is: of a general register or two, without a meaning for other cores. None: another
/// access, or none at all.
pub const fn plain(word: u32) -> Option<Plain> {
    if word >> 26 & 1 != 0 {
        return None;
    }
    match word >> 27 & 0b111 {
        // A pair (C4.1.94): 00 does without allocation, 01 and 11 write back.
        0b101 => {
            let writes_back = word >> 23 & 1 != 0;
            Some(Plain { loads: word >> 22 & 1 != 0, is_pair: true, writes_back, has_index: false, is_literal: false })
        }
        // By the program counter; opc 11 is a prefetch.
        0b011 if word >> 24 & 1 == 0 && word >> 30 != 0b11 => {
            Some(Plain { loads: true, is_pair: false, writes_back: false, has_index: false, is_literal: true })
        }
        0b111 => {
            let opc = word >> 22 & 0b11;
            let is_prefetch = word >> 30 == 0b11 && opc == 0b10;
            let has_unsigned_offset = word >> 24 & 1 != 0;
            // Without one: bit 21 is set of an offset in a register, which has bits 11:10 10, and of atomics; clear, bits 11:10 say
            // unscaled (00), post-indexed (01), unprivileged (10), pre-indexed (11).
            let (bit_21, form) = (word >> 21 & 1 != 0, word >> 10 & 0b11);
            if is_prefetch || !has_unsigned_offset && (bit_21 && form != 0b10 || !bit_21 && form == 0b10) {
                return None;
            }
            let writes_back = !has_unsigned_offset && !bit_21 && form & 1 != 0;
            let has_index = !has_unsigned_offset && bit_21;
            Some(Plain { loads: opc != 0, is_pair: false, writes_back, has_index, is_literal: false })
        }
        _ => None,
    }
}

/// Whether the two, in this order, are a pair that may go wrong.
pub fn is_pair(first: u32, second: u32) -> bool {
    if !is_access(first) || !is_multiply_accumulate(second) {
        return false;
    }
    let waits = plain(first).is_some_and(|access| {
        let loaded = [Some(register(first, 0)), access.is_pair.then_some(register(first, 10))];
        let takes = |loaded: u32| loaded != ZERO && sources(second).contains(&loaded);
        access.loads && loaded.into_iter().flatten().any(takes)
    });
    !waits
}

/// Whether the two of a pair do the same in the other order.
pub fn may_change_places(first: u32, second: u32) -> bool {
    let Some(access) = plain(first) else { return false };
    let named = [(true, 0), (true, 5), (access.is_pair, 10), (access.has_index, 16)];
    let names = |wanted: u32| named.iter().any(|(is_named, shift)| *is_named && register(first, *shift) == wanted);
    let base = register(first, 5);
    let moves_base = access.writes_back && sources(second).contains(&base);
    !(access.is_literal || names(register(second, 0)) || moves_base)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// madd x0, x1, x2, x3.
    const MADD: u32 = 0x9b02_0c20;
    /// str x8, [sp].
    const STR: u32 = 0xf900_03e8;

    #[test]
    fn multiplications_that_add_are_known() {
        // msub x8, x8, x9, x28; umaddl x12, w12, w13, x1; smaddl x10, w2, w14, x29; umsubl x0, w1, w2, x3; smsubl.
        for word in [MADD, 0x9b09_f108, 0x9bad_058c, 0x9b2e_744a, 0x9ba2_8c20, 0x9b22_8c20] {
            assert!(is_multiply_accumulate(word) && is_pair(STR, word), "{word:08x}");
        }
        // mul x0, x1, x2; madd w0, w1, w2, w3; umulh x0, x1, x2; smulh x0, x1, x2; add x0, x1, x2.
        for word in [0x9b02_7c20, 0x1b02_0c20, 0x9bc2_7c20, 0x9b42_7c20, 0x8b02_0020] {
            assert!(!is_multiply_accumulate(word) && !is_pair(STR, word), "{word:08x}");
        }
    }

    #[test]
    fn one_that_takes_what_is_loaded_is_no_pair() {
        // ldr x1, [x9]; ldrb w2, [x9, x4]; ldrsw x3, [x9], #4; ldp x9, x3, [x8]; ldr x1, literal.
        for word in [0xf940_0121, 0x3864_6922, 0xb880_4523, 0xa940_0d09, 0x5800_0041] {
            assert!(is_access(word) && !is_pair(word, MADD), "{word:08x}");
        }
        // ldr x4, [x9]; ldp x4, x5, [x8]; str x1, [x9]; stp x1, x2, [x9]; prfm pldl1keep, [x1]; ldxr x1, [x9]; ldadd x5, x1, [x9]:
        // the last two are not looked into. And ldr q1, [x9]: another register 1.
        for word in
            [0xf940_0124, 0xa940_1504, 0xf900_0121, 0xa900_0921, 0xf980_0020, 0xc85f_7d21, 0xf825_0121, 0x3dc0_0121]
        {
            assert!(is_pair(word, MADD), "{word:08x}");
        }
        // add x1, x1, #1; b .; nop.
        for word in [0x9100_0421, 0x1400_0000, 0xd503_201f] {
            assert!(!is_pair(word, MADD), "{word:08x}");
        }
    }

    #[test]
    fn what_may_change_places() {
        // str x8, [sp]; ldr x4, [x9]; stp x5, x6, [x7]; ldr x4, [x9], #8.
        for word in [STR, 0xf940_0124, 0xa900_18e5, 0xf840_8524] {
            assert!(is_pair(word, MADD) && may_change_places(word, MADD), "{word:08x}");
        }
        // str x0, [sp]; str x8, [x0]; ldr x0, [x9]; str x8, [x9, x0]; stp x5, x0, [x7]: what is multiplied is in their way. ldr x4,
        // [x1], #8 and str x4, [x1, #8]!: they are in its way. ldr x4, literal; prfm; ldxr; ldadd; ldr q4: are left where they are.
        for word in [
            0xf900_03e0,
            0xf900_0008,
            0xf940_0120,
            0xf820_6928,
            0xa900_00e5,
            0xf840_8424,
            0xf800_8c24,
            0x5800_0044,
            0xf980_0080,
            0xc85f_7d24,
            0xf825_0124,
            0x3dc0_0124,
        ] {
            assert!(!may_change_places(word, MADD), "{word:08x}");
        }
    }
}
