//! A firmware call with every general register under the caller's control, before and after.

use core::arch::global_asm;
use core::mem::offset_of;

use crate::power::Conduit;

/// General registers around a call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// x0 to x30: what the call gets, then what it left.
    pub x: [u64; 31],
    /// SP before the call.
    pub sp_before: u64,
    /// SP after the call.
    pub sp_after: u64,
}

impl Registers {
    /// The given registers; SP is filled in by the call.
    pub const fn new(x: [u64; 31]) -> Self {
        Self { x, sp_before: 0, sp_after: 0 }
    }
}

/// The immediate of the HVC or SMC instruction; SMCCC defines 0 only (DEN0028 section 2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Immediate {
    /// 0, as SMCCC wants it.
    Zero,
    /// 1, reserved.
    One,
    /// 0xffff, reserved.
    Max,
}

global_asm!(
    include_str!("call.s"),
    before = const offset_of!(Registers, sp_before),
    after = const offset_of!(Registers, sp_after),
);

unsafe extern "C" {
    fn call_0_hvc(registers: *mut Registers);
    fn call_1_hvc(registers: *mut Registers);
    fn call_65535_hvc(registers: *mut Registers);
    fn call_0_smc(registers: *mut Registers);
    fn call_1_smc(registers: *mut Registers);
    fn call_65535_smc(registers: *mut Registers);
}

/// Makes one call with x0 to x3 and returns what it left there; for calls in large numbers. x4 to x17 may be lost.
#[inline(always)]
pub fn quick(conduit: Conduit, x: [u64; 4]) -> [u64; 4] {
    let [mut x0, mut x1, mut x2, mut x3] = x;
    macro_rules! make {
        ($instruction:literal) => {
            // SAFETY: the calls made with this stop nothing and pass no address; every register that SMCCC lets the callee
            // change is declared.
            unsafe {
                core::arch::asm!($instruction, inout("x0") x0, inout("x1") x1, inout("x2") x2, inout("x3") x3,
                    out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _, out("x10") _,
                    out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _, out("x17") _,
                    options(nostack))
            }
        };
    }
    match conduit {
        Conduit::Hvc => make!("hvc #0"),
        Conduit::Smc => make!("smc #0"),
    }
    [x0, x1, x2, x3]
}

/// Makes one call with `registers` and stores there what it left.
pub fn call(conduit: Conduit, immediate: Immediate, registers: &mut Registers) {
    let shim = match (conduit, immediate) {
        (Conduit::Hvc, Immediate::Zero) => call_0_hvc,
        (Conduit::Hvc, Immediate::One) => call_1_hvc,
        (Conduit::Hvc, Immediate::Max) => call_65535_hvc,
        (Conduit::Smc, Immediate::Zero) => call_0_smc,
        (Conduit::Smc, Immediate::One) => call_1_smc,
        (Conduit::Smc, Immediate::Max) => call_65535_smc,
    };
    // SAFETY: the shim writes to `registers` only and restores what the procedure call standard asks for. No function
    // of the firmware interfaces in use writes to this guest's memory.
    unsafe { shim(registers) }
}
