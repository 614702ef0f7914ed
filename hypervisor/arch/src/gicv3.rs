//! The GICv3 system registers: the physical CPU interface (ICC_*) and the virtual one (ICH_*), Arm IHI 0069.

use crate::registers::{
    ICC_SRE_EL2, ICH_AP0R0_EL2, ICH_AP0R1_EL2, ICH_AP0R2_EL2, ICH_AP0R3_EL2, ICH_AP1R0_EL2, ICH_AP1R1_EL2,
    ICH_AP1R2_EL2, ICH_AP1R3_EL2, ICH_HCR_EL2, ICH_LR0_EL2, ICH_LR1_EL2, ICH_LR2_EL2, ICH_LR3_EL2, ICH_LR4_EL2,
    ICH_LR5_EL2, ICH_LR6_EL2, ICH_LR7_EL2, ICH_LR8_EL2, ICH_LR9_EL2, ICH_LR10_EL2, ICH_LR11_EL2, ICH_LR12_EL2,
    ICH_LR13_EL2, ICH_LR14_EL2, ICH_LR15_EL2, ICH_VMCR_EL2, ICH_VTR_EL2, ID_AA64PFR0_EL1, Readable, govern,
};
use crate::{barrier::isb, read_sysreg, write_sysreg};

/// Interrupt identifier that says "nothing pending".
pub const SPURIOUS: u32 = 1023;

/// ICC_SRE_EL1 and ICC_SRE_EL2: system registers, and no bypass of the interface (SRE, DFB, DIB).
pub const SYSTEM_REGISTERS: u64 =
    ICC_SRE_EL2::SRE::SET.value | ICC_SRE_EL2::DFB::SET.value | ICC_SRE_EL2::DIB::SET.value;
/// ICC_SRE_EL2.Enable: EL1 may write ICC_SRE_EL1.
const ENABLE: u64 = ICC_SRE_EL2::ENABLE::SET.value;

/// A guest could turn its system registers off (ICC_SRE_EL1.SRE), and those of the next one on the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInterface;

/// Keeps guests on this core from ICC_SRE_EL1: nobody saves it when vCPUs change. An access traps then; where it cannot
/// (ICC_SRE_EL2.Enable is RAO/WI, IHI 0069, 12.2.26), what guests could change in it has to be constant.
///
/// # Errors
///
/// [`OpenInterface`], if neither is so.
fn close_interface() -> Result<(), OpenInterface> {
    set_interface(SYSTEM_REGISTERS | ENABLE, 0);
    let constant = read_sysreg!("icc_sre_el1") & ICC_SRE_EL2::SRE::SET.value != 0;
    set_interface(SYSTEM_REGISTERS | ENABLE, SYSTEM_REGISTERS);
    set_interface(SYSTEM_REGISTERS, SYSTEM_REGISTERS);
    let trapped = !ICC_SRE_EL2.is_set(ICC_SRE_EL2::ENABLE);
    if trapped || constant { Ok(()) } else { Err(OpenInterface) }
}

/// Writes ICC_SRE_EL2 and ICC_SRE_EL1.
fn set_interface(el2: u64, el1: u64) {
    // SAFETY: no guest runs, and EL2 uses the system registers of its own, which stay.
    unsafe {
        govern(ICC_SRE_EL2, el2);
        isb();
        write_sysreg!("icc_sre_el1", el1);
        isb();
    }
}

/// Where the CPU has the system registers though its GIC is a GICv2: nobody uses them, and guests cannot (ICC_SRE_EL2.SRE and
/// Enable), whatever firmware has left.
pub fn hide_interface() {
    let has_registers = ID_AA64PFR0_EL1.get() >> 24 & 0xf != 0;
    if has_registers {
        // SAFETY: EL2 uses the interface in memory.
        unsafe {
            govern(ICC_SRE_EL2, 0);
        }
        isb();
    }
}

/// Turns the physical CPU interface of this core on: system registers for EL2 and EL1, all priorities, group 1, and the
/// end of an interrupt split in two (ICC_CTLR_EL1.EOImode = 1), so that a guest's own EOI deactivates a linked interrupt.
///
/// # Errors
///
/// [`OpenInterface`].
pub fn init_core() -> Result<(), OpenInterface> {
    close_interface()?;
    // Until a vCPU comes: one that was left on would ask for maintenance without an end.
    set_virtual_control(0);
    // SAFETY: interrupts are masked at EL2; from here on they are taken from guests and while waiting.
    unsafe {
        write_sysreg!("icc_pmr_el1", 0xf0);
        write_sysreg!("icc_bpr1_el1", 0);
        forget_active();
        write_sysreg!("icc_ctlr_el1", 1 << 1);
        write_sysreg!("icc_igrpen1_el1", 1);
    }
    isb();
    Ok(())
}

/// Forgets the priorities that are active (ICC_AP1R<n>_EL1): what a boot loader has acknowledged and not ended would keep out
/// whatever is not more urgent.
///
/// # Safety
///
/// No interrupt of this core may be between its acknowledgement and its end.
unsafe fn forget_active() {
    // ICC_CTLR_EL1.PRIbits: with 5 bits of priority there is one register, with 6 two, with 7 four.
    let bits = (read_sysreg!("icc_ctlr_el1") >> 8 & 7) + 1;
    // SAFETY: passed on to the caller; those that there are not are not written.
    unsafe {
        write_sysreg!("icc_ap1r0_el1", 0);
        if bits > 5 {
            write_sysreg!("icc_ap1r1_el1", 0);
        }
        if bits > 6 {
            write_sysreg!("icc_ap1r2_el1", 0);
            write_sysreg!("icc_ap1r3_el1", 0);
        }
    }
}

/// Acknowledges the pending interrupt of highest priority: its identifier, or one from 1020 up for none.
///
/// Before anything is read that the interrupt announces, [`see_what_was_sent`] has to come.
#[inline(always)]
pub fn acknowledge() -> u32 {
    #[cfg(target_os = "none")]
    {
        let intid: u64;
        // SAFETY: the read makes the interrupt active, which is its purpose. Memory accesses are not moved across it.
        unsafe {
            core::arch::asm!("mrs {}, icc_iar1_el1", out(reg) intid, options(nostack, preserves_flags));
        }
        (intid & 0xff_ffff) as u32
    }
    #[cfg(not(target_os = "none"))]
    {
        crate::fake::read("icc_iar1_el1") as u32
    }
}

/// Orders an acknowledged SGI before later loads: these see what its sender wrote before it sent it.
#[inline(always)]
pub fn see_what_was_sent() {
    isb();
}

/// Drops the running priority after `intid` was acknowledged; the interrupt stays active.
#[inline(always)]
pub fn drop_priority(intid: u32) {
    // SAFETY: concerns the physical CPU interface of this core only.
    unsafe {
        write_sysreg!("icc_eoir1_el1", u64::from(intid));
    }
}

/// Deactivates `intid`.
#[inline(always)]
pub fn deactivate(intid: u32) {
    // SAFETY: concerns the physical CPU interface of this core only.
    unsafe {
        write_sysreg!("icc_dir_el1", u64::from(intid));
    }
}

/// The value of ICC_SGI1R_EL1 that sends SGI `intid` to the core with the affinity given (Aff0 up to 15).
pub const fn sgi(intid: u32, affinity: u64) -> u64 {
    let aff0 = affinity & 0xf;
    (affinity >> 32 & 0xff) << 48
        | (affinity >> 16 & 0xff) << 32
        | (intid as u64 & 0xf) << 24
        | (affinity >> 8 & 0xff) << 16
        | 1 << aff0
}

/// Sends an SGI: `value` is from [`sgi`]. What this core wrote before is seen by the one that takes it.
#[inline]
pub fn send_sgi(value: u64) {
    crate::barrier::dsb_ishst();
    // SAFETY: the target core takes the interrupt at EL2. No ISB: it is sent in any case, and nothing here waits for it.
    unsafe {
        write_sysreg!("icc_sgi1r_el1", value);
    }
}

/// ICH_HCR_EL2: virtual CPU interface on.
pub const ICH_HCR_EN: u64 = ICH_HCR_EL2::En::SET.value;
/// ICH_HCR_EL2: maintenance interrupt while no list register is pending.
pub const ICH_HCR_NPIE: u64 = ICH_HCR_EL2::NPIE::SET.value;

/// Number of list registers (ICH_VTR_EL2.ListRegs).
pub fn list_registers() -> usize {
    ICH_VTR_EL2.read(ICH_VTR_EL2::ListRegs) as usize + 1
}

/// Which list registers are empty (ICH_ELRSR_EL2).
#[inline(always)]
pub fn empty_list_registers() -> u32 {
    read_sysreg!("ich_elrsr_el2") as u32
}

/// Writes ICH_HCR_EL2.
#[inline(always)]
pub fn set_virtual_control(value: u64) {
    // SAFETY: governs what the guest's virtual CPU interface does.
    unsafe {
        govern(ICH_HCR_EL2, value);
    }
}

/// Puts the virtual CPU interface into its reset state: off for the guest, nothing pending, nothing active.
pub fn reset_virtual_interface() {
    for n in 0..list_registers() {
        write_list_register(n, 0);
    }
    VirtualInterface::default().load();
    set_virtual_control(ICH_HCR_EN);
    isb();
}

/// The virtual CPU interface of a vCPU that is not on its core, but for the list registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualInterface {
    /// ICH_VMCR_EL2: what the guest has set in its CPU interface.
    pub(crate) control: u64,
    /// `ICH_AP0R<n>_EL2` and `ICH_AP1R<n>_EL2`: the priorities of what is active.
    pub(crate) active: [[u64; 2]; 4],
}

/// The guest's priority mask (ICH_VMCR_EL2.VPMR, which is its ICC_PMR_EL1): what is less urgent or equal it does not take.
pub fn priority_mask() -> u8 {
    (ICH_VMCR_EL2.get() >> 24) as u8
}

/// How many active priority registers of each group there are: one for 5 bits of preemption, two for 6, four for 7
/// (ICH_VTR_EL2.PREbits).
#[inline(always)]
pub(crate) fn active_priority_registers() -> usize {
    match ICH_VTR_EL2.read(ICH_VTR_EL2::PREbits) {
        0..=4 => 1,
        5 => 2,
        _ => 4,
    }
}

macro_rules! active_priorities {
    ($($n:literal $group_0:ident $group_1:ident),*) => {
        impl VirtualInterface {
            /// Takes over what this core has.
            pub fn save(&mut self) {
                self.control = ICH_VMCR_EL2.get();
                let count = active_priority_registers();
                $(if $n >= count {
                    return;
                }
                self.active[$n] = [$group_0.get(), $group_1.get()];)*
            }

            /// Gives this core what was saved.
            pub fn load(&self) {
                // SAFETY: governs what the guest's virtual CPU interface does. Registers that do not exist are not named.
                unsafe {
                    govern(ICH_VMCR_EL2, self.control);
                    let count = active_priority_registers();
                    $(if $n >= count {
                        return;
                    }
                    govern($group_0, self.active[$n][0]);
                    govern($group_1, self.active[$n][1]);)*
                }
            }
        }
    };
}

active_priorities!(0 ICH_AP0R0_EL2 ICH_AP1R0_EL2, 1 ICH_AP0R1_EL2 ICH_AP1R1_EL2,
    2 ICH_AP0R2_EL2 ICH_AP1R2_EL2, 3 ICH_AP0R3_EL2 ICH_AP1R3_EL2);

macro_rules! list_register {
    ($($n:literal => $name:ident),*) => {
        /// Reads list register `n`; zero beyond the sixteenth.
        #[inline]
        pub fn read_list_register(n: usize) -> u64 {
            match n { $($n => $name.get(),)* _ => 0 }
        }

        /// Writes list register `n`; nothing beyond the sixteenth.
        ///
        /// A list register beyond [`list_registers`] is undefined: callers stay below.
        #[inline]
        pub fn write_list_register(n: usize, value: u64) {
            // SAFETY: governs which virtual interrupts the guest sees.
            unsafe {
                match n { $($n => govern($name, value),)* _ => {} }
            }
        }
    };
}

list_register!(0 => ICH_LR0_EL2, 1 => ICH_LR1_EL2, 2 => ICH_LR2_EL2, 3 => ICH_LR3_EL2,
    4 => ICH_LR4_EL2, 5 => ICH_LR5_EL2, 6 => ICH_LR6_EL2, 7 => ICH_LR7_EL2,
    8 => ICH_LR8_EL2, 9 => ICH_LR9_EL2, 10 => ICH_LR10_EL2, 11 => ICH_LR11_EL2,
    12 => ICH_LR12_EL2, 13 => ICH_LR13_EL2, 14 => ICH_LR14_EL2, 15 => ICH_LR15_EL2);
