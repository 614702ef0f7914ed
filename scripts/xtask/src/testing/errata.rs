//! Sequences of instructions that Cortex-A53 executes wrongly (Arm, "Cortex-A53 MPCore Software Developers Errata Notice").

/// Offsets of an ADRP in its page at which erratum 843419 can occur.
const PAGE_ENDS: [u64; 2] = [0xff8, 0xffc];

/// The addresses at which a sequence of erratum 843419 begins in code, addresses with instructions: an ADRP in one of the last two
/// words of a page, a load or store that leaves its register alone, and at once or one instruction later a load or store with an
/// unsigned offset from that register. What the linker knows as such is found; a pair that is loaded is none.
pub fn sequences_of_843419(code: &[(u64, u32)]) -> Vec<u64> {
    (0..code.len()).filter_map(|at| begins_843419(code.get(at..)?)).collect()
}

fn begins_843419(code: &[(u64, u32)]) -> Option<u64> {
    let &[(address, adrp), (_, second), (_, third), ref rest @ ..] = code else { return None };
    let register = adrp & 0x1f;
    if !PAGE_ENDS.contains(&(address & 0xfff)) || !is_adrp(adrp) || !is_single_access(second) {
        return None;
    }
    if is_load(second) && second & 0x1f == register || writes_back(second) && base(second) == register {
        return None;
    }
    let uses = |word: u32| is_unsigned_offset(word) && base(word) == register;
    let later = rest.first().is_some_and(|(_, fourth)| !is_branch(third) && uses(*fourth));
    (uses(third) || later).then_some(address)
}

/// ADRP (Arm ARM, C6.2.13).
const fn is_adrp(word: u32) -> bool {
    word & 0x9f00_0000 == 0x9000_0000
}

/// A load or store (C4.1, op0 x1x0) but for a load of a pair.
const fn is_single_access(word: u32) -> bool {
    word & 0x0a00_0000 == 0x0800_0000 && word & 0x3a40_0000 != 0x2840_0000
}

/// A load or store with an unsigned immediate offset (C4.1.94).
const fn is_unsigned_offset(word: u32) -> bool {
    word & 0x3b00_0000 == 0x3900_0000
}

/// A load of one general register.
const fn is_load(word: u32) -> bool {
    let literal = word & 0x3f00_0000 == 0x1800_0000;
    let register = word & 0x3e00_0000 == 0x3800_0000 && word >> 22 & 0b11 != 0;
    literal || register
}

/// A load or store of one register that changes its base: before or after the access.
const fn writes_back(word: u32) -> bool {
    word & 0x3b20_0400 == 0x3800_0400
}

/// A branch, exception or system instruction (C4.1, op0 101x).
const fn is_branch(word: u32) -> bool {
    word & 0x1c00_0000 == 0x1400_0000
}

const fn base(word: u32) -> u32 {
    word >> 5 & 0x1f
}

#[cfg(test)]
mod tests {
    use super::*;

    /// adrp x0; ldr x1, [x2]; ldr x3, [x0, #8].
    const ADRP: u32 = 0x9000_0000;
    const LOAD: u32 = 0xf940_0041;
    const USE: u32 = 0xf940_0403;
    const NOP: u32 = 0xd503_201f;
    /// add x4, x4, #1.
    const ADD: u32 = 0x9100_0484;

    fn sequences(start: u64, words: &[u32]) -> Vec<u64> {
        sequences_of_843419(&(start..).step_by(4).zip(words.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn sequences_are_found_at_the_ends_of_pages_only() {
        for (start, expected) in [(0x1ff8, vec![0x1ff8]), (0x1ffc, vec![0x1ffc]), (0x1ff4, vec![]), (0x2000, vec![])] {
            assert_eq!(sequences(start, &[ADRP, LOAD, USE]), expected, "{start:#x}");
        }
        assert_eq!(sequences(0xff0, &[ADD, ADD, ADRP, LOAD, ADD, USE]), [0xff8]);
    }

    #[test]
    fn what_is_none_is_not_found() {
        let at_end = |words: &[u32]| !sequences(0xff8, words).is_empty();
        // str x1, [x2] and stp x1, x3, [x2] are as bad as a load.
        assert!(at_end(&[ADRP, 0xf900_0041, USE]) && at_end(&[ADRP, 0xa900_0c41, USE]));
        // ldp x1, x3, [x2]; ldr x0, [x2]: another register; ldr x1, [x0], #8: the base has changed.
        assert!(
            !at_end(&[ADRP, 0xa940_0c41, USE])
                && !at_end(&[ADRP, 0xf940_0040, USE])
                && !at_end(&[ADRP, 0xf840_8401, USE])
        );
        // Another base; no access in between; a branch before the last one.
        assert!(!at_end(&[ADRP, LOAD, LOAD]) && !at_end(&[ADRP, ADD, USE]));
        assert!(!at_end(&[ADRP, LOAD, 0x1400_0001, USE]) && !at_end(&[ADRP, LOAD, NOP, LOAD]) && !at_end(&[ADRP]));
        assert!(!at_end(&[0x1000_0000, LOAD, USE]), "ADR");
    }
}
