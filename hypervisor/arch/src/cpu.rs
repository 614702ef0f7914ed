//! This core: who it is and what it can do.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::read_sysreg;
use crate::registers::{
    CurrentEL, ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, MIDR_EL1, MPIDR_EL1, Readable, TPIDR_EL2, govern,
};

/// Affinity fields of an MPIDR value: Aff3 in bits 39:32, Aff2 to Aff0 in bits 23:0.
pub const MPIDR_AFFINITY: u64 = 0xff_00ff_ffff;

/// Affinity of this core.
pub fn affinity() -> u64 {
    MPIDR_EL1.get() & MPIDR_AFFINITY
}

/// Number of the exception level that this runs at.
pub fn exception_level() -> u64 {
    CurrentEL.read(CurrentEL::EL)
}

/// What the vectors find through TPIDR_EL2: the part of a core's state that assembly needs when EL2 itself faults.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Anchor {
    /// Where the core's EL2 stack begins (its highest address).
    pub stack: u64,
    /// Stack for the handler of a fault in EL2, whose own stack may be the cause.
    pub fault_stack: u64,
    /// What the vectors need to know of the core's [hardening](crate::hardening): a number of iterations, or a function.
    pub(crate) hardening: AtomicU64,
    /// Whether a vCPU that comes onto the core has it [forget](crate::optional::restrict_at_change) what others have taught it.
    restricts: AtomicBool,
    /// Whether CNTPOFF_EL2 has an effect: not known (0), no (1), yes (2).
    offsets: AtomicU8,
    /// x0 to x30 and the stack pointer at the time of such a fault.
    pub frame: [u64; 32],
}

impl Anchor {
    /// The anchor of a core with these stacks (their highest addresses).
    pub const fn new(stack: u64, fault_stack: u64) -> Self {
        Self {
            stack,
            fault_stack,
            hardening: AtomicU64::new(0),
            restricts: AtomicBool::new(false),
            offsets: AtomicU8::new(0),
            frame: [0; 32],
        }
    }

    /// The registers that the vectors saved when EL2 faulted: x0 to x30, and the stack pointer.
    pub fn fault_frame(&self) -> [u64; 32] {
        // SAFETY: the frame is written by the vectors of this core before its fault handler runs and not again.
        unsafe { core::ptr::read_volatile(&raw const self.frame) }
    }
}

/// Makes `anchor` the one that the vectors find on this core.
///
/// # Safety
///
/// The anchor must live as long as the core runs and its stacks must be mapped, writable and used by nothing else.
pub unsafe fn set_anchor(anchor: *const Anchor) {
    // SAFETY: TPIDR_EL2 is only a word for software; the caller vouches for what it points to.
    unsafe {
        govern(TPIDR_EL2, anchor as u64);
    }
}

/// Notes `word` in the anchor of this core, if it has one, for the vectors.
pub(crate) fn tell_vectors(word: u64) {
    // SAFETY: TPIDR_EL2 is zero or was given to `set_anchor`, whose caller vouches for it.
    if let Some(anchor) = unsafe { anchor().as_ref() } {
        anchor.hardening.store(word, Ordering::Relaxed);
    }
}

/// Notes in the anchor of this core, if it has one, whether its predictions are restricted when another vCPU comes.
pub(crate) fn note_restriction(wanted: bool) {
    // SAFETY: as in `tell_vectors`.
    if let Some(anchor) = unsafe { anchor().as_ref() } {
        anchor.restricts.store(wanted, Ordering::Relaxed);
    }
}

/// What was noted there; false before.
pub(crate) fn restricts() -> bool {
    // SAFETY: as in `tell_vectors`.
    unsafe { anchor().as_ref() }.is_some_and(|anchor| anchor.restricts.load(Ordering::Relaxed))
}

/// Notes in the anchor of this core, if it has one, whether CNTPOFF_EL2 has an effect.
pub(crate) fn note_physical_offset(works: bool) {
    // SAFETY: as in `tell_vectors`.
    if let Some(anchor) = unsafe { anchor().as_ref() } {
        anchor.offsets.store(1 + u8::from(works), Ordering::Relaxed);
    }
}

/// What was noted there; none before.
pub(crate) fn physical_offset_works() -> Option<bool> {
    // SAFETY: as in `tell_vectors`.
    let noted = unsafe { anchor().as_ref() }.map_or(0, |anchor| anchor.offsets.load(Ordering::Relaxed));
    noted.checked_sub(1).map(|works| works != 0)
}

/// The anchor of this core as given to [`set_anchor`].
#[inline(always)]
pub fn anchor() -> *const Anchor {
    TPIDR_EL2.get() as *const Anchor
}

/// Bits of physical address that this core implements (ID_AA64MMFR0_EL1.PARange), at most 48.
pub fn physical_address_bits() -> u32 {
    match ID_AA64MMFR0_EL1.read(ID_AA64MMFR0_EL1::PARange) {
        0 => 32,
        1 => 36,
        2 => 40,
        3 => 42,
        4 => 44,
        _ => 48,
    }
}

/// The encoding of [`physical_address_bits`] for TCR_EL2.PS and VTCR_EL2.PS.
pub fn physical_size_field() -> u64 {
    ID_AA64MMFR0_EL1.read(ID_AA64MMFR0_EL1::PARange).min(5)
}

/// Bits of a VMID: 8, or 16 with FEAT_VMID16.
pub fn vmid_bits() -> u32 {
    if ID_AA64MMFR1_EL1.matches_all(ID_AA64MMFR1_EL1::VMIDBits::Bits16) { 16 } else { 8 }
}

/// MIDR_EL1: who made this core, and which one it is.
pub fn main_id() -> u64 {
    MIDR_EL1.get()
}

/// MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of this core. A guest on it reads the same: the first by way of VPIDR_EL2, and the others
/// do not trap.
pub fn identity() -> [u64; 3] {
    [MIDR_EL1.get(), read_sysreg!("revidr_el1"), read_sysreg!("aidr_el1")]
}

/// CTR_EL0 and DCZID_EL0 of this core. A guest on it reads the same.
pub fn caches() -> [u64; 2] {
    [read_sysreg!("ctr_el0"), read_sysreg!("dczid_el0")]
}

/// Whether this core is a Cortex-A72 (MIDR_EL1: Arm's, part 0xd08).
pub fn is_cortex_a72() -> bool {
    MIDR_EL1.matches_all(MIDR_EL1::Implementer::Arm + MIDR_EL1::PartNum.val(0xd08))
}

/// Whether this core is a Cortex-A57 before r1p3 (MIDR_EL1: Arm's, part 0xd07), which may report an abort of stage 2, at an address
/// that means nothing, where the guest's own tables fault (erratum 834220).
pub fn mistakes_faults() -> bool {
    let midr = MIDR_EL1.get();
    let is_a57 = MIDR_EL1.matches_all(MIDR_EL1::Implementer::Arm + MIDR_EL1::PartNum.val(0xd07));
    // Variant, bits 23:20; revision, bits 3:0.
    is_a57 && (midr >> 20 & 0xf, midr & 0xf) < (1, 3)
}

/// Stops this core for good: waits for interrupts with all of them masked.
pub fn halt() -> ! {
    loop {
        crate::barrier::wfi();
        core::hint::spin_loop();
    }
}
