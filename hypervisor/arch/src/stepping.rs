//! Where a guest goes on behind an instruction that EL2 has emulated, as if the core had executed it.
//!
//! The exception left PSTATE as it was before the instruction. What executes clears PSTATE.SS, so that a debugger's single step
//! ends behind it (Arm ARM, D2.12.4), sets PSTATE.BTYPE to zero (D8.4.5), and in T32 advances PSTATE.IT (F1.7.2).

use crate::el2;

/// SPSR_EL2.M\[4\]: the guest was in AArch32.
const AARCH32: u64 = 1 << 4;
/// SPSR_EL2.T of AArch32: in T32.
const T32: u64 = 1 << 5;
/// SPSR_EL2.BTYPE of AArch64.
const BTYPE: u64 = 0b11 << 10;
/// SPSR_EL2.SS.
const SS: u64 = 1 << 21;
/// SPSR_EL2.IT of AArch32, in two parts: IT\[7:2\] and IT\[1:0\].
const IT: u64 = 0x3f << 10 | 0b11 << 25;
/// ESR_EL2.IL: the instruction is 32 bits long.
const IL: u64 = 1 << 25;
/// ESR_EL2.ISS.CV, of the classes that [may be conditional](Place::executes): COND tells the condition.
const CV: u64 = 1 << 24;
/// The condition "always".
const ALWAYS: u64 = 0b1110;

/// Where a guest is, and in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// ELR_EL2.
    pub address: u64,
    /// SPSR_EL2.
    pub state: u64,
}

impl Place {
    /// Where the guest is that came to EL2 last.
    #[inline(always)]
    pub fn here() -> Self {
        Self { address: el2::return_address(), state: el2::saved_state() }
    }

    /// Whether the guest is in AArch32.
    #[inline(always)]
    pub const fn is_aarch32(self) -> bool {
        self.state & AARCH32 != 0
    }

    /// Has the guest go on here.
    #[inline(always)]
    pub fn go_there(self) {
        el2::set_saved_state(self.state);
        el2::set_return_address(self.address);
    }

    /// The place behind the A64 instruction that is here.
    #[inline(always)]
    pub const fn behind_a64(self) -> Self {
        Self { address: self.address.wrapping_add(4), state: self.state & !(SS | BTYPE) }
    }

    /// The place behind the instruction that is here, which trapped with `syndrome` (ESR_EL2).
    pub const fn behind(self, syndrome: u64) -> Self {
        if !self.is_aarch32() {
            return self.behind_a64();
        }
        let length = if syndrome & IL != 0 { 4 } else { 2 };
        let state = self.state & !SS;
        let state = if state & T32 != 0 { state & !IT | spread(advance(self.it())) } else { state };
        Self { address: self.address.wrapping_add(length) & 0xffff_ffff, state }
    }

    /// Whether the instruction that is here, which trapped with `syndrome` (ESR_EL2), executes at all: a core may trap one of
    /// AArch32 whose condition does not hold (Arm ARM, G1.13.4), and that does nothing.
    pub const fn executes(self, syndrome: u64) -> bool {
        let class = syndrome >> 26 & 0x3f;
        // WFI, and accesses to coprocessors: the classes that tell CV and COND.
        let tells = matches!(class, 0x01..0x10);
        if !self.is_aarch32() || !tells {
            return true;
        }
        let condition = match (syndrome & CV != 0, self.it()) {
            (true, _) => syndrome >> 20 & 0xf,
            (false, 0) => ALWAYS,
            (false, it) => it >> 4,
        };
        holds(condition, self.state)
    }

    /// PSTATE.IT of AArch32.
    const fn it(self) -> u64 {
        self.state >> 8 & 0xfc | self.state >> 25 & 0b11
    }
}

/// Has the guest go on behind the instruction that trapped with `syndrome` (ESR_EL2), which AArch32 has too.
#[inline(always)]
pub fn step_over(syndrome: u64) {
    let place = Place::here();
    if place.is_aarch32() {
        return step_over_aarch32(place, syndrome);
    }
    step_over_from(place);
}

/// Has the guest go on behind the A64 instruction that trapped: AArch32 has none that traps so.
#[inline(always)]
pub fn step_over_a64() {
    step_over_from(Place::here());
}

#[cold]
#[inline(never)]
fn step_over_aarch32(place: Place, syndrome: u64) {
    place.behind(syndrome).go_there();
}

/// Has the guest go on from `place`, where it is, as [`Place::behind_a64`] says. Every emulated access comes here: one
/// instruction for each of the two fields, where the compiler would make three of both.
#[inline(always)]
pub fn step_over_from(place: Place) {
    #[cfg(target_os = "none")]
    let next = {
        let mut state = place.state;
        // SAFETY: it computes with registers only.
        unsafe {
            core::arch::asm!(
                "and {state}, {state}, {without_ss}",
                "and {state}, {state}, {without_btype}",
                state = inout(reg) state,
                without_ss = const !SS as i64,
                without_btype = const !BTYPE as i64,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        Place { address: place.address.wrapping_add(4), state }
    };
    #[cfg(not(target_os = "none"))]
    let next = place.behind_a64();
    next.go_there();
}

/// PSTATE.IT behind an instruction (Arm ARM, ITAdvance).
const fn advance(it: u64) -> u64 {
    if it & 0b111 == 0 { 0 } else { it & 0xe0 | it << 1 & 0x1f }
}

/// PSTATE.IT where SPSR_EL2 has it.
const fn spread(it: u64) -> u64 {
    (it & 0xfc) << 8 | (it & 0b11) << 25
}

/// Whether a condition holds with these flags, in SPSR_EL2 (Arm ARM, ConditionHolds).
const fn holds(condition: u64, state: u64) -> bool {
    let (n, z) = (state & 1 << 31 != 0, state & 1 << 30 != 0);
    let (c, v) = (state & 1 << 29 != 0, state & 1 << 28 != 0);
    let base = match condition >> 1 & 0b111 {
        0b000 => z,
        0b001 => c,
        0b010 => n,
        0b011 => v,
        0b100 => c && !z,
        0b101 => n == v,
        0b110 => n == v && !z,
        _ => return true,
    };
    base != (condition & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EL1H: u64 = 0x3c5;
    /// User mode of AArch32, in A32 and in T32.
    const A32: u64 = 0x1d0;
    const THUMB: u64 = 0x1f0;
    const N: u64 = 1 << 31;
    const Z: u64 = 1 << 30;
    const C: u64 = 1 << 29;
    const V: u64 = 1 << 28;

    fn at(state: u64) -> Place {
        Place { address: 0x1000, state }
    }

    #[test]
    fn an_a64_instruction_takes_the_step_and_ends_a_branch() {
        for syndrome in [0, IL] {
            for (before, after) in [(0, 0), (SS, 0), (BTYPE, 0), (SS | 1 << 10, 0), (SS | N | 1 << 12, N | 1 << 12)] {
                let expected = Place { address: 0x1004, state: EL1H | after };
                assert_eq!(at(EL1H | before).behind(syndrome), expected, "{before:#x}");
            }
        }
    }

    #[test]
    fn an_a32_instruction_keeps_what_is_btype_in_a64() {
        assert_eq!(at(A32 | SS | N).behind(IL), Place { address: 0x1004, state: A32 | N });
        let last = Place { address: 0xffff_fffc, state: A32 };
        assert_eq!(last.behind(IL).address, 0);
    }

    #[test]
    fn a_t32_instruction_is_two_or_four_bytes_long() {
        assert_eq!(at(THUMB).behind(0), Place { address: 0x1002, state: THUMB });
        assert_eq!(at(THUMB | SS).behind(IL), Place { address: 0x1004, state: THUMB });
    }

    /// Each IT block, as the instruction sets it (Arm ARM, IT): the condition, and a mask that says how many follow and which of
    /// them have the opposite one.
    #[test]
    fn an_it_block_goes_on_as_it_was_laid_out() {
        for first in 0..0b1110u64 {
            for mask in 1..16u64 {
                let length = 4 - mask.trailing_zeros();
                let mut place = at(THUMB | spread(first << 4 | mask));
                for n in 0..length {
                    // Bit 0 of the n-th condition: the first one's, then the mask's from the top.
                    let lowest = if n == 0 { first & 1 } else { mask >> (4 - n) & 1 };
                    let condition = first & 0b1110 | lowest;
                    assert_eq!(place.it() >> 4, condition, "{first:#x} {mask:#x} {n}");
                    for flags in 0..16 {
                        let state = place.state | flags << 28;
                        let reported = IL | CV | condition << 20 | 0x01 << 26;
                        let place = Place { state, ..place };
                        // Of T32 a core need not report the condition.
                        assert_eq!(place.executes(0x01 << 26), place.executes(reported));
                    }
                    place = place.behind(0);
                }
                assert_eq!(place.it(), 0, "{first:#x} {mask:#x}");
                assert_eq!(place.state, THUMB);
            }
        }
    }

    #[test]
    fn conditions_hold_as_their_names_say() {
        let wfi = |condition: u64| IL | CV | condition << 20 | 0x01 << 26;
        type Holds = fn(bool, bool, bool, bool) -> bool;
        let names: [(&str, Holds); 15] = [
            ("eq", |_, z, _, _| z),
            ("ne", |_, z, _, _| !z),
            ("cs", |_, _, c, _| c),
            ("cc", |_, _, c, _| !c),
            ("mi", |n, _, _, _| n),
            ("pl", |n, _, _, _| !n),
            ("vs", |_, _, _, v| v),
            ("vc", |_, _, _, v| !v),
            ("hi", |_, z, c, _| c && !z),
            ("ls", |_, z, c, _| !c || z),
            ("ge", |n, _, _, v| n == v),
            ("lt", |n, _, _, v| n != v),
            ("gt", |n, z, _, v| !z && n == v),
            ("le", |n, z, _, v| z || n != v),
            ("al", |_, _, _, _| true),
        ];
        for (condition, (name, expected)) in (0..).zip(names) {
            for flags in 0..16u64 {
                let flag = |set: bool, flag: u64| if set { flag } else { 0 };
                let [n, z, c, v] = [3, 2, 1, 0].map(|bit| flags >> bit & 1 != 0);
                let state = A32 | flag(n, N) | flag(z, Z) | flag(c, C) | flag(v, V);
                assert_eq!(at(state).executes(wfi(condition)), expected(n, z, c, v), "{name} {flags:#x}");
            }
        }
    }

    #[test]
    fn aborts_have_no_condition() {
        // Bits 24:20 are ISV, SAS, SSE and the top of SRT there.
        assert!(at(A32).executes(0x24 << 26 | CV));
        // Outside an IT block a T32 instruction is unconditional.
        assert!(at(THUMB).executes(0x01 << 26));
        // What looks like the IT block "never" there is BTYPE in AArch64.
        assert!(at(EL1H | BTYPE).executes(0x01 << 26));
    }
}
