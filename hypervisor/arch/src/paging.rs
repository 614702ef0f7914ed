//! The registers of EL2's own translation and of stage 2, and TLB maintenance.

use crate::registers::{MAIR_EL2, SCTLR_EL2, TCR_EL2, VTCR_EL2, VTTBR_EL2, govern};
use crate::{barrier, cpu};

/// MAIR_EL2: index 0 Device-nGnRE, index 1 Normal, inner and outer write-back, index 2 Normal, inner and outer non-cacheable.
pub const MAIR: u64 = MAIR_EL2::Attr0_Device::nonGathering_nonReordering_EarlyWriteAck.value
    | MAIR_EL2::Attr1_Normal_Outer::WriteBack_NonTransient_ReadWriteAlloc.value
    | MAIR_EL2::Attr1_Normal_Inner::WriteBack_NonTransient_ReadWriteAlloc.value
    | MAIR_EL2::Attr2_Normal_Outer::NonCacheable.value
    | MAIR_EL2::Attr2_Normal_Inner::NonCacheable.value;
/// Bits of virtual address at EL2: one level 1 table of 512 entries of 1 GiB.
pub const EL2_VA_BITS: u32 = 39;
/// SCTLR_EL2: RES1 bits, MMU, data and instruction caches, stack alignment, and writable implies never executable.
pub const SCTLR: u64 = 0x30c5_0830
    | SCTLR_EL2::M::Enable.value
    | SCTLR_EL2::C::Cacheable.value
    | SCTLR_EL2::SA::Enable.value
    | SCTLR_EL2::I::Cacheable.value
    | SCTLR_EL2::WXN::Enable.value;

/// TCR_EL2: 4 KiB granule, 39-bit addresses, walks cacheable and inner shareable.
pub fn tcr() -> u64 {
    const RES1: u64 = 1 << 31 | 1 << 23;
    let fields = TCR_EL2::PS.val(cpu::physical_size_field())
        + TCR_EL2::TG0::KiB_4
        + TCR_EL2::SH0::Inner
        + TCR_EL2::ORGN0::WriteBack_ReadAlloc_WriteAlloc_Cacheable
        + TCR_EL2::IRGN0::WriteBack_ReadAlloc_WriteAlloc_Cacheable
        + TCR_EL2::T0SZ.val(u64::from(64 - EL2_VA_BITS));
    RES1 | fields.value
}

/// Bits of intermediate physical address that guests get: 39, or what the core has.
pub fn ipa_bits() -> u32 {
    cpu::physical_address_bits().min(39)
}

/// VTCR_EL2 for a single level 1 table: 4 KiB granule, start at level 1, walks cacheable and inner shareable
/// (Arm ARM, D19.2.160).
pub fn vtcr(ipa_bits: u32) -> u64 {
    let vmids = if cpu::vmid_bits() == 16 { VTCR_EL2::VS::Bits16 } else { VTCR_EL2::VS::Bits8 };
    let fields = VTCR_EL2::RES1::SET
        + vmids
        + VTCR_EL2::PS.val(cpu::physical_size_field())
        + VTCR_EL2::TG0::Granule4KB
        + VTCR_EL2::SH0::Inner
        + VTCR_EL2::ORGN0::NormalWBRAWA
        + VTCR_EL2::IRGN0::NormalWBRAWA
        + VTCR_EL2::SL0::Granule4KBLevel1
        + VTCR_EL2::T0SZ.val(u64::from(64u32.saturating_sub(ipa_bits)));
    fields.value
}

/// VTTBR_EL2 for the table at `root` and the VM's identifier.
pub fn vttbr(root: u64, vmid: u16) -> u64 {
    VTTBR_EL2::VMID.val(vmid.into()).value | root
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
/// break-before-make"). Twice: the first one may leave an access behind on a Cortex-A55 or A76 (errata 2441007, 1286807).
pub fn invalidate_vm_everywhere() {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!(
            "dsb ishst",
            "tlbi vmalls12e1is",
            "dsb ish",
            "tlbi vmalls12e1is",
            "dsb ish",
            "isb",
            options(nostack, preserves_flags)
        );
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("tlbi vmalls12e1is"));
}

/// Makes what was mapped in tables that had nothing there be seen by the table walks of all cores: what does not translate is not
/// remembered (Arm ARM, D8.14).
pub fn publish_tables() {
    barrier::dsb_ishst();
    barrier::isb();
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
        govern(crate::registers::TTBR0_EL2, root);
        govern(SCTLR_EL2, SCTLR);
    }
}

/// Forgets EL2's translations on all cores: twice, as [`invalidate_vm_everywhere`].
pub fn invalidate_el2() {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!(
            "dsb ishst",
            "tlbi alle2is",
            "dsb ish",
            "tlbi alle2is",
            "dsb ish",
            "isb",
            options(nostack, preserves_flags)
        );
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("tlbi alle2is"));
}

/// Forgets what this core remembers of EL2's translation of `address`, whose descriptor is invalid now.
pub fn invalidate_el2_address_here(address: u64) {
    #[cfg(target_os = "none")]
    // SAFETY: TLB maintenance changes no architectural state.
    unsafe {
        core::arch::asm!("dsb nshst", "tlbi vae2, {}", "dsb nsh", "isb", in(reg) address >> 12 & 0xfff_ffff_ffff,
            options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Maintain("tlbi vae2", address as usize, 0));
}

/// Writes MAIR_EL2 and TCR_EL2; only for a core whose EL2 MMU is off.
///
/// # Safety
///
/// With the MMU on, a change of these registers changes what memory means.
pub unsafe fn set_el2_attributes() {
    // SAFETY: the caller has the MMU off.
    unsafe {
        govern(MAIR_EL2, MAIR);
        govern(TCR_EL2, tcr());
    }
    barrier::isb();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn the_fields_are_where_the_architecture_has_them() {
        // Arm ARM, D19.2: the words as they were written before they had fields.
        assert_eq!((MAIR, SCTLR), (0x44_ff04, 0x30cd_183d));
        fake::set("id_aa64mmfr0_el1", 0b0100);
        assert_eq!(tcr(), 1 << 31 | 1 << 23 | 0b100 << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 25);
        let vtcr_8 = 1 << 31 | 0b100 << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 | 25;
        assert_eq!(vtcr(39), vtcr_8);
        fake::set("id_aa64mmfr1_el1", 0b0010 << 4);
        assert_eq!(vtcr(39), vtcr_8 | 1 << 19);
        assert_eq!(vttbr(0x8000_1000, 0x1234), 0x1234_0000_8000_1000);
    }
}
