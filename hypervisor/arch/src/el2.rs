//! EL2's own configuration of a core: what it traps and what it leaves to the guest.
//!
//! On a core with one vCPU nothing is trapped that need not be: WFI, the timers, the debug registers and the cache
//! operations run in the guest. On a core that vCPUs share, WFI is trapped too, and the debug registers are until they are used.

use crate::context::EL1H_MASKED;
use crate::{barrier::isb, cpu, read_sysreg, write_sysreg};

/// HCR_EL2: the traps and the second stage of translation (Arm ARM, D19.2.48).
pub mod hcr {
    /// Second stage of translation on.
    pub const VM: u64 = 1 << 0;
    /// Invalidation by set/way also cleans.
    pub const SWIO: u64 = 1 << 1;
    /// FIQs go to EL2; the guest has virtual ones.
    pub const FMO: u64 = 1 << 3;
    /// IRQs go to EL2; the guest has virtual ones.
    pub const IMO: u64 = 1 << 4;
    /// SErrors go to EL2.
    pub const AMO: u64 = 1 << 5;
    /// WFI traps.
    pub const TWI: u64 = 1 << 13;
    /// Reads of the ID registers of group 3 trap.
    pub const TID3: u64 = 1 << 18;
    /// SMC traps.
    pub const TSC: u64 = 1 << 19;
    /// Implementation-defined system registers trap.
    pub const TIDCP: u64 = 1 << 20;
    /// EL1 is AArch64.
    pub const RW: u64 = 1 << 31;
    /// EL2 has the form of a host's EL1 (FEAT_VHE), which it is not written for.
    pub const E2H: u64 = 1 << 34;
    /// LORegion registers trap.
    pub const TLOR: u64 = 1 << 35;
    /// Error record registers trap.
    pub const TERR: u64 = 1 << 36;
    /// Pointer authentication keys do not trap.
    pub const APK: u64 = 1 << 40;
    /// Pointer authentication instructions do not trap.
    pub const API: u64 = 1 << 41;
    /// What a guest runs under.
    pub const GUEST: u64 = VM | SWIO | FMO | IMO | AMO | TID3 | TSC | TIDCP | RW | TLOR | TERR | APK | API;
}

/// CPTR_EL2 with E2H = 0: RES1 bits, SVE, SME, trace and activity monitors trapped; floating point and SIMD not.
const CPTR: u64 = 0x33ff | 1 << 20 | 1 << 30;
/// MDCR_EL2: performance monitors (TPM, TPMCR), statistical profiling (TPMS) and trace filter (TTRF) trapped.
const MDCR: u64 = 1 << 6 | 1 << 5 | 1 << 14 | 1 << 19;
/// CNTHCTL_EL2 with E2H = 0: physical counter and timer of EL1 not trapped.
const CNTHCTL: u64 = 0b11;

/// Sets this core up for guests. The stage 2 tables are chosen when a vCPU is loaded.
///
/// # Errors
///
/// [`WithHostExtensions`]: the registers would mean something else than what is written here.
pub fn init_core(ipa_bits: u32) -> Result<(), WithHostExtensions> {
    let pmu_counters = read_sysreg!("mdcr_el2") & 0x1f;
    let midr = read_sysreg!("midr_el1");
    // SAFETY: it governs what the guest may do and what comes to EL2; EL2's own execution is not touched.
    unsafe {
        write_sysreg!("hcr_el2", hcr::GUEST);
    }
    isb();
    if read_sysreg!("hcr_el2") & hcr::E2H != 0 {
        return Err(WithHostExtensions);
    }
    // SAFETY: as above.
    unsafe {
        write_sysreg!("cptr_el2", CPTR);
        write_sysreg!("mdcr_el2", MDCR | pmu_counters);
        write_sysreg!("cnthctl_el2", CNTHCTL);
        write_sysreg!("cnthp_ctl_el2", 0);
        write_sysreg!("hstr_el2", 0);
        // What EL1 may do to the core's implementation-defined controls: nothing.
        write_sysreg!("actlr_el2", 0);
        write_sysreg!("vpidr_el2", midr);
        write_sysreg!("vtcr_el2", crate::paging::vtcr(ipa_bits));
    }
    crate::extensions::init_core();
    isb();
    Ok(())
}

/// HCR_EL2.E2H is always 1 on this core (no FEAT_E2H0): CPTR_EL2, CNTHCTL_EL2 and TCR_EL2 have another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithHostExtensions;

/// Prepares this core for vCPUs that share it: WFI of guests, which gives the core away, traps from now on, and so do the
/// [debug registers](crate::debug).
pub fn share_core() {
    // SAFETY: what of a guest's comes to EL2; nothing else changes.
    unsafe {
        write_sysreg!("hcr_el2", hcr::GUEST | hcr::TWI);
    }
    crate::debug::trap(true);
    isb();
}

/// Syndrome of the exception that led to EL2 last.
#[inline(always)]
pub fn syndrome() -> u64 {
    read_sysreg!("esr_el2")
}

/// Faulting virtual address of that exception.
pub fn fault_address() -> u64 {
    read_sysreg!("far_el2")
}

/// Faulting intermediate physical address of a stage 2 abort (HPFAR_EL2.FIPA and the offset of FAR_EL2).
pub fn fault_ipa() -> u64 {
    ((read_sysreg!("hpfar_el2") & 0x0fff_ffff_fff0) << 8) | (fault_address() & 0xfff)
}

/// Where the guest goes on.
#[inline(always)]
pub fn return_address() -> u64 {
    read_sysreg!("elr_el2")
}

/// Sets where the guest goes on.
#[inline(always)]
pub fn set_return_address(address: u64) {
    // SAFETY: the address is used at EL1 or EL0 only.
    unsafe {
        write_sysreg!("elr_el2", address);
    }
}

/// Has the guest go on behind the instruction that trapped.
#[inline(always)]
pub fn step_over() {
    set_return_address(return_address().wrapping_add(4));
}

/// Processor state with which the guest goes on.
pub fn saved_state() -> u64 {
    read_sysreg!("spsr_el2")
}

/// Whether the guest was at EL0.
pub fn is_from_el0() -> bool {
    saved_state() & 0xf == 0
}

/// What the guest's registers say of the exception that it took to EL1 last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// ESR_EL1.
    pub syndrome: u64,
    /// ELR_EL1.
    pub return_address: u64,
    /// FAR_EL1.
    pub fault_address: u64,
}

/// What the guest's registers say of the exception that it took to EL1 last.
pub fn last_taken() -> Taken {
    Taken {
        syndrome: read_sysreg!("esr_el1"),
        return_address: read_sysreg!("elr_el1"),
        fault_address: read_sysreg!("far_el1"),
    }
}

/// Where the guest would go on if it took a synchronous exception to EL1 now (Arm ARM, D1.3.2).
pub fn exception_vector() -> u64 {
    read_sysreg!("vbar_el1").wrapping_add(vector_offset(saved_state()))
}

/// Offset of the vector of a synchronous exception from a state.
const fn vector_offset(spsr: u64) -> u64 {
    match (spsr & 1 << 4 != 0, spsr & 0xf) {
        (true, _) => 0x600,       // from AArch32 EL0
        (false, 0b0000) => 0x400, // from AArch64 EL0
        (false, 0b0100) => 0x000, // EL1 with SP_EL0
        _ => 0x200,               // EL1 with SP_EL1
    }
}

/// Makes the guest take an exception to EL1 with the syndrome given, at the [vector](exception_vector) that its state calls
/// for, as if the instruction that trapped had caused it. `far` is written if it has a meaning.
pub fn inject(syndrome: u64, far: Option<u64>) {
    let spsr = saved_state();
    let vector = exception_vector();
    let sctlr = read_sysreg!("sctlr_el1");
    let has_pan = (read_sysreg!("id_aa64mmfr1_el1") >> 20) & 0xf != 0;
    // SAFETY: registers of EL1, and the two from which `eret` enters it.
    unsafe {
        write_sysreg!("elr_el1", return_address());
        write_sysreg!("spsr_el1", spsr);
        write_sysreg!("esr_el1", syndrome);
        if let Some(far) = far {
            write_sysreg!("far_el1", far);
        }
        set_return_address(vector);
        write_sysreg!("spsr_el2", state_in_exception(spsr, sctlr, has_pan));
    }
}

/// PSTATE in which EL1 takes an exception from a guest whose PSTATE was `spsr` (Arm ARM, D1.3.1): EL1h, all masked, flags
/// and DIT as they were, PAN set unless SCTLR_EL1.SPAN says to keep it, SSBS as SCTLR_EL1.DSSBS says, the rest clear.
const fn state_in_exception(spsr: u64, sctlr: u64, has_pan: bool) -> u64 {
    const NZCV: u64 = 0xf << 28;
    const DIT: u64 = 1 << 24;
    const PAN: u64 = 1 << 22;
    const SSBS: u64 = 1 << 12;
    const SPAN: u64 = 1 << 23;
    const DSSBS: u64 = 1 << 44;
    let pan = if has_pan && sctlr & SPAN == 0 { PAN } else { spsr & PAN };
    let ssbs = if sctlr & DSSBS != 0 { SSBS } else { 0 };
    EL1H_MASKED | spsr & (NZCV | DIT) | pan | ssbs
}

/// Chooses the stage 2 tables of this core, from the next context synchronization on.
///
/// # Safety
///
/// `vttbr` must name a live stage 2 table that maps only what the guest may reach.
pub unsafe fn set_stage2(vttbr: u64) {
    // SAFETY: passed on to the caller.
    unsafe {
        write_sysreg!("vttbr_el2", vttbr);
    }
}

/// Sets the number by which a guest knows this vCPU (VMPIDR_EL2; bit 31 is RES1).
pub fn set_vcpu_number(index: u64) {
    // SAFETY: only read by the guest.
    unsafe {
        write_sysreg!("vmpidr_el2", 1 << 31 | index);
    }
}

/// Everything worth printing when EL2 stops: name and value.
pub fn dump() -> [(&'static str, u64); 10] {
    [
        ("esr_el2", syndrome()),
        ("elr_el2", return_address()),
        ("spsr_el2", saved_state()),
        ("far_el2", fault_address()),
        ("hpfar_el2", read_sysreg!("hpfar_el2")),
        ("hcr_el2", read_sysreg!("hcr_el2")),
        ("sctlr_el2", read_sysreg!("sctlr_el2")),
        ("vttbr_el2", read_sysreg!("vttbr_el2")),
        ("tpidr_el2", read_sysreg!("tpidr_el2")),
        ("mpidr_el1", cpu::affinity()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_follows_the_state() {
        let offsets = [0x3c5, 0x3c4, 0x3c0, 0x1f0, 0x1d0].map(vector_offset);
        assert_eq!(offsets, [0x200, 0x000, 0x400, 0x600, 0x600]);
    }

    #[test]
    fn an_exception_is_taken_as_hardware_takes_it() {
        const PAN: u64 = 1 << 22;
        assert_eq!(state_in_exception(0x8000_0000, 1 << 23, true), 0x8000_0000 | EL1H_MASKED);
        assert_eq!(state_in_exception(PAN, 1 << 23, true) & PAN, PAN);
        assert_eq!(state_in_exception(0, 0, true) & PAN, PAN);
        assert_eq!(state_in_exception(0, 0, false) & PAN, 0);
        assert_eq!(state_in_exception(0, 1 << 44 | 1 << 23, false), EL1H_MASKED | 1 << 12);
        assert_eq!(state_in_exception(1 << 24 | 1 << 10, 1 << 23, true), EL1H_MASKED | 1 << 24);
    }
}
