//! A trip to code of another state: EL0, AArch32, one instruction at a time. It ends with the first synchronous exception.

use core::arch::global_asm;
use core::mem::offset_of;

global_asm!(
    include_str!("excursion.s"),
    pc = const offset_of!(Trip, pc),
    debug = const offset_of!(Trip, debug),
    slot = const offset_of!(Trip, slot),
    esr = const offset_of!(Trip, syndrome),
);

/// SPSR_EL1 of AArch64 EL0, SError, IRQ and FIQ masked.
pub const EL0: u64 = 0x1c0;
/// SPSR_EL1 of AArch32 EL0, T32, SError, IRQ and FIQ masked.
pub const T32: u64 = 0x1f0;

/// Vector of a synchronous exception from this level.
pub const FROM_EL1: u64 = 4;
/// Vector of a synchronous exception from AArch64 EL0.
pub const FROM_EL0: u64 = 8;
/// Vector of a synchronous exception from AArch32 EL0.
pub const FROM_AARCH32: u64 = 12;

/// Where the trip goes, and then how it ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Trip {
    /// x0 to x7.
    pub x: [u64; 8],
    /// The first instruction; ELR_EL1 of the exception.
    pub pc: u64,
    /// The state; SPSR_EL1 of the exception.
    pub spsr: u64,
    /// Bits of MDSCR_EL1 that are set meanwhile.
    pub debug: u64,
    /// Number of the vector of the exception.
    pub slot: u64,
    /// ESR_EL1.
    pub syndrome: u64,
    /// FAR_EL1.
    pub address: u64,
}

impl Trip {
    /// A trip to `pc` in the state `spsr`.
    pub fn to(pc: u64, spsr: u64) -> Self {
        Self { pc, spsr, ..Self::default() }
    }

    /// Makes the trip.
    pub fn make(mut self) -> Self {
        unsafe extern "C" {
            fn excursion(trip: &mut Trip);
        }
        // SAFETY: the code there is one of this program's few instructions, which touch nothing but x0 to x7 and devices, and
        // it ends in an exception, which the excursion takes.
        unsafe { excursion(&mut self) };
        self
    }
}
