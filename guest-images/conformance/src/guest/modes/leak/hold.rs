//! General and floating point registers, each with a value of its own while time passes.

use core::arch::global_asm;
use core::mem::offset_of;

/// What a vCPU has in them.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// x0 to x30.
    pub x: [u64; 31],
    /// SP_EL1, filled in.
    pub sp: u64,
    /// N, Z, C and V.
    pub flags: u64,
    /// FPCR.
    pub fpcr: u64,
    /// FPSR.
    pub fpsr: u64,
    /// V0 to V31.
    pub v: [u128; 32],
}

/// How the time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// One WFI.
    Interrupt,
    /// Turns of a loop that counts in x0.
    First(u64),
    /// Turns of a loop that counts in x30.
    Last(u64),
}

global_asm!(
    include_str!("hold.s"),
    sp = const offset_of!(Registers, sp),
    flags = const offset_of!(Registers, flags),
    fpcr = const offset_of!(Registers, fpcr),
    v = const offset_of!(Registers, v),
);

unsafe extern "C" {
    fn leak_hold(registers: *mut Registers, left: *mut Registers, turns: u64, last: u64);
    fn leak_show(registers: *mut Registers);
}

/// The bits of FPCR that only choose how results are rounded and flushed.
const FPCR: u64 = 0x07c0_0000;
/// Saturation and the five kinds of exception that every CPU has.
const FPSR: u64 = 0x0800_001f;

impl Registers {
    /// Each filled by `word`, of the register's number.
    pub fn filled(mut word: impl FnMut(u64) -> u64) -> Self {
        let x = core::array::from_fn(|n| word(n as u64));
        let v = core::array::from_fn(|n| {
            let number = 32 + 2 * n as u64;
            u128::from(word(number)) << 64 | u128::from(word(number + 1))
        });
        Self { x, sp: 0, flags: word(96) & 0xf000_0000, fpcr: word(97) & FPCR, fpsr: word(98) & FPSR, v }
    }

    /// Holds them as long as `wait` says. Returns what is left of them. Floating point must be open.
    pub fn hold(&mut self, wait: Wait) -> Self {
        let mut left = Self::filled(|_| 0);
        let (turns, last) = match wait {
            Wait::Interrupt => (0, 0),
            Wait::First(turns) => (turns, 0),
            Wait::Last(turns) => (turns, 1),
        };
        // SAFETY: fills `left` and SP's field, and otherwise keeps to the procedure call standard; nobody else uses
        // floating point here.
        unsafe { leak_hold(self, &mut left, turns, last) };
        // The counter has done its work.
        match wait {
            Wait::Interrupt => {}
            Wait::First(_) if left.x[0] == 0 => left.x[0] = self.x[0],
            Wait::Last(_) if left.x[30] == 0 => left.x[30] = self.x[30],
            Wait::First(_) | Wait::Last(_) => {}
        }
        left
    }

    /// The floating point registers as they are; the others zero.
    pub fn floating_point() -> Self {
        let mut registers = Self::filled(|_| 0);
        // SAFETY: fills the block only.
        unsafe { leak_show(&mut registers) };
        registers
    }
}
