//! What a boot loader may leave behind: registers of EL2 that nobody has set, full of ones, and interrupts that nobody has ended.

use core::arch::asm;

/// Writes a register. EL3 and the firmware use none of these.
macro_rules! set {
    ($register:literal, $value:expr) => {{
        let value: u64 = $value;
        // SAFETY: a register of EL2's or below, which exists.
        unsafe { asm!(concat!("msr ", $register, ", {}"), in(reg) value, options(nomem, nostack)) }
    }};
}

/// Reads a register.
macro_rules! get {
    ($register:literal) => {{
        let value: u64;
        // SAFETY: reading it has no effect.
        unsafe { asm!(concat!("mrs {}, ", $register), out(reg) value, options(nomem, nostack)) };
        value
    }};
}

/// SCTLR_EL2: all but the MMU, caches without it, and what changes the meaning of the first instructions: EE, and A, by which
/// PE images could not be read.
const SCTLR_EL2: u64 = 0x30c5_0830 | 1 << 1 | 1 << 3 | 1 << 12 | 1 << 19;
/// MDCR_EL2.HPMN: more than there are counters is not allowed.
const HPMN: u64 = 0x1f;

/// Fills EL2's registers on this core with ones. The last is HCR_EL2: E2H changes what the names of others stand for.
pub fn fill_registers() {
    const ONES: u64 = u64::MAX;
    let field = |register: u64, shift: u32| register >> shift & 0xf;
    let (features, debug) = (get!("id_aa64pfr0_el1"), get!("id_aa64dfr0_el1"));
    let (memory_0, memory_1) = (get!("id_aa64mmfr0_el1"), get!("id_aa64mmfr1_el1"));
    let memory_3 = get!("S3_0_C0_C7_3");
    set!("hstr_el2", ONES);
    set!("cptr_el2", ONES);
    set!("mdcr_el2", get!("mdcr_el2") | !HPMN);
    set!("vttbr_el2", ONES);
    set!("vtcr_el2", ONES);
    set!("vpidr_el2", ONES);
    set!("vmpidr_el2", ONES);
    set!("tpidr_el2", ONES);
    set!("vbar_el2", ONES);
    set!("mair_el2", ONES);
    set!("tcr_el2", ONES);
    set!("ttbr0_el2", ONES);
    set!("cnthctl_el2", ONES);
    set!("cntvoff_el2", 0x1234_5678_9abc);
    // An interrupt that was acknowledged and never ended. From here it is the non-secure register, as SCR_EL3.NS is set.
    set!("S3_0_C12_C9_0", 1); // ICC_AP1R0_EL1
    // Timers that have been due for long.
    set!("cnthp_cval_el2", 0);
    set!("cnthp_ctl_el2", 1);
    set!("cntv_cval_el0", 0);
    set!("cntv_ctl_el0", 1);
    set!("cntp_cval_el0", 0);
    set!("cntp_ctl_el0", 1);
    if field(memory_1, 8) != 0 {
        set!("S3_4_C13_C0_1", ONES); // CONTEXTIDR_EL2
        set!("S3_4_C2_C0_1", ONES); // TTBR1_EL2
        set!("S3_4_C14_C3_2", 0); // CNTHV_CVAL_EL2
        set!("S3_4_C14_C3_1", 1); // CNTHV_CTL_EL2
    }
    if field(memory_1, 40) != 0 {
        set!("S3_4_C1_C2_2", ONES); // HCRX_EL2
    }
    if field(memory_0, 56) != 0 {
        set!("S3_4_C1_C1_4", ONES); // HFGRTR_EL2
        set!("S3_4_C1_C1_5", ONES); // HFGWTR_EL2
        set!("S3_4_C1_C1_6", ONES); // HFGITR_EL2
        set!("S3_4_C3_C1_4", ONES); // HDFGRTR_EL2
        set!("S3_4_C3_C1_5", ONES); // HDFGWTR_EL2
    }
    if field(memory_0, 60) >= 2 {
        set!("S3_4_C14_C0_6", ONES); // CNTPOFF_EL2
    }
    if field(memory_3, 4) != 0 {
        set!("S3_4_C1_C0_3", ONES); // SCTLR2_EL2
    }
    if field(memory_3, 0) != 0 {
        set!("S3_4_C2_C0_3", ONES); // TCR2_EL2
    }
    if field(features, 28) != 0 {
        set!("S3_4_C5_C2_3", ONES); // VSESR_EL2
    }
    if field(debug, 40) != 0 {
        set!("S3_4_C1_C2_1", ONES); // TRFCR_EL2
    }
    // The GIC's (IHI 0069, 12.4): a virtual interface that is on, with interrupts in it.
    set!("S3_4_C12_C11_0", 0xffff_ffff); // ICH_HCR_EL2
    set!("S3_4_C12_C11_7", 0xffff_ffff); // ICH_VMCR_EL2
    set!("S3_4_C12_C9_0", 0xffff_ffff); // ICH_AP1R0_EL2
    set!("S3_4_C12_C12_0", 1 << 62 | 1 << 60 | 27); // ICH_LR0_EL2: 27 is pending, group 1
    set!("S3_4_C12_C12_1", 1 << 63 | 1 << 60 | 30); // ICH_LR1_EL2: 30 is active
    set!("sctlr_el2", SCTLR_EL2);
    set!("hcr_el2", ONES);
}
