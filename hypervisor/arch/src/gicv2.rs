//! The GICv2's registers in memory: the physical CPU interface (GICC), the control of the virtual one (GICH), and SGIs
//! (GICD_SGIR), Arm IHI 0048. Every core finds its own at the same addresses.
//!
//! As long as [`install`] was not called there is no GICv2: reads are zero, writes go nowhere.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::barrier;

/// A frame of registers; address 0 is none.
struct Frame {
    base: AtomicUsize,
    #[cfg(not(target_os = "none"))]
    fake: crate::fake::Frame,
}

/// The frame with this name, which [`install`] has yet to find.
macro_rules! absent {
    ($name:ident) => {
        Frame {
            base: AtomicUsize::new(0),
            #[cfg(not(target_os = "none"))]
            fake: crate::fake::Frame::$name,
        }
    };
}

#[cfg(target_os = "none")]
impl Frame {
    /// Address of the register at `offset`, if there is a frame.
    #[inline(always)]
    fn register(&self, offset: usize) -> Option<*mut u32> {
        let base = self.base.load(Ordering::Relaxed);
        (base != 0).then(|| (base.wrapping_add(offset)) as *mut u32)
    }

    #[inline(always)]
    fn read(&self, offset: usize) -> u32 {
        // SAFETY: `install` was given the address of these registers, mapped for ever; the callers in this module pass
        // offsets of registers that exist.
        self.register(offset).map_or(0, |register| unsafe { register.read_volatile() })
    }

    #[inline(always)]
    fn write(&self, offset: usize, value: u32) {
        if let Some(register) = self.register(offset) {
            // SAFETY: as in `read`. What a write does is for each of this module's functions to say.
            unsafe { register.write_volatile(value) }
        }
    }
}

#[cfg(not(target_os = "none"))]
impl Frame {
    fn read(&self, offset: usize) -> u32 {
        known::read(self.fake, offset)
    }

    fn write(&self, offset: usize, value: u32) {
        known::write(self.fake, offset, value);
    }
}

static GICD: Frame = absent!(Gicd);
static GICC: Frame = absent!(Gicc);
static GICH: Frame = absent!(Gich);

/// What is known of the machine's GICv2 besides its addresses.
#[cfg(target_os = "none")]
mod known {
    use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

    use super::MAX_CORES;

    static LISTS: AtomicUsize = AtomicUsize::new(0);
    static TARGETS: [AtomicU8; MAX_CORES] = [const { AtomicU8::new(0) }; MAX_CORES];

    /// Whether there is one; then its addresses are seen, too.
    #[inline(always)]
    pub fn is_found() -> bool {
        LISTS.load(Ordering::Acquire) != 0
    }

    /// There is one, with so many list registers.
    pub fn find(list_registers: usize) {
        LISTS.store(list_registers, Ordering::Release);
    }

    /// Number of list registers; 0 while there is no GICv2.
    #[inline(always)]
    pub fn lists() -> usize {
        LISTS.load(Ordering::Relaxed)
    }

    /// By the board's number of a core: its bit in target lists (GICD_SGIR.CPUTargetList), zero until the core is ready.
    #[inline(always)]
    pub fn target(core: usize) -> u8 {
        TARGETS.get(core).map_or(0, |target| target.load(Ordering::Relaxed))
    }

    pub fn set_target(core: usize, bit: u8) {
        if let Some(slot) = TARGETS.get(core) {
            slot.store(bit, Ordering::Release);
        }
    }
}
#[cfg(not(target_os = "none"))]
use crate::fake::gicv2 as known;

/// Most cores that a GICv2 serves.
pub const MAX_CORES: usize = 8;

/// GICD_SGIR.
const SGIR: usize = 0xf00;
/// Offsets of the CPU interface's registers (section 4.4).
mod gicc {
    pub const CTLR: usize = 0x0;
    pub const PMR: usize = 0x4;
    pub const BPR: usize = 0x8;
    pub const IAR: usize = 0xc;
    pub const EOIR: usize = 0x10;
    pub const APR0: usize = 0xd0;
    pub const DIR: usize = 0x1000;
}
/// Offsets of the virtual interface control registers (section 5.3).
mod gich {
    pub const HCR: usize = 0x0;
    pub const VTR: usize = 0x4;
    pub const VMCR: usize = 0x8;
    pub const ELRSR0: usize = 0x30;
    pub const APR: usize = 0xf0;
    pub const LR0: usize = 0x100;
}

/// GICC_CTLR: the enable bit of what this core may have: group 1 where the GIC has Security states, else group 0.
const CTLR_ENABLE: u32 = 1 << 0;
/// GICC_CTLR: the bits that switch the bypass off, which are the firmware's.
const CTLR_BYPASS: u32 = 0xf << 5;
/// GICC_CTLR: the end of an interrupt is split in two (EOImodeNS; EOImode where there are no Security states).
const CTLR_EOI_MODE: u32 = 1 << 9;

/// GICH_HCR: virtual CPU interface on.
pub const GICH_HCR_EN: u32 = 1 << 0;
/// GICH_HCR: maintenance interrupt while no list register is pending.
pub const GICH_HCR_NPIE: u32 = 1 << 3;

/// Makes a GICv2 known. Returns GICH_VTR, which says what its virtual interface has.
///
/// # Safety
///
/// The addresses must be those of GICD, GICC (8 KiB) and GICH of a GICv2, mapped as device memory for as long as the machine
/// runs. Nobody else may use GICC, GICH or GICD_SGIR.
pub unsafe fn install(distributor: usize, cpu_interface: usize, hypervisor_interface: usize) -> u32 {
    GICD.base.store(distributor, Ordering::Relaxed);
    GICC.base.store(cpu_interface, Ordering::Relaxed);
    GICH.base.store(hypervisor_interface, Ordering::Relaxed);
    let vtr = GICH.read(gich::VTR);
    known::find(list_registers_of(vtr));
    vtr
}

/// Number of list registers that a value of GICH_VTR stands for, 1 to 64.
pub const fn list_registers_of(vtr: u32) -> usize {
    (vtr & 0x3f) as usize + 1
}

/// Bits of priority that a value of GICH_VTR stands for, 1 to 8.
pub const fn priority_bits_of(vtr: u32) -> u32 {
    (vtr >> 29) + 1
}

/// Whether this machine has a GICv2.
#[inline]
pub fn is_present() -> bool {
    known::is_found()
}

/// Turns the physical CPU interface of this core on, number `core` of the board, whose bit in target lists is `target`: all
/// priorities, and the end of an interrupt split in two, so that a guest's own EOI deactivates a linked interrupt.
pub fn init_core(core: usize, target: u8) {
    crate::gicv3::hide_interface();
    // Until a vCPU comes: one that was left on would ask for maintenance without an end.
    GICH.write(gich::HCR, 0);
    GICC.write(gicc::PMR, 0xf0);
    GICC.write(gicc::BPR, 0);
    // What a boot loader has acknowledged and not ended would keep out whatever is not more urgent (section 4.4.16).
    GICC.write(gicc::APR0, 0);
    let bypass = GICC.read(gicc::CTLR) & CTLR_BYPASS;
    GICC.write(gicc::CTLR, bypass | CTLR_EOI_MODE | CTLR_ENABLE);
    known::set_target(core, target);
}

/// Acknowledges the pending interrupt of highest priority: GICC_IAR, with the identifier in bits 9:0, from 1020 up for none,
/// and an SGI's sender in bits 12:10.
///
/// Before anything is read that the interrupt announces, [`see_what_was_sent`] has to come.
#[inline(always)]
pub fn acknowledge() -> u32 {
    // Without a GICv2 nothing is ever pending.
    if is_present() { GICC.read(gicc::IAR) } else { SPURIOUS }
}

/// Interrupt identifier that says "nothing pending".
pub const SPURIOUS: u32 = 1023;

/// Orders an acknowledged SGI before later loads: these see what its sender wrote before it sent it.
#[inline(always)]
pub fn see_what_was_sent() {
    barrier::dmb_ishld();
}

/// Drops the running priority; `acknowledged` is what [`acknowledge`] gave. The interrupt stays active.
#[inline(always)]
pub fn drop_priority(acknowledged: u32) {
    GICC.write(gicc::EOIR, acknowledged);
}

/// Deactivates an interrupt; `acknowledged` is what [`acknowledge`] gave, or the identifier of one that is no SGI.
#[inline(always)]
pub fn deactivate(acknowledged: u32) {
    GICC.write(gicc::DIR, acknowledged);
}

/// What [`send_sgi`] takes to send SGI `intid` to the core with this number on the board.
pub const fn sgi(intid: u32, core: usize) -> u64 {
    (core as u64) << 4 | (intid as u64 & 0xf)
}

/// Sends an SGI: `value` is from [`sgi`]. What this core wrote before is seen by the one that takes it. A core that is not
/// ready gets none.
#[inline]
pub fn send_sgi(value: u64) {
    let targets = u32::from(known::target((value >> 4) as usize));
    barrier::dsb_ishst();
    GICD.write(SGIR, targets << 16 | value as u32 & 0xf);
}

/// Number of list registers (GICH_VTR.ListRegs).
#[inline]
pub fn list_registers() -> usize {
    known::lists()
}

/// Which of the first 32 list registers are empty (GICH_ELRSR0).
#[inline(always)]
pub fn empty_list_registers() -> u32 {
    GICH.read(gich::ELRSR0)
}

/// Writes GICH_HCR.
#[inline(always)]
pub fn set_virtual_control(value: u32) {
    GICH.write(gich::HCR, value);
}

/// The virtual CPU interface of a vCPU that is not on its core, but for the list registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualInterface {
    /// GICH_VMCR: what the guest has set in its CPU interface.
    pub(crate) control: u32,
    /// GICH_APR: the priorities of what is active.
    pub(crate) active: u32,
}

impl VirtualInterface {
    /// Takes over what this core has.
    pub fn save(&mut self) {
        self.control = GICH.read(gich::VMCR);
        self.active = GICH.read(gich::APR);
    }

    /// Gives this core what was saved.
    pub fn load(&self) {
        GICH.write(gich::VMCR, self.control);
        GICH.write(gich::APR, self.active);
    }
}

/// The guest's priority mask (GICH_VMCR.VMPriMask, the upper five bits of its GICC_PMR): what is less urgent or equal it does not
/// take.
pub fn priority_mask() -> u8 {
    (GICH.read(gich::VMCR) >> 24) as u8 & 0xf8
}

/// Puts the virtual CPU interface into its reset state: off for the guest, nothing pending, nothing active.
pub fn reset_virtual_interface() {
    for n in 0..list_registers() {
        write_list_register(n, 0);
    }
    VirtualInterface::default().load();
    GICH.write(gich::HCR, GICH_HCR_EN);
}

/// Reads `GICH_LR<n>`; zero for one that does not exist.
#[inline]
pub fn read_list_register(n: usize) -> u32 {
    if n < list_registers() { GICH.read(gich::LR0 + n * 4) } else { 0 }
}

/// Writes `GICH_LR<n>`; nothing for one that does not exist.
#[inline]
pub fn write_list_register(n: usize, value: u32) {
    if n < list_registers() {
        GICH.write(gich::LR0 + n * 4, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_gicv2_nothing_happens() {
        assert!(!is_present());
        assert_eq!((acknowledge(), list_registers(), empty_list_registers()), (SPURIOUS, 0, 0));
        init_core(0, 1);
        send_sgi(sgi(1, 0));
        send_sgi(sgi(1, MAX_CORES));
        reset_virtual_interface();
        write_list_register(3, 1);
        assert_eq!(read_list_register(3), 0);
    }

    #[test]
    fn type_of_the_virtual_interface() {
        // GIC-400: 4 list registers, 5 bits of priority.
        assert_eq!((list_registers_of(0x9000_0003), priority_bits_of(0x9000_0003)), (4, 5));
        assert_eq!((list_registers_of(0), priority_bits_of(0)), (1, 1));
    }
}
