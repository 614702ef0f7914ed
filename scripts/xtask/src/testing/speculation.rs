//! Exception returns in the hypervisor's code: behind each is a barrier to speculation.

use anyhow::{Result, bail};

/// ERET, ERETAA, ERETAB (Arm ARM, C6.2).
const RETURNS: [u32; 3] = [0xd69f_03e0, 0xd69f_0bff, 0xd69f_0fff];
/// SB.
const SB: u32 = 0xd503_30ff;
/// DSB of any kind but SSBB and PSSBB, which order less (CRm 0 and 4): CRm stands in bits 11:8.
const DSB: u32 = 0xd503_309f;
const DSB_MASK: u32 = 0xffff_f0ff;
/// ISB SY.
const ISB: u32 = 0xd503_3fdf;

/// CLRBHB, a hint (Arm ARM, C6.2).
const CLRBHB: u32 = 0xd503_22df;
/// CFP RCTX of x0: SYS #3, C7, C3, #4 (Arm ARM, C5.6).
const CFP_RCTX: u32 = 0xd50b_7380;
/// Within how many instructions from CLRBHB on its vector has gone on: ISB, what is loaded again or read, and the branch.
const LEFT: usize = 4;
/// Within how many from the first CFP RCTX on the barrier behind the second one comes.
const RESTRICTION: usize = 8;
/// Bytes of a vector, and which of a table are entered from AArch64 state at a lower level (Arm ARM, D1.3.1).
const VECTOR: u64 = 128;
const FROM_AARCH64: core::ops::Range<u64> = 8..12;

/// An instruction with its address.
pub type Instruction = (u64, u32);

/// Looks that what follows each exception return in memory is SB, or DSB and ISB: a core may execute by speculation what comes
/// behind a branch that is always taken (Arm, "Straight-line speculation"). Returns how many there are.
///
/// # Errors
///
/// There is none, or one without a barrier, whose address is told.
pub fn barriers(code: &[Instruction]) -> Result<usize> {
    let mut found = 0;
    for (place, &(address, _)) in code.iter().enumerate().filter(|(_, (_, word))| RETURNS.contains(word)) {
        let word = |ahead: usize| match code.get(place + ahead) {
            Some(&(at, word)) if at == address + 4 * ahead as u64 => word,
            _ => 0,
        };
        if word(1) != SB && !(is_dsb(word(1)) && word(2) == ISB) {
            bail!(
                "the ERET at {address:#x} is followed by {:08x} {:08x}: neither SB nor DSB and ISB",
                word(1),
                word(2)
            );
        }
        found += 1;
    }
    match found {
        0 => bail!("there is no ERET in the image: nothing was looked at"),
        found => Ok(found),
    }
}

/// Looks at what no core that QEMU has needs, so that none of its machines executes it: CLRBHB begins each vector of the table at
/// `table` that an exception from AArch64 state in a guest enters, in front of every branch, and there is CFP RCTX. Returns how
/// many vectors and how many CFP RCTX there are.
///
/// # Errors
///
/// A vector that branches first, or there is no CFP RCTX.
pub fn predictor(code: &[Instruction], table: u64) -> Result<(usize, usize)> {
    for vector in FROM_AARCH64 {
        let start = table + vector * VECTOR;
        let body = code.iter().skip_while(|(at, _)| *at < start).take_while(|(at, _)| *at < start + VECTOR);
        let first = body.map(|(_, word)| *word).find(|word| *word == CLRBHB || is_branch(*word));
        if first != Some(CLRBHB) {
            bail!("the vector at {start:#x} does not begin with CLRBHB: {first:x?}");
        }
        // What docs/numbers.md says of it: it and a barrier, and the vector goes on.
        let means = code.iter().skip_while(|(at, word)| *at < start || *word != CLRBHB).map(|(_, word)| *word);
        if means.clone().nth(1) != Some(ISB) || !means.take(LEFT).any(is_branch) {
            bail!("in the vector at {start:#x} more than an ISB belongs to CLRBHB");
        }
    }
    let restrictions: Vec<usize> =
        code.iter().enumerate().filter(|(_, (_, word))| word & !31 == CFP_RCTX).map(|(place, _)| place).collect();
    // One for EL1 and one for EL0, and a barrier for both.
    for pair in restrictions.chunks(2) {
        let whole = pair.first().and_then(|place| code.get(*place..)?.get(..RESTRICTION));
        if pair.len() != 2 || !whole.is_some_and(|words| words.iter().any(|(_, word)| is_dsb(*word))) {
            bail!("a CFP RCTX is not one of two with a DSB behind them");
        }
    }
    match restrictions.len() {
        0 => bail!("there is no CFP RCTX in the image"),
        count => Ok((FROM_AARCH64.count(), count)),
    }
}

/// B, BL, B.cond, BC.cond, CBZ, CBNZ, TBZ, TBNZ, BR, BLR, RET (Arm ARM, C4.1.93).
fn is_branch(word: u32) -> bool {
    let unconditional = word >> 26 & 0b1_1111 == 0b0_0101;
    let conditional = word >> 24 == 0x54 || matches!(word >> 25 & 0x3f, 0b01_1010 | 0b01_1011);
    let register = word >> 25 == 0b110_1011;
    unconditional || conditional || register
}

fn is_dsb(word: u32) -> bool {
    word & DSB_MASK == DSB && !matches!(word >> 8 & 0xf, 0 | 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOP: u32 = 0xd503_201f;
    const B: u32 = 0x1400_0002;
    const DSB_NSH: u32 = 0xd503_379f;

    fn code(words: &[u32]) -> Vec<Instruction> {
        (0x1000u64..).step_by(4).zip(words.iter().copied()).collect()
    }

    #[test]
    fn a_barrier_behind_each_is_enough() {
        let words = [NOP, RETURNS[0], SB, RETURNS[1], DSB_NSH, ISB, NOP, RETURNS[2], 0xd503_3f9f, ISB];
        assert_eq!(barriers(&code(&words)).unwrap(), 3);
    }

    #[test]
    fn whatever_else_follows_is_told() {
        // Nothing, one of the two, the other order, DMB, SSBB.
        for rest in [&[][..], &[DSB_NSH], &[DSB_NSH, NOP], &[ISB, DSB_NSH], &[0xd503_3bbf, ISB], &[0xd503_309f, ISB]] {
            let words: Vec<u32> = [NOP, RETURNS[0]].into_iter().chain(rest.iter().copied()).collect();
            let error = barriers(&code(&words)).unwrap_err().to_string();
            assert!(error.contains("the ERET at 0x1004 is followed by"), "{error}");
        }
    }

    #[test]
    fn what_lies_elsewhere_does_not_follow() {
        assert!(barriers(&[(0x1000, RETURNS[0]), (0x2000, SB)]).is_err());
        assert!(barriers(&code(&[NOP])).unwrap_err().to_string().contains("no ERET"));
    }

    #[test]
    fn a_vector_clears_the_history_before_it_branches() {
        let table = |vector: &[u32]| {
            let mut words = vec![0; 512];
            for number in FROM_AARCH64 {
                words[number as usize * 32..][..4].copy_from_slice(&[NOP, CLRBHB, ISB, B]);
            }
            words[10 * 32..][..vector.len()].copy_from_slice(vector);
            words.extend([CFP_RCTX | 7, NOP, CFP_RCTX | 8, DSB_NSH, NOP, NOP, NOP, NOP]);
            words
        };
        assert_eq!(predictor(&code(&table(&[NOP, CLRBHB, ISB, B])), 0x1000).unwrap(), (4, 2));
        for first in [B, 0xd61f_0040, 0x3400_0040] {
            assert!(predictor(&code(&table(&[first, CLRBHB, ISB, B])), 0x1000).is_err(), "{first:x}");
        }
        // None, without its barrier, and with more behind it.
        for vector in
            [&[NOP, NOP, ISB, B][..], &[NOP, CLRBHB, B], &[NOP, CLRBHB, NOP, ISB, B], &[CLRBHB, ISB, NOP, NOP, B]]
        {
            assert!(predictor(&code(&table(vector)), 0x1000).is_err(), "{vector:x?}");
        }
        for lost in [8, 6, 5] {
            let mut words = table(&[NOP, CLRBHB, ISB, B]);
            let left = words.len() - lost;
            words.truncate(left);
            words.extend([NOP; 8]);
            assert!(predictor(&code(&words), 0x1000).unwrap_err().to_string().contains("CFP RCTX"), "{lost}");
        }
    }

    #[test]
    fn branches_are_told_from_other_instructions() {
        for word in [
            B,
            0x9400_0001,
            0x5400_0041,
            0xb400_0040,
            0x3500_0040,
            0x3600_0040,
            0xb700_0040,
            0xd61f_0040,
            0xd63f_0040,
            0xd65f_03c0,
        ] {
            assert!(is_branch(word), "{word:x}");
        }
        for word in [NOP, DSB_NSH, ISB, SB, CLRBHB, CFP_RCTX, 0xa900_07e0, 0xd53b_d042, 0xd400_0003] {
            assert!(!is_branch(word), "{word:x}");
        }
    }
}
