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

fn is_dsb(word: u32) -> bool {
    word & DSB_MASK == DSB && !matches!(word >> 8 & 0xf, 0 | 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOP: u32 = 0xd503_201f;
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
}
