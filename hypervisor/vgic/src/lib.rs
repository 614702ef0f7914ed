//! The virtual GIC: one model of a VM's interrupts, and thin halves for what the guest touches.
//!
//! The model (`model::Bank`) knows nothing of registers. Distributor, redistributor and list registers are views of it:
//! of GICv3 as the Arm GIC Architecture Specification has it (IHI 0069, to which all references are that name no other), and
//! of GICv2 (IHI 0048). A VM has one of the two.
//!
//! As a GICv3 the guest sees one Security state (GICD_CTLR.DS = 1) and affinity routing that cannot be switched off, no LPIs,
//! and vCPU n at affinity 0.0.0.n. An interrupt keeps the group that IGROUPR gives it, so a group 0 interrupt arrives as a
//! virtual FIQ. At reset all of them are in group 1, which suits guests that expect firmware to have done that.
//!
//! As a GICv2 it has no Security Extensions, and vCPU n is CPU interface n. At reset all interrupts are in group 0, as IHI 0048
//! has it, and arrive as virtual IRQs unless the guest asks for FIQs (GICC_CTLR.FIQEn). SGIs are always enabled, as those of a
//! GIC-400. SPIs go nowhere until the guest says where; one that it sends to several vCPUs goes to the first of them.
//!
//! Concurrency: every vCPU has an attention word that any core may set bits in; whoever turns it from zero asks for
//! that vCPU's core to be kicked. The core tests the word as its last action before it enters the guest, with
//! interrupts masked, and calls [`Vgic::flush`] when it is not zero. Locks are taken in the order: a vCPU's own state,
//! then the SPIs; no one holds two vCPUs' states.
//!
//! The crate knows no hardware, allocates nothing and holds no `unsafe`. The core's list registers are what the caller
//! passes as [`ListRegisters`]; whose core has to be kicked it is told by a [`VcpuSet`].
//!
//! # Example
//!
//! A VM with two vCPUs; an SGI goes from the first to the second:
//!
//! ```
//! use portcullis_vgic::{GicVersion, ListRegisters, Vgic};
//!
//! /// Four list registers that nobody looks at.
//! struct Idle([u64; 4]);
//!
//! impl ListRegisters for Idle {
//!     const SOURCES: bool = false;
//!     fn count(&self) -> usize {
//!         self.0.len()
//!     }
//!     fn read(&self, n: usize) -> u64 {
//!         self.0[n]
//!     }
//!     fn write(&mut self, n: usize, value: u64) {
//!         self.0[n] = value;
//!     }
//!     fn empty(&self) -> u32 {
//!         (0..4).filter(|&n| self.0[n] >> 62 == 0).fold(0, |empty, n| empty | 1 << n)
//!     }
//!     fn synchronize(&mut self) {}
//!     fn set_no_pending_maintenance(&mut self, _: bool) {}
//!     fn deactivate(&mut self, _: u32) {}
//! }
//!
//! let gic = Vgic::of_version(GicVersion::V3, 2);
//! let mut registers = Idle([0; 4]);
//! // The guest enables group 1 (GICD_CTLR), and SGI 5 on vCPU 1 (GICR_ISENABLER0 of its SGI frame).
//! let _ = gic.write_distributor(0, 0x0, 4, 1 << 1);
//! let _ = gic.write_redistributor(1, 1, 0x1_0100, 4, 1 << 5);
//! // On vCPU 1's core, before it enters the guest for the first time:
//! let _ = gic.flush(1, &mut registers);
//! // vCPU 0 writes ICC_SGI1R_EL1: INTID 5 to the target list with bit 1.
//! let kick = gic.write_sgi1r(0, 5 << 24 | 1 << 1);
//! assert!(kick.contains(1));
//! // Its core has been kicked, and looks before it enters the guest again.
//! let _ = gic.flush(1, &mut registers);
//! assert_eq!(registers.0[0] & 0xffff_ffff, 5);
//! assert!(gic.has_pending(1, &registers));
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![expect(clippy::indexing_slicing, reason = "every index is reduced to the length of its array")]

mod candidates;
mod fields;
mod flush;
mod flush_spis;
mod given;
mod identification;
mod list_register;
mod model;
mod physical;
mod private;
mod registers;
mod reset;
mod saved;
mod slots;
mod spis;
mod switch;
#[cfg(test)]
mod tests;
mod v2;
mod v3;
mod vcpu;
mod vcpu_set;
mod version;
mod wake;

use core::sync::atomic::{AtomicU32, Ordering};

use portcullis_abi::map::{MAX_VCPUS, TIMER_PHYSICAL_INTID, TIMER_VIRTUAL_INTID};
use spin::Mutex;

pub use self::given::Left;
pub use self::list_register::ListRegisters;
pub use self::private::PrivateWrite;
use self::spis::Spis;
pub use self::spis::{INTIDS, SPIS};
use self::v2::sources::Sources;
use self::vcpu::{CpuState, PRIVATE, SPI, spi};
pub use self::vcpu_set::VcpuSet;
pub use self::version::GicVersion;

/// Private interrupts that are linked to the physical ones of the same number: the EL1 timers.
pub const HARDWARE_LINKED: u32 = 1 << TIMER_VIRTUAL_INTID | 1 << TIMER_PHYSICAL_INTID;

/// The numbers of those in a set of bits that are [`HARDWARE_LINKED`].
pub fn linked(set: u32) -> impl Iterator<Item = u32> {
    [TIMER_VIRTUAL_INTID, TIMER_PHYSICAL_INTID].into_iter().filter(move |intid| set >> intid & 1 != 0)
}

/// The virtual GIC of one VM, shared by the cores that run its vCPUs.
pub struct Vgic {
    /// Number of vCPUs, 1 to [`MAX_VCPUS`].
    count: usize,
    /// The vCPUs as a bitmap.
    present: u32,
    /// GICD_CTLR's group enables: bit 0 group 0, bit 1 group 1.
    control: AtomicU32,
    vcpus: [CpuState; MAX_VCPUS],
    spis: Mutex<Spis>,
    /// What the guest sees.
    version: GicVersion,
    /// Per vCPU who has sent its SGIs. GICv2 only.
    sources: [Sources; MAX_VCPUS],
}

impl Vgic {
    /// A GICv3 out of reset, see [`Vgic::of_version`].
    #[cfg(test)]
    pub const fn new(vcpus: usize) -> Self {
        Self::of_version(GicVersion::V3, vcpus)
    }

    /// A GIC out of reset for `vcpus` vCPUs; fewer than one or more than [`MAX_VCPUS`] are brought into that range.
    pub const fn of_version(version: GicVersion, vcpus: usize) -> Self {
        let count = match vcpus {
            0 => 1,
            1..=MAX_VCPUS => vcpus,
            _ => MAX_VCPUS,
        };
        Self {
            count,
            present: u32::MAX >> (32 - count),
            control: AtomicU32::new(0),
            vcpus: match version {
                GicVersion::V2 => [const { CpuState::new(GicVersion::V2) }; MAX_VCPUS],
                GicVersion::V3 => [const { CpuState::new(GicVersion::V3) }; MAX_VCPUS],
            },
            spis: Mutex::new(Spis::new(version, count)),
            version,
            sources: [const { Sources::new() }; MAX_VCPUS],
        }
    }

    /// How many vCPUs it has.
    #[inline(always)]
    pub fn vcpu_count(&self) -> usize {
        self.count
    }

    /// Resets the whole GIC, for a VM that starts again. No vCPU may be running; each core's list registers are
    /// emptied, and physical interrupts that it still holds active are deactivated, by its next [`Vgic::flush`]. The
    /// lines of devices stay as they are: their owner drives them with [`Vgic::set_spi_level`].
    pub fn reset(&self) {
        self.control.store(0, Ordering::Relaxed);
        self.sources.iter().for_each(Sources::clear);
        for vcpu in &self.vcpus {
            vcpu.reset(self.version);
        }
        self.spis.lock().reset(self.version, self.count);
    }

    /// Drives the line of an emulated device: `intid` is an SPI, `level` true while the device asks for service.
    /// Returns the vCPUs that must look; other numbers have no effect.
    pub fn set_spi_level(&self, intid: u32, level: bool) -> VcpuSet {
        let mut spis = self.spis.lock();
        let Some((bank, bit)) = spis::position(intid) else { return VcpuSet::EMPTY };
        let changed = spis.set_line(bank, bit, level);
        self.notify_spis_here(&spis, bank, changed)
    }

    /// Takes a physical private interrupt that this vCPU's core has acknowledged with EOImode = 1 and whose priority it
    /// has dropped, so that it stays active until the guest deactivates the virtual one (LR.HW). While the guest has it
    /// disabled it waits here, and the physical one stays active. `intid` is 16 to 31; others have no effect.
    #[inline]
    pub fn raise_hardware(&self, vcpu: usize, intid: u32) {
        if let (Some(vcpu), 16..=31) = (self.vcpus.get(vcpu), intid) {
            vcpu.notify(1 << intid);
        }
    }

    /// Asks for a flush of this vCPU, because of a maintenance interrupt, or to have it look at what is not the virtual GIC's.
    /// Whether its core has to be kicked, if it is another one.
    #[inline]
    pub fn attend(&self, vcpu: usize) -> bool {
        self.vcpus.get(vcpu).is_some_and(|vcpu| vcpu.notify(PRIVATE))
    }

    /// Whether [`Vgic::flush`] has to run before the guest does.
    #[inline]
    pub fn needs_flush(&self, vcpu: usize) -> bool {
        self.vcpus.get(vcpu).is_some_and(CpuState::is_notified)
    }

    /// Whether an interrupt is ready for this vCPU: one of its list registers is pending. For a vCPU that waits in the hypervisor
    /// (PSCI CPU_SUSPEND), after [`Vgic::flush_and_see`]. The guest's own masks are not looked at.
    pub fn has_pending(&self, vcpu: usize, lrs: &impl ListRegisters) -> bool {
        self.vcpus.get(vcpu).is_some_and(|vcpu| vcpu.is_notified() || vcpu.state.lock().slots.any_pending(lrs))
    }

    /// Private interrupts that a vCPU has enabled, as a bitmap.
    pub fn enabled_private(&self, vcpu: usize) -> u32 {
        self.vcpu(vcpu).map_or(0, |vcpu| vcpu.state.lock().bank.enabled)
    }

    /// Who has sent a vCPU its SGIs.
    #[inline]
    fn sources(&self, vcpu: usize) -> &Sources {
        &self.sources[vcpu % MAX_VCPUS]
    }

    /// The vCPU `index`, if the VM has it.
    #[inline]
    fn vcpu(&self, index: usize) -> Option<&CpuState> {
        self.vcpus.get(index).filter(|_| index < self.count)
    }

    /// Tells the vCPUs that `changed` interrupts of an SPI bank concern: those that hold one in a list register, and
    /// those that one can be delivered to.
    #[inline(never)]
    fn notify_spis(&self, spis: &Spis, bank: usize, changed: u32) -> VcpuSet {
        self.notify_spis_here(spis, bank, changed)
    }

    /// [`notify_spis`](Self::notify_spis), inlined where edges of emulated devices come.
    #[inline(always)]
    fn notify_spis_here(&self, spis: &Spis, bank: usize, changed: u32) -> VcpuSet {
        let mut kick = VcpuSet::EMPTY;
        if changed == 0 {
            return kick;
        }
        let control = self.control.load(Ordering::Relaxed);
        let Some(concerns) = spis.relevant(bank, changed, control) else { return kick };
        for (index, vcpu) in self.vcpus.iter().enumerate().take(self.count) {
            if spis.concerns(index, bank, concerns) && vcpu.notify(spi(bank)) {
                kick.insert(index);
            }
        }
        kick
    }

    /// Makes every vCPU look at everything again.
    fn notify_all(&self) -> VcpuSet {
        let mut kick = VcpuSet::EMPTY;
        for (index, vcpu) in self.vcpus.iter().enumerate().take(self.count) {
            if vcpu.notify(PRIVATE | SPI) {
                kick.insert(index);
            }
        }
        kick
    }

    /// SPIs of a bank that are pending, and that are active, in list registers: those of this core (vCPU `vcpu`) as
    /// they are, others as they were at their last flush.
    fn spis_in_list_registers(&self, vcpu: usize, bank: usize, lrs: &impl ListRegisters) -> (u32, u32) {
        let bank = (bank as u32).wrapping_add(1);
        let (mut pending, mut active) = (0, 0);
        for (index, other) in self.vcpus.iter().enumerate().take(self.count) {
            let state = other.state.lock();
            let slots = &state.slots;
            let found = slots.states(bank, |n| if index == vcpu { lrs.read(n) } else { slots.value(n) });
            pending |= found.0;
            active |= found.1;
        }
        (pending, active)
    }
}
