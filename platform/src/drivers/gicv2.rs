//! The physical GICv2: its distributor, through the registers that the `arm-gic` crate describes. The CPU interface is in
//! `portcullis_arch::gicv2`. References are to Arm IHI 0048.

use core::fmt;
use core::ptr::NonNull;

use arm_gic::gicv2::registers::{Gicd, GicdCtlr};
use portcullis_abi::map;
use portcullis_arch::{
    cpu,
    gicv2::{self, MAX_CORES},
};
use portcullis_board::signal::{EL2_TIMER_INTID, HALT, KICK, TRACE, WORK};
use portcullis_board::{InterruptController, Range};
use safe_mmio::{UniqueMmioPointer, field, field_shared};
use spin::Once;
use spin::mutex::TicketMutex;

use super::gicd::{Bits, Distributor};

/// Priority of every interrupt, between the lowest that is let through and the highest, in each of a word's bytes.
const PRIORITIES: u32 = 0xa0a0_a0a0;
/// Bits of priority that a list register of a GICv2 has (section 5.3.10).
const PRIORITY_BITS: u32 = 5;
/// The field of an edge-triggered interrupt in GICD_ICFGR (section 4.3.13).
const EDGE: u32 = 0b10;
/// Offset of GICD_CPENDSGIR0.
const CPENDSGIR: usize = 0xf10;
/// Number of SGIs.
const SGIS: usize = 16;
/// Offset of GICD_ITARGETSR0.
const ITARGETSR: usize = 0x800;
/// Granule of the guests' tables.
const PAGE: u64 = 0x1000;

/// Why a GICv2 cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GicV2Error {
    /// GICC ends before GICC_DIR.
    CpuInterface(Range),
    /// GICV does not consist of whole pages, or is shorter than a guest's GICC.
    VirtualInterface(Range),
    /// GICH_VTR has this value, which no virtual interface has.
    Type(u32),
}

impl fmt::Display for GicV2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CpuInterface(range) => {
                let (address, size) = (range.start, range.size());
                write!(f, "GICC at {address:#x} is {size:#x} bytes long in the device tree; a GICv2's has 0x2000")
            }
            Self::VirtualInterface(range) => write!(
                f,
                "GICV at {:#x} is {:#x} bytes long in the device tree; guests need 0x2000 from a multiple of 0x1000 on",
                range.start,
                range.size()
            ),
            Self::Type(vtr) => write!(
                f,
                "GICH_VTR is {vtr:#x}; a GICv2 with virtualization extensions has 5 priority bits and at least one list register"
            ),
        }
    }
}

/// Bytes of a frame in which each page of registers is repeated, so that each has a page of 64 KiB of its own
/// (Arm Base System Architecture, "Memory map"): two pages of them.
const MIRRORED: u64 = 0x2_0000;
/// From a frame's start to the last repetition of its first page, which its second page follows.
const LAST_REPETITION: u64 = 0xf000;
/// Offset of GICC_IIDR (section 4.4.14).
const IIDR: u64 = 0xfc;

/// GICC and GICV where the pages of each follow each other. `read` reads a register of GICC.
///
/// Some systems on chip repeat the first page of GICC sixteen times, so that the second one, with GICC_DIR, is 64 KiB further
/// on; what is 4 KiB further on is the first again. Then GICC_IIDR is found in the last repetition, too, and from there on the
/// two pages follow each other. GICV is wired as GICC is; nobody but guests reads it.
pub fn contiguous(cpu_interface: Range, virtual_interface: Range, read: impl Fn(u64) -> u32) -> (Range, Range) {
    let is_wide = |range: &Range| range.size() >= MIRRORED;
    let at = |offset: u64| read(cpu_interface.start.saturating_add(offset).saturating_add(IIDR));
    if !is_wide(&cpu_interface) || at(0) != at(LAST_REPETITION) {
        return (cpu_interface, virtual_interface);
    }
    let last = |range: Range| Range { start: range.start.saturating_add(LAST_REPETITION), ..range };
    (last(cpu_interface), if is_wide(&virtual_interface) { last(virtual_interface) } else { virtual_interface })
}

/// Whether GICC and GICV are as they are needed.
///
/// # Errors
///
/// [`GicV2Error`]: which of them is not.
pub fn check_regions(cpu_interface: Range, virtual_interface: Range) -> Result<(), GicV2Error> {
    if cpu_interface.size() < map::GICC_SIZE {
        return Err(GicV2Error::CpuInterface(cpu_interface));
    }
    if virtual_interface.size() < map::GICC_SIZE || !virtual_interface.start.is_multiple_of(PAGE) {
        return Err(GicV2Error::VirtualInterface(virtual_interface));
    }
    Ok(())
}

/// Whether GICH_VTR is that of a virtual interface that the list registers' form fits: with 5 bits of priority. Where there is
/// no virtual interface it reads as zero, which would be 1 bit.
///
/// # Errors
///
/// [`GicV2Error::Type`].
pub fn check_type(vtr: u32) -> Result<(), GicV2Error> {
    if gicv2::priority_bits_of(vtr) == PRIORITY_BITS { Ok(()) } else { Err(GicV2Error::Type(vtr)) }
}

/// A GICv2 with virtualization extensions, such as a GIC-400.
pub struct GicV2 {
    /// What takes a read and a write. VMs share it, at their starts: the lock is fair.
    distributor: TicketMutex<UniqueMmioPointer<'static, Gicd>>,
    /// What takes a write.
    registers: Distributor,
    virtual_interface: Range,
    maintenance: u32,
    /// Affinity, and bit in target lists, of each core that was initialised.
    cores: [Once<(u64, u32)>; MAX_CORES],
}

impl GicV2 {
    /// Takes over the GIC: every SPI disabled, not pending, not active, and in group 0, unless there are Security states: then
    /// groups are the firmware's, and a write to them has no effect (section 4.3.4).
    ///
    /// # Safety
    ///
    /// The address must be that of the distributor, mapped as device memory and used by nothing else, but for GICD_SGIR.
    pub unsafe fn new(distributor: NonNull<Gicd>, virtual_interface: Range, maintenance: u32) -> Self {
        // SAFETY: passed on to the caller.
        let mut gicd = unsafe { UniqueMmioPointer::new(distributor) };
        // GICD_CTLR bit 0 enables what EL2 has: group 1 in a non-secure view, else group 0 (section 4.3.1).
        field!(gicd, ctlr).write(GicdCtlr::empty());
        let lines = field_shared!(gicd, typer).read().num_irqs().min(1020) as usize;
        for word in 1..lines.div_ceil(32) {
            set_all(field!(gicd, igroupr).get(word), 0);
            set_all(field!(gicd, icenabler).get(word), u32::MAX);
            set_all(field!(gicd, icpendr).get(word), u32::MAX);
            set_all(field!(gicd, icactiver).get(word), u32::MAX);
        }
        for word in 8..lines.div_ceil(4) {
            set_all(field!(gicd, ipriorityr).get(word), PRIORITIES);
        }
        field!(gicd, ctlr).write(GicdCtlr::EnableGrp0);
        Self {
            // SAFETY: passed on to the caller.
            registers: unsafe { Distributor::at(distributor.as_ptr() as usize) },
            distributor: TicketMutex::new(gicd),
            virtual_interface: Range::sized(virtual_interface.start, map::GICC_SIZE),
            maintenance,
            cores: [const { Once::new() }; MAX_CORES],
        }
    }

    /// Enables or disables a private interrupt of the calling core: the register is its own (section 4.1.4).
    fn enable(&self, intid: u32, enabled: bool) {
        self.registers.set(if enabled { Bits::Enable } else { Bits::Disable }, intid);
    }

    /// The bit in target lists of the core with the affinity given.
    fn target(&self, affinity: u64) -> Option<u8> {
        let core = self.cores.iter().filter_map(Once::get).find(|core| core.0 == affinity);
        core.map(|core| core.1 as u8)
    }
}

/// Writes a register of an array, if it exists.
fn set_all(register: Option<UniqueMmioPointer<'_, safe_mmio::fields::ReadPureWrite<u32>>>, value: u32) {
    if let Some(mut register) = register {
        register.write(value);
    }
}

impl InterruptController for GicV2 {
    fn init_core(&self, core: usize) -> bool {
        let Some(slot) = self.cores.get(core) else {
            log::error!("core {core} is beyond the {MAX_CORES} that a GICv2 serves: it is not used");
            return false;
        };
        let mut gicd = self.distributor.lock();
        // The registers of private interrupts are this core's own.
        set_all(field!(gicd, igroupr).get(0), 0);
        set_all(field!(gicd, icenabler).get(0), u32::MAX);
        self.registers.quiet_word(0);
        for sgi in 0..SGIS {
            // SAFETY: GICD_CPENDSGIR takes bytes; ones forget what this core has pending of an SGI from others (section 4.3.15).
            unsafe { self.registers.write_byte(CPENDSGIR + sgi, u8::MAX) };
        }
        for word in 0..8 {
            set_all(field!(gicd, ipriorityr).get(word), PRIORITIES);
        }
        // GICD_ITARGETSR0 shows the reading core's own bit; with one core it reads as zero (section 4.3.12).
        let own = field!(gicd, itargetsr).get(0).map_or(0, |mut register| {
            // SAFETY: a read has no effect.
            unsafe { register.read_unsafe() }
        });
        drop(gicd);
        let own = if own & 0xff == 0 { 1 } else { own & 0xff };
        slot.call_once(|| (cpu::affinity(), own));
        for intid in [KICK, HALT, WORK, TRACE, self.maintenance, EL2_TIMER_INTID] {
            self.enable(intid, true);
        }
        gicv2::init_core(core, own as u8);
        true
    }

    fn enable_private(&self, _core: usize, intid: u32, enabled: bool) {
        if (16..32).contains(&intid) {
            self.enable(intid, enabled);
        }
    }

    fn enable_shared(&self, intid: u32, affinity: u64) {
        self.route_shared(intid, affinity);
        if self.target(affinity).is_some() {
            self.set_shared(intid, true);
        }
    }

    fn set_trigger(&self, intid: u32, edge: bool) {
        let shift = intid % 16 * 2;
        let mut gicd = self.distributor.lock();
        if let Some(mut register) = field!(gicd, icfgr).get((intid / 16) as usize) {
            let others = register.read() & !(0b11 << shift);
            register.write(others | if edge { EDGE << shift } else { 0 });
        }
    }

    fn set_shared(&self, intid: u32, enabled: bool) {
        if (32..1020).contains(&intid) {
            // The read ends when the distributor has had the write before it. One that a CPU interface had been signalled by then
            // may still be acknowledged, once (section 3.2.3).
            self.registers.enable(intid, enabled, |registers| _ = registers.get(Bits::Disable, intid));
        }
    }

    fn route_shared(&self, intid: u32, affinity: u64) {
        let Some(target) = self.target(affinity).filter(|_| (32..1020).contains(&intid)) else {
            log::error!("interrupt {intid} cannot be sent to the core with affinity {affinity:#x}: it is not used");
            return;
        };
        // SAFETY: GICD_ITARGETSRn is accessible by bytes (section 4.3.12); one says where its interrupt goes.
        unsafe { self.registers.write_byte(ITARGETSR + intid as usize, target) };
    }

    fn quiet_shared(&self, intid: u32) {
        if (32..1020).contains(&intid) {
            self.set_shared(intid, false);
            self.registers.set(Bits::ClearPending, intid);
            self.registers.set(Bits::Deactivate, intid);
        }
    }

    fn maintenance_interrupt(&self) -> u32 {
        self.maintenance
    }

    fn virtual_interface(&self) -> Option<Range> {
        Some(self.virtual_interface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GICC: Range = Range::sized(0xff84_2000, 0x2000);
    const GICV: Range = Range::sized(0xff84_6000, 0x2000);

    #[test]
    fn the_pi_s_and_qemu_s_are_right() {
        let wide = |address| Range::sized(address, 0x1_0000);
        assert_eq!(check_regions(GICC, GICV), Ok(()));
        assert_eq!(check_regions(wide(0x801_0000), wide(0x804_0000)), Ok(()));
        assert_eq!(check_type(0x9000_0003), Ok(()));
    }

    #[test]
    fn one_that_guests_cannot_have_is_refused_in_words() {
        let odd = Range::sized(0xff84_6800, GICV.size());
        let short = Range::sized(GICV.start, 0x1000);
        for region in [odd, short] {
            let error = check_regions(GICC, region).unwrap_err();
            assert_eq!(error, GicV2Error::VirtualInterface(region));
            assert!(error.to_string().starts_with("GICV at 0xff846"), "{error}");
        }
        let short = Range::sized(GICC.start, 0x1000);
        assert_eq!(check_regions(short, GICV), Err(GicV2Error::CpuInterface(short)));
        for vtr in [0, 0x3f, 0x7000_0003, 0xffff_ffff] {
            assert_eq!(check_type(vtr), Err(GicV2Error::Type(vtr)));
        }
    }

    #[test]
    fn repeated_pages_are_used_where_they_follow_each_other() {
        let (gicc, gicv) = (Range::sized(0xf902_0000, 0x2_0000), Range::sized(0xf906_0000, 0x2_0000));
        // Bits 15:12 of an address say nothing there.
        let repeated = |at: u64| if at & !0xf000 == 0xf902_00fc { 0x0202_043b } else { panic!("{at:#x}") };
        let (gicc_used, gicv_used) = contiguous(gicc, gicv, repeated);
        assert_eq!((gicc_used.start, gicv_used.start), (0xf902_f000, 0xf906_f000));
        assert_eq!((gicc_used.end, gicv_used.end, check_regions(gicc_used, gicv_used)), (gicc.end, gicv.end, Ok(())));
        // A GICV that the tree tells of as two pages is two pages.
        assert_eq!(contiguous(gicc, GICV, repeated), (gicc_used, GICV));
    }

    #[test]
    fn pages_that_follow_each_other_are_left_where_they_are() {
        let wide = Range::sized(GICC.start, 0x2_0000);
        let plain = |at: u64| if at == GICC.start + 0xfc { 0x0202_043b } else { 0 };
        assert_eq!(contiguous(wide, GICV, plain), (wide, GICV));
        for size in [0x1000, 0x2000, 0x1_0000, 0x1_f000] {
            let gicc = Range::sized(GICC.start, size);
            assert_eq!(contiguous(gicc, GICV, |_| panic!("it is no wider than two pages")), (gicc, GICV));
        }
    }

    #[test]
    fn fewer_list_registers_do() {
        assert_eq!(check_type(0x9000_0000), Ok(()));
    }
}
