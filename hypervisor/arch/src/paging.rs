//! The registers of EL2's own translation and of stage 2, and TLB maintenance.

use crate::{barrier, cpu, write_sysreg};

/// MAIR_EL2: index 0 Device-nGnRE, index 1 Normal, inner and outer write-back.
pub const MAIR: u64 = 0xff04;
/// Bits of virtual address at EL2: one level 1 table of 512 entries of 1 GiB.
pub const EL2_VA_BITS: u32 = 39;
/// SCTLR_EL2: RES1 bits, MMU, data and instruction caches, stack alignment, and writable implies never executable.
pub const SCTLR: u64 = 0x30c5_0830 | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 12 | 1 << 19;

/// TCR_EL2: 4 KiB granule, 39-bit addresses, walks cacheable and inner shareable.
pub fn tcr() -> u64 {
    let res1 = 1 << 31 | 1 << 23;
    res1 | cpu::physical_size_field() << 16 | 3 << 12 | 1 << 10 | 1 << 8 | u64::from(64 - EL2_VA_BITS)
}

/// Bits of intermediate physical address that guests get: 39, or what the core has.
pub fn ipa_bits() -> u32 {
    cpu::physical_address_bits().min(39)
}

/// VTCR_EL2 for a single level 1 table: 4 KiB granule, start at level 1, walks cacheable and inner shareable
/// (Arm ARM, D19.2.160).
pub fn vtcr(ipa_bits: u32) -> u64 {
    let vmid16 = if cpu::vmid_bits() == 16 { 1 << 19 } else { 0 };
    1 << 31
        | vmid16
        | cpu::physical_size_field() << 16
        | 3 << 12
        | 1 << 10
        | 1 << 8
        | 1 << 6
        | u64::from(64u32.saturating_sub(ipa_bits))
}

/// VTTBR_EL2 for the table at `root` and the VM's identifier.
pub fn vttbr(root: u64, vmid: u16) -> u64 {
    u64::from(vmid) << 48 | root
}

/// Forgets all translations of EL1 and stage 2, of every VMID, on all cores.
pub fn invalidate_guests() {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!("dsb ishst", "tlbi alle1is", "dsb ish", "isb", options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("tlbi alle1is"));
}

/// Forgets what this core remembers of the VM whose VTTBR_EL2 is loaded: both stages, its VMID alone, and instructions. A
/// vCPU with its caches off fetches from memory what another one of its VM has changed in its caches only.
pub fn invalidate_vm() {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!(
            "isb",
            "dsb nshst",
            "tlbi vmalls12e1",
            "ic iallu",
            "dsb nsh",
            "isb",
            options(nostack, preserves_flags)
        );
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("tlbi vmalls12e1"));
}

/// Forgets, on all cores, what they remember of the VM whose VTTBR_EL2 is loaded: both stages, its VMID alone. Its tables map
/// less than before, and no access by what they said until now is under way when this returns (Arm ARM, D8.14, "Using
/// break-before-make").
pub fn invalidate_vm_everywhere() {
    #[cfg(target_arch = "aarch64")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!("dsb ishst", "tlbi vmalls12e1is", "dsb ish", "isb", options(nostack, preserves_flags));
    }
}

/// Makes what was mapped in tables that had nothing there be seen by the table walks of all cores: what does not translate is not
/// remembered (Arm ARM, D8.14).
pub fn publish_tables() {
    #[cfg(target_arch = "aarch64")]
    // SAFETY: barriers change no architectural state.
    unsafe {
        core::arch::asm!("dsb ishst", "isb", options(nostack, preserves_flags));
    }
}

/// Replaces EL2's translation tables by those at `root`, with caches on and W^X enforced.
///
/// The MMU is off in between, so that no TLB entry of the old tables meets one of the new ones of another size.
///
/// # Safety
///
/// The new tables must map this code, the stack and all data in use at the addresses at which they are now.
pub unsafe fn switch_el2(root: u64) {
    #[cfg(target_os = "none")]
    // SAFETY: no memory is accessed between the two writes of SCTLR_EL2; the caller vouches for the tables.
    unsafe {
        core::arch::asm!(
            "dsb sy",
            "mrs {old}, sctlr_el2",
            "bic {old}, {old}, #1",
            "msr sctlr_el2, {old}",
            "isb",
            "msr ttbr0_el2, {root}",
            "tlbi alle2",
            "dsb nsh",
            "isb",
            "msr sctlr_el2, {sctlr}",
            "isb",
            old = out(reg) _,
            root = in(reg) root,
            sctlr = in(reg) SCTLR,
            options(nostack, preserves_flags)
        );
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: on the host they only hold what is written.
    unsafe {
        write_sysreg!("ttbr0_el2", root);
        write_sysreg!("sctlr_el2", SCTLR);
    }
}

/// Forgets EL2's translations on all cores.
pub fn invalidate_el2() {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!("dsb ishst", "tlbi alle2is", "dsb ish", "isb", options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("tlbi alle2is"));
}

/// Forgets EL2's translations on this core.
pub fn invalidate_el2_here() {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!("dsb nshst", "tlbi alle2", "dsb nsh", "isb", options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("tlbi alle2"));
}

/// Writes MAIR_EL2 and TCR_EL2; only for a core whose EL2 MMU is off.
///
/// # Safety
///
/// With the MMU on, a change of these registers changes what memory means.
pub unsafe fn set_el2_attributes() {
    // SAFETY: the caller has the MMU off.
    unsafe {
        write_sysreg!("mair_el2", MAIR);
        write_sysreg!("tcr_el2", tcr());
    }
    barrier::isb();
}
