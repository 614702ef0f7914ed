//! EL2's own configuration of a core: what it traps and what it leaves to the guest.
//!
//! On a core with one vCPU nothing is trapped that need not be: WFI, the timers, the debug registers and the cache
//! operations run in the guest. On a core that vCPUs share, WFI is trapped too, and the debug registers are until they are used.

use crate::context::EL1H_MASKED;
use crate::registers::{
    ACTLR_EL2, CNTHCTL_EL2, CNTHP_CTL_EL2, CPTR_EL2, ELR_EL1, ELR_EL2, ESR_EL1, ESR_EL2, FAR_EL1, FAR_EL2, HCR_EL2,
    HPFAR_EL2, ID_AA64MMFR1_EL1, MDCR_EL2, MIDR_EL1, Readable, SCTLR_EL1, SCTLR_EL2, SPSR_EL1, SPSR_EL2, TPIDR_EL2,
    VBAR_EL1, VMPIDR_EL2, VTCR_EL2, VTTBR_EL2, govern,
};
use crate::{barrier::isb, cpu, write_sysreg};

/// HCR_EL2 of a guest: second stage of translation, walks of stage 1's tables that do not reach devices (a permission fault of
/// stage 2, whatever reads would do there), invalidation by set/way that also cleans, FIQ, IRQ and SError to EL2, EL1 in
/// AArch64. What traps: reads of the ID registers of group 3, SMC, implementation-defined system registers, LORegion and error
/// record registers. Pointer authentication does not (Arm ARM, D19.2.48).
const GUEST: u64 = HCR_EL2::VM::SET.value
    | HCR_EL2::SWIO::SET.value
    | HCR_EL2::PTW::SET.value
    | HCR_EL2::FMO::SET.value
    | HCR_EL2::IMO::SET.value
    | HCR_EL2::AMO::SET.value
    | HCR_EL2::TID3::SET.value
    | HCR_EL2::TSC::SET.value
    | HCR_EL2::TIDCP::SET.value
    | HCR_EL2::RW::SET.value
    | HCR_EL2::TLOR::SET.value
    | HCR_EL2::TERR::SET.value
    | HCR_EL2::APK::SET.value
    | HCR_EL2::API::SET.value;

/// CPTR_EL2 with E2H = 0: RES1 bits, SVE, SME, trace (TTA) and activity monitors trapped; floating point and SIMD not.
const CPTR: u64 = 0x33ff | 1 << 20 | CPTR_EL2::TAM::SET.value;
/// MDCR_EL2: performance monitors, statistical profiling and trace filter trapped.
const MDCR: u64 =
    MDCR_EL2::TPM::SET.value | MDCR_EL2::TPMCR::SET.value | MDCR_EL2::TPMS::SET.value | MDCR_EL2::TTRF::SET.value;
/// CNTHCTL_EL2 with E2H = 0: physical counter and timer of EL1 not trapped.
pub(crate) const CNTHCTL: u64 = CNTHCTL_EL2::EL1PCEN::SET.value | CNTHCTL_EL2::EL1PCTEN::SET.value;

/// Sets this core up for guests. The stage 2 tables are chosen when a vCPU is loaded.
///
/// # Errors
///
/// [`WithHostExtensions`]: the registers would mean something else than what is written here.
pub fn init_core(ipa_bits: u32) -> Result<(), WithHostExtensions> {
    let counters = MDCR_EL2::HPMN.val(MDCR_EL2.read(MDCR_EL2::HPMN)).value;
    // SAFETY: it governs what the guest may do and what comes to EL2; EL2's own execution is not touched.
    unsafe {
        govern(HCR_EL2, GUEST);
    }
    isb();
    if HCR_EL2.is_set(HCR_EL2::E2H) {
        return Err(WithHostExtensions);
    }
    // SAFETY: as above.
    unsafe {
        govern(CPTR_EL2, CPTR);
        govern(MDCR_EL2, MDCR | counters);
        govern(CNTHCTL_EL2, CNTHCTL);
        govern(CNTHP_CTL_EL2, 0);
        write_sysreg!("hstr_el2", 0);
        // What EL1 may do to the core's implementation-defined controls: nothing.
        govern(ACTLR_EL2, 0);
        write_sysreg!("vpidr_el2", MIDR_EL1.get());
        govern(VTCR_EL2, crate::paging::vtcr(ipa_bits));
    }
    crate::extensions::init_core();
    isb();
    Ok(())
}

/// HCR_EL2.E2H is always 1 on this core (no FEAT_E2H0): CPTR_EL2, CNTHCTL_EL2 and TCR_EL2 have another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithHostExtensions;

/// What a core shows to a guest in place of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disguise {
    /// MIDR_EL1.
    pub main_id: u64,
    /// The guest is told that there are pointer authentication keys.
    pub has_keys: bool,
}

/// Has this core show to its guest what `disguise` says, or itself. In disguise, reads trap of what else tells which CPU it is
/// and what caches it has: REVIDR_EL1 and AIDR_EL1 (TID1), CTR_EL0, CLIDR_EL1, CCSIDR_EL1 and CSSELR_EL1 (TID2), the first of
/// these from EL0 too where SCTLR_EL1.UCT lets it be read there. Without keys, instructions and registers for them trap (API,
/// APK; Arm ARM, D19.2.48).
///
/// It takes effect on the way into the guest, which is a context synchronization event.
pub fn show(disguise: Option<Disguise>) {
    const READS: u64 = HCR_EL2::TID1::SET.value | HCR_EL2::TID2::SET.value;
    const KEYS: u64 = HCR_EL2::APK::SET.value | HCR_EL2::API::SET.value;
    let shown = disguise.unwrap_or(Disguise { main_id: MIDR_EL1.get(), has_keys: true });
    let traps = if disguise.is_some() { READS } else { 0 };
    let keys = if shown.has_keys { KEYS } else { 0 };
    // SAFETY: what of a guest's comes to EL2, and what it reads.
    unsafe {
        govern(HCR_EL2, HCR_EL2.get() & !(READS | KEYS) | traps | keys);
        write_sysreg!("vpidr_el2", shown.main_id);
    }
}

/// Prepares this core for vCPUs that share it: WFI of guests, which gives the core away, traps from now on, and so do the
/// [debug registers](crate::debug).
pub fn share_core() {
    // SAFETY: what of a guest's comes to EL2; nothing else changes.
    unsafe {
        govern(HCR_EL2, GUEST | HCR_EL2::TWI::SET.value);
    }
    crate::debug::trap(true);
    isb();
}

/// Syndrome of the exception that led to EL2 last.
#[inline(always)]
pub fn syndrome() -> u64 {
    ESR_EL2.get()
}

/// Class of the exception that a syndrome is of (ESR_ELx.EC).
#[inline(always)]
pub const fn class(syndrome: u64) -> u64 {
    syndrome >> ESR_EL2::EC.shift & ESR_EL2::EC.mask
}

/// Faulting virtual address of that exception.
pub fn fault_address() -> u64 {
    FAR_EL2.get()
}

/// Faulting intermediate physical address of a stage 2 abort (HPFAR_EL2.FIPA and the offset of FAR_EL2).
pub fn fault_ipa() -> u64 {
    HPFAR_EL2.read(HPFAR_EL2::FIPA) << 12 | fault_address() & 0xfff
}

/// Where the guest goes on.
#[inline(always)]
pub fn return_address() -> u64 {
    ELR_EL2.get()
}

/// Sets where the guest goes on.
#[inline(always)]
pub fn set_return_address(address: u64) {
    // SAFETY: the address is used at EL1 or EL0 only.
    unsafe {
        govern(ELR_EL2, address);
    }
}

/// Processor state with which the guest goes on.
#[inline(always)]
pub fn saved_state() -> u64 {
    SPSR_EL2.get()
}

/// Sets the processor state with which the guest goes on.
#[inline(always)]
pub fn set_saved_state(state: u64) {
    // SAFETY: callers keep the exception level: that of a guest.
    unsafe {
        write_sysreg!("spsr_el2", state);
    }
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
    Taken { syndrome: ESR_EL1.get(), return_address: ELR_EL1.get(), fault_address: FAR_EL1.get() }
}

/// Where the guest would go on if it took a synchronous exception to EL1 now (Arm ARM, D1.3.2).
pub fn exception_vector() -> u64 {
    VBAR_EL1.get().wrapping_add(vector_offset(saved_state()))
}

/// SPSR_EL2.M[4]: the guest was in AArch32, at EL0.
const AARCH32: u64 = 1 << 4;

/// Offset of the vector of a synchronous exception from a state.
const fn vector_offset(spsr: u64) -> u64 {
    const EL0: u64 = SPSR_EL2::M::EL0t.value;
    const EL1_WITH_SP_EL0: u64 = SPSR_EL2::M::EL1t.value;
    match (spsr & AARCH32 != 0, spsr & SPSR_EL2::M.mask) {
        (true, _) => 0x600,
        (false, EL0) => 0x400,
        (false, EL1_WITH_SP_EL0) => 0x000,
        _ => 0x200, // EL1 with SP_EL1
    }
}

/// Makes the guest take an exception to EL1 with the syndrome given, at the [vector](exception_vector) that its state calls
/// for, as if the instruction that trapped had caused it. `far` is written if it has a meaning.
pub fn inject(syndrome: u64, far: Option<u64>) {
    let spsr = saved_state();
    let vector = exception_vector();
    let sctlr = SCTLR_EL1.get();
    let has_pan = ID_AA64MMFR1_EL1.is_set(ID_AA64MMFR1_EL1::PAN);
    // SAFETY: registers of EL1, and the two from which `eret` enters it.
    unsafe {
        govern(ELR_EL1, return_address());
        govern(SPSR_EL1, spsr);
        govern(ESR_EL1, syndrome);
        if let Some(far) = far {
            govern(FAR_EL1, far);
        }
        set_return_address(vector);
        govern(SPSR_EL2, state_in_exception(spsr, sctlr, has_pan));
    }
}

/// PSTATE in which EL1 takes an exception from a guest whose PSTATE was `spsr` (Arm ARM, D1.3.1): EL1h, all masked, flags
/// and DIT as they were, PAN set unless SCTLR_EL1.SPAN says to keep it, SSBS as SCTLR_EL1.DSSBS says, the rest clear.
const fn state_in_exception(spsr: u64, sctlr: u64, has_pan: bool) -> u64 {
    const NZCV: u64 = SPSR_EL2::N::SET.value | SPSR_EL2::Z::SET.value | SPSR_EL2::C::SET.value | SPSR_EL2::V::SET.value;
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
        govern(VTTBR_EL2, vttbr);
    }
}

/// Sets the number by which a guest knows this vCPU (VMPIDR_EL2; bit 31 is RES1).
pub fn set_vcpu_number(index: u64) {
    // SAFETY: only read by the guest.
    unsafe {
        govern(VMPIDR_EL2, VMPIDR_EL2::RES1::SET.value | index);
    }
}

/// Everything worth printing when EL2 stops: name and value.
pub fn dump() -> [(&'static str, u64); 10] {
    [
        ("esr_el2", syndrome()),
        ("elr_el2", return_address()),
        ("spsr_el2", saved_state()),
        ("far_el2", fault_address()),
        ("hpfar_el2", HPFAR_EL2.get()),
        ("hcr_el2", HCR_EL2.get()),
        ("sctlr_el2", SCTLR_EL2.get()),
        ("vttbr_el2", VTTBR_EL2.get()),
        ("tpidr_el2", TPIDR_EL2.get()),
        ("mpidr_el1", cpu::affinity()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    /// What a core's set-up leaves in a register.
    fn left(register: &'static str) -> u64 {
        fake::read(register)
    }

    #[test]
    fn a_core_is_set_up_with_the_bits_that_the_architecture_has_for_it() {
        fake::set("midr_el1", 0x410f_d083);
        fake::set("mdcr_el2", 0xf00 | 6);
        assert_eq!(init_core(39), Ok(()));
        // Arm ARM, D19.2.48: VM, SWIO, PTW, FMO, IMO, AMO, TID3, TSC, TIDCP, RW, TLOR, TERR, APK, API.
        let bits = [0, 1, 2, 3, 4, 5, 18, 19, 20, 31, 35, 36, 40, 41].iter().fold(0, |word, bit| word | 1u64 << bit);
        assert_eq!(left("hcr_el2"), bits);
        assert_eq!(left("cptr_el2"), 0x33ff | 1 << 20 | 1 << 30);
        assert_eq!(left("mdcr_el2"), 6 | 1 << 5 | 1 << 6 | 1 << 14 | 1 << 19);
        assert_eq!((left("cnthctl_el2"), left("vpidr_el2")), (0b11, 0x410f_d083));
        share_core();
        assert_eq!((left("hcr_el2"), left("mdcr_el2") & 0x600), (bits | 1 << 13, 0x600));
    }

    #[test]
    fn a_disguise_is_put_on_and_off_and_nothing_else_changes() {
        const READS: u64 = 1 << 16 | 1 << 17;
        const KEYS: u64 = 1 << 40 | 1 << 41;
        fake::set("midr_el1", 0x414f_d0b1);
        assert_eq!(init_core(39), Ok(()));
        share_core();
        let itself = left("hcr_el2");
        assert_eq!(itself & (READS | KEYS), KEYS);
        show(Some(Disguise { main_id: 0x410f_d083, has_keys: false }));
        assert_eq!((left("hcr_el2"), left("vpidr_el2")), (itself & !KEYS | READS, 0x410f_d083));
        show(Some(Disguise { main_id: 0x410f_d034, has_keys: true }));
        assert_eq!((left("hcr_el2"), left("vpidr_el2")), (itself | READS, 0x410f_d034));
        show(None);
        assert_eq!((left("hcr_el2"), left("vpidr_el2")), (itself, 0x414f_d0b1));
    }

    #[test]
    fn a_core_that_cannot_do_without_host_extensions_is_refused() {
        fake::keep("hcr_el2", 1 << 34);
        assert_eq!(init_core(39), Err(WithHostExtensions));
    }

    #[test]
    fn an_injected_exception_leaves_what_the_guest_expects() {
        for (register, value) in
            [("elr_el2", 0x8004), ("spsr_el2", 0x8000_0005), ("vbar_el1", 0x1000), ("hpfar_el2", 0x9000)]
        {
            fake::set(register, value);
        }
        fake::set("far_el2", 0xffff_0123);
        assert_eq!(fault_ipa(), 0x90_0123);
        inject(0x9600_0010, Some(fault_address()));
        let el1 = ["elr_el1", "spsr_el1", "esr_el1", "far_el1"].map(left);
        assert_eq!(el1, [0x8004, 0x8000_0005, 0x9600_0010, 0xffff_0123]);
        assert_eq!((left("elr_el2"), left("spsr_el2")), (0x1200, 0x8000_03c5));
    }

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
