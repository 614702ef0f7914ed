//! The order of instructions on which the hypervisor relies and that a compiler, or an edit, could change.

use anyhow::{Result, bail, ensure};

use super::speculation::Instruction;

/// LDAPR, LDAPRB, LDAPRH (Arm ARM, C6.2.142): acquire that a release before it may overtake. Where two cores each write a word of
/// their own and then read the other's, it takes what orders them, LDAR.
const LDAPR: u32 = 0x38bf_c000;
const LDAPR_MASK: u32 = 0x3fff_fc00;
/// LDAPUR and its like (C6.2.145): the same with an offset.
const LDAPUR: u32 = 0x1940_0000;
const LDAPUR_MASK: u32 = 0x3f60_0c00;
/// MSR TCR_EL1 and MSR SCTLR_EL1, whatever register is written (D19.2).
const TCR_EL1: u32 = 0xd518_2040;
const SCTLR_EL1: u32 = 0xd518_1000;
const REGISTER_MASK: u32 = 0xffff_ffe0;
/// ISB SY.
const ISB: u32 = 0xd503_3fdf;
/// How far the two writes of a pair may be apart.
const NEAR: usize = 8;

/// Looks that nothing is loaded by LDAPR. Returns how many instructions there are.
///
/// # Errors
///
/// There is one, whose address is told.
pub fn acquires(code: &[Instruction]) -> Result<usize> {
    let is_weak = |word: u32| word & LDAPR_MASK == LDAPR || word & LDAPUR_MASK == LDAPUR;
    match code.iter().find(|(_, word)| is_weak(*word)) {
        Some((at, word)) => bail!("{word:08x} at {at:#x} is LDAPR: RCpc does not order what the hypervisor relies on"),
        None => Ok(code.len()),
    }
}

/// Looks that between a write of TCR_EL1 and one of SCTLR_EL1 near it, in either order, there is an ISB: else a core could walk
/// a guest's tables by one register of one vCPU and another of the next (Cortex-A72 erratum 1319367). Returns how many pairs
/// there are.
///
/// # Errors
///
/// There is none, or one without an ISB, whose address is told.
pub fn translation_controls(code: &[Instruction]) -> Result<usize> {
    let register = |word: u32| Some(word & REGISTER_MASK).filter(|word| matches!(*word, TCR_EL1 | SCTLR_EL1));
    let mut pairs = 0;
    for (place, (at, word)) in code.iter().enumerate() {
        let Some(first) = register(*word) else { continue };
        let rest = code.iter().skip(place + 1).take(NEAR);
        let Some(apart) = rest.clone().position(|(_, word)| register(*word).is_some_and(|second| second != first))
        else {
            continue;
        };
        ensure!(
            rest.take(apart).any(|(_, word)| *word == ISB),
            "TCR_EL1 and SCTLR_EL1 are written at {at:#x} without an ISB in between"
        );
        pairs += 1;
    }
    ensure!(pairs > 0, "TCR_EL1 and SCTLR_EL1 are not written side by side anywhere: nothing was looked at");
    Ok(pairs)
}

/// TLBI VMALLS12E1, and IC IALLU (C5.5, C5.3).
const FORGET_VM: u32 = 0xd50c_87df;
const FORGET_INSTRUCTIONS: u32 = 0xd508_751f;

/// Looks that where a core forgets a VM's translations it forgets its instructions next. Returns how many places there are.
///
/// # Errors
///
/// There is none, or one that does not, whose address is told.
pub fn instruction_caches(code: &[Instruction]) -> Result<usize> {
    let mut places = 0;
    for (place, (at, _)) in code.iter().enumerate().filter(|(_, (_, word))| *word == FORGET_VM) {
        let next = code.get(place + 1).map(|(_, word)| *word);
        ensure!(next == Some(FORGET_INSTRUCTIONS), "the TLBI VMALLS12E1 at {at:#x} is not followed by IC IALLU");
        places += 1;
    }
    ensure!(places > 0, "there is no TLBI VMALLS12E1: nothing was looked at");
    Ok(places)
}

/// Maintenance that every core of the board takes part in: TLBI of the Inner or Outer Shareable domain (CRn 8 or 9, CRm 1 to 3 or
/// 5; C5.5), IC IALLUIS.
const TLBI: u32 = 0xd508_8000;
const TLBI_MASK: u32 = 0xfff8_e000;
const IC_IALLUIS: u32 = 0xd508_711f;
/// Those that there are, and DSB ISH behind them: TLBI ALLE2IS, as a page is mapped for a moment at boot; TLBI VMALLS12E1IS, as a
/// VM's flash changes what it shows.
const ALLOWED: [u32; 2] = [0xd50c_831f, 0xd50c_83df];
const DSB_ISH: u32 = 0xd503_3b9f;
/// TLBI VAE2IS, whatever register has the address: the crate of tables', before the first of these.
const TLBI_VAE2IS: u32 = 0xd50c_8320;

/// Looks that no code has every core of the board take part in maintenance but where a translation goes that others may use, which
/// two functions do, and that it is done twice there (Cortex-A55 erratum 2441007, Cortex-A76 erratum 1286807). Returns how many
/// such instructions there are.
///
/// # Errors
///
/// There is another one, whose address is told, or one that is not done twice.
pub fn broadcasts(code: &[Instruction]) -> Result<usize> {
    let is_shared = |word: u32| word & TLBI_MASK == TLBI && matches!(word >> 8 & 0xf, 1..=3 | 5);
    let found: Vec<_> =
        code.iter().enumerate().filter(|(_, (_, word))| is_shared(*word) || *word == IC_IALLUIS).collect();
    for (place, (at, word)) in found.iter().filter(|(_, (_, word))| word & REGISTER_MASK != TLBI_VAE2IS) {
        ensure!(ALLOWED.contains(word), "{word:08x} at {at:#x} has every core of the board take part");
        let word_at = |place: usize| code.get(place).map(|(_, word)| *word);
        ensure!(word_at(place + 1) == Some(DSB_ISH), "no DSB ISH is behind the TLBI at {at:#x}");
        let is_again = |other: Option<usize>| other.and_then(word_at) == Some(*word);
        ensure!(is_again(Some(place + 2)) != is_again(place.checked_sub(2)), "the TLBI at {at:#x} is not done twice");
    }
    for allowed in ALLOWED {
        let count = found.iter().filter(|(_, (_, word))| *word == allowed).count();
        ensure!(count != 0, "{allowed:08x} is not there: nothing was looked at");
    }
    Ok(found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOP: u32 = 0xd503_201f;

    fn code(words: &[u32]) -> Vec<Instruction> {
        (0x1000u64..).step_by(4).zip(words.iter().copied()).collect()
    }

    #[test]
    fn weak_acquires_are_found() {
        // ldar x8, [x21]; ldaxr w8, [x0]; ldr x1, [x2].
        assert_eq!(acquires(&code(&[0xc8df_fea8, 0x885f_fc08, 0xf940_0041])).unwrap(), 3);
        // ldapr x0, [x1]; ldapr w0, [x1]; ldaprb w0, [x1]; ldaprh w0, [x1]; ldapur x0, [x1, #8].
        for word in [0xf8bf_c020, 0xb8bf_c020, 0x38bf_c020, 0x78bf_c020, 0xd940_8020] {
            let error = acquires(&code(&[NOP, word])).unwrap_err().to_string();
            assert!(error.contains("at 0x1004 is LDAPR"), "{error}");
        }
    }

    #[test]
    fn instructions_are_forgotten_with_translations() {
        assert_eq!(instruction_caches(&code(&[NOP, FORGET_VM, FORGET_INSTRUCTIONS])).unwrap(), 1);
        let error = instruction_caches(&code(&[FORGET_VM, NOP, FORGET_INSTRUCTIONS])).unwrap_err().to_string();
        assert!(error.contains("at 0x1000 is not followed"), "{error}");
        assert!(instruction_caches(&code(&[FORGET_VM])).is_err() && instruction_caches(&code(&[NOP])).is_err());
    }

    #[test]
    fn maintenance_of_all_cores_is_where_it_is_known() {
        let [el2, vm] = ALLOWED;
        let known = [el2, DSB_ISH, el2, DSB_ISH, NOP, vm, DSB_ISH, vm, DSB_ISH];
        assert_eq!(broadcasts(&code(&known)).unwrap(), 4);
        assert_eq!(broadcasts(&code(&[&known[..], &[TLBI_VAE2IS | 8]].concat())).unwrap(), 5);
        // tlbi vae1is, x0; tlbi vmalle1is; tlbi vmalle1os; tlbi rvae1is, x0; ic ialluis.
        for word in [0xd508_8320, 0xd508_831f, 0xd508_811f, 0xd508_8220, IC_IALLUIS] {
            let error = broadcasts(&code(&[&known[..], &[word, DSB_ISH]].concat())).unwrap_err().to_string();
            assert!(error.contains("at 0x1024 has every core"), "{word:08x}: {error}");
        }
        // tlbi vae2, x0; tlbi vmalls12e1; ic iallu: this core alone.
        let own = [0xd50c_8720, FORGET_VM, FORGET_INSTRUCTIONS];
        assert!(broadcasts(&code(&[&known[..], &own].concat())).is_ok());
        for (words, wrong) in [
            (vec![el2, DSB_ISH, vm, DSB_ISH, vm, DSB_ISH], "not done twice"),
            (vec![el2, el2, DSB_ISH, vm, DSB_ISH, vm, DSB_ISH], "no DSB ISH"),
            (known[..4].to_vec(), "is not there: nothing was looked at"),
        ] {
            let error = broadcasts(&code(&words)).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_barrier_is_between_the_two() {
        let (tcr, sctlr) = (TCR_EL1 | 3, SCTLR_EL1 | 4);
        assert_eq!(translation_controls(&code(&[tcr, ISB, sctlr, NOP, ISB])).unwrap(), 1);
        assert_eq!(translation_controls(&code(&[sctlr, NOP, ISB, NOP, tcr])).unwrap(), 1);
        for words in [&[tcr, sctlr, ISB][..], &[sctlr, NOP, tcr], &[ISB, tcr, NOP, sctlr]] {
            let error = translation_controls(&code(words)).unwrap_err().to_string();
            assert!(error.contains("without an ISB"), "{error}");
        }
        // Far apart, twice the same one, none at all.
        let far: Vec<u32> = [tcr].into_iter().chain([NOP; NEAR]).chain([sctlr]).collect();
        for words in [far, vec![tcr, tcr], vec![NOP]] {
            assert!(translation_controls(&code(&words)).unwrap_err().to_string().contains("nothing was looked at"));
        }
    }
}
