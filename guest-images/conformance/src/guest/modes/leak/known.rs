//! System registers by their encoding, of which it is known that they change hands with a vCPU, or why they need not.

/// What is known of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The slot of this name fills it.
    Slot(&'static str),
    /// The first so many breakpoints, or watchpoints, have slots: this is one of the number given.
    Pair(u32),
    /// It needs no slot, for this reason.
    Excused(&'static str),
}

/// The register's place in an MSR or MRS (Arm ARM, C6.2.228): op0, op1, CRn, CRm, op2.
pub const fn encode(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5
}

const PSTATE: Known = Known::Excused("a field of PSTATE, which SPSR_EL2 has");
const FLOATING_POINT: Known = Known::Excused("held with the V registers");
const ACTS: Known = Known::Excused("it acts, and holds nothing");
const ACTIVE: Known = Known::Excused("held as the priority of what is active");
const TIMER: Known = Known::Excused("another view of CVAL");
const CLAIM: Known = Known::Excused("another view of the claim tags");
const CHANNEL: Known = Known::Excused("saved as OSDTRRX_EL1 and OSDTRTX_EL1; QEMU's hold nothing");
const CATCH: Known = Known::Excused("saved with the channel; QEMU's holds nothing");
const POWER: Known = Known::Excused("a request to a debugger's power controller, which QEMU lacks (docs/silicon.md)");

/// What is known of the register with this [encoding](encode).
pub fn of(register: u32) -> Option<Known> {
    let [op0, op1, crn, crm, op2] =
        [(19, 3), (16, 7), (12, 15), (8, 15), (5, 7)].map(|(shift, mask): (u32, u32)| register >> shift & mask);
    let slot = |name| Some(Known::Slot(name));
    match (op0, op1, crn, crm, op2) {
        (2, 0, 0, _, 4..=7) => Some(Known::Pair(crm)),
        (2, 0, 0, 0 | 3, 2) | (2, 3, 0, 4 | 5, 0) => Some(CHANNEL),
        (2, 0, 0, 2, 0) => slot("MDCCINT_EL1"),
        (2, 0, 0, 2, 2) => slot("MDSCR_EL1"),
        (2, 0, 0, 6, 2) => Some(CATCH),
        (2, 0, 1, 0, 4) => Some(ACTS),
        (2, 0, 1, 1, 4) => slot("OS lock"),
        (2, 0, 1, 3, 4) => slot("OSDLR_EL1"),
        (2, 0, 1, 4, 4) => Some(POWER),
        (2, 0, 7, 8, 6) => Some(CLAIM),
        (2, 0, 7, 9, 6) => slot("DBGCLAIM"),
        (3, 0, 1, 0, 0) => slot("SCTLR_EL1"),
        (3, 0, 1, 0, 2) => slot("CPACR_EL1"),
        (3, 0, 2, 0, 0) => slot("TTBR0_EL1"),
        (3, 0, 2, 0, 1) => slot("TTBR1_EL1"),
        (3, 0, 2, 0, 2) => slot("TCR_EL1"),
        (3, 0, 2, 1, 0) => slot("APIAKeyLo_EL1"),
        (3, 0, 2, 1, 1) => slot("APIAKeyHi_EL1"),
        (3, 0, 2, 1, 2) => slot("APIBKeyLo_EL1"),
        (3, 0, 2, 1, 3) => slot("APIBKeyHi_EL1"),
        (3, 0, 2, 2, 0) => slot("APDAKeyLo_EL1"),
        (3, 0, 2, 2, 1) => slot("APDAKeyHi_EL1"),
        (3, 0, 2, 2, 2) => slot("APDBKeyLo_EL1"),
        (3, 0, 2, 2, 3) => slot("APDBKeyHi_EL1"),
        (3, 0, 2, 3, 0) => slot("APGAKeyLo_EL1"),
        (3, 0, 2, 3, 1) => slot("APGAKeyHi_EL1"),
        (3, 0, 4, 0, 0) => slot("SPSR_EL1"),
        (3, 0, 4, 0, 1) => slot("ELR_EL1"),
        (3, 0, 4, 1, 0) => slot("SP_EL0"),
        // SPSel, CurrentEL, PAN, UAO; ALLINT, PM; NZCV, DAIF, DIT, SSBS, TCO.
        (3, 0, 4, 2, 0 | 2..=4) | (3, 0, 4, 3, 0 | 1) | (3, 3, 4, 2, 0 | 1 | 5..=7) => Some(PSTATE),
        (3, 0, 4, 6, 0) => slot("ICC_PMR_EL1"),
        (3, 0, 5, 1, 0) => slot("AFSR0_EL1"),
        (3, 0, 5, 1, 1) => slot("AFSR1_EL1"),
        (3, 0, 5, 2, 0) => slot("ESR_EL1"),
        (3, 0, 6, 0, 0) => slot("FAR_EL1"),
        (3, 0, 7, 4, 0) => slot("PAR_EL1"),
        (3, 0, 10, 2, 0) => slot("MAIR_EL1"),
        (3, 0, 10, 3, 0) => slot("AMAIR_EL1"),
        (3, 0, 12, 0, 0) => slot("VBAR_EL1"),
        (3, 0, 12, 1, 1) => slot("DISR_EL1"),
        // ICC_IAR0_EL1, ICC_EOIR0_EL1; ICC_DIR_EL1, the SGIs' three; ICC_IAR1_EL1, ICC_EOIR1_EL1.
        (3, 0, 12, 8, 0 | 1) | (3, 0, 12, 11, 1 | 5..=7) | (3, 0, 12, 12, 0 | 1) => Some(ACTS),
        (3, 0, 12, 8, 3) => slot("ICC_BPR0_EL1"),
        (3, 0, 12, 8, 4..=7) | (3, 0, 12, 9, 0..=3) => Some(ACTIVE),
        (3, 0, 12, 12, 3) => slot("ICC_BPR1_EL1"),
        (3, 0, 12, 12, 4) => slot("ICC_CTLR_EL1"),
        (3, 0, 12, 12, 6) => slot("ICC_IGRPEN0_EL1"),
        (3, 0, 12, 12, 7) => slot("ICC_IGRPEN1_EL1"),
        (3, 0, 13, 0, 1) => slot("CONTEXTIDR_EL1"),
        (3, 0, 13, 0, 4) => slot("TPIDR_EL1"),
        (3, 0, 14, 1, 0) => slot("CNTKCTL_EL1"),
        (3, 2, 0, 0, 0) => slot("CSSELR_EL1"),
        (3, 3, 4, 4, 0 | 1) => Some(FLOATING_POINT),
        (3, 3, 13, 0, 2) => slot("TPIDR_EL0"),
        (3, 3, 13, 0, 3) => slot("TPIDRRO_EL0"),
        (3, 3, 14, 2 | 3, 0) => Some(TIMER),
        (3, 3, 14, 2, 1) => slot("CNTP_CTL_EL0"),
        (3, 3, 14, 2, 2) => slot("CNTP_CVAL_EL0"),
        (3, 3, 14, 3, 1) => slot("CNTV_CTL_EL0"),
        (3, 3, 14, 3, 2) => slot("CNTV_CVAL_EL0"),
        _ => None,
    }
}
