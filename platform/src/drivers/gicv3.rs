//! The physical GICv3: distributor and redistributors, by the `arm-gic` crate. The CPU interface is system registers.

use core::ptr::NonNull;

use arm_gic::gicv3::{
    GicDistributor, GicRedistributor,
    registers::{Gicd, GicrSgi},
};
use arm_gic::{IntId, Trigger};
use portcullis_arch::{cpu, gicv3};
use portcullis_board::signal::{EL2_TIMER_INTID, HALT, KICK, TRACE, WORK};
use portcullis_board::{InterruptController, Range};
use safe_mmio::UniqueMmioPointer;
use spin::Once;
use spin::mutex::{Mutex, TicketMutex};

use super::gicd::{Bits, Distributor};
use super::gicr::Redistributor;
use super::redistributors::{self, Typer};
use crate::facts::{List, REDISTRIBUTOR_FRAME, REDISTRIBUTOR_SIZE};

/// Most cores that are served.
const MAX_CORES: usize = 16;

/// Offset of GICD_IROUTER0 (IHI 0069, section 12.9.22).
const IROUTER: usize = 0x6000;
/// GICD_IROUTERn: Aff3 and Aff2 to Aff0. What is between them sends an interrupt to any core.
const AFFINITY: u64 = 0xff_00ff_ffff;

const _: () = assert!(size_of::<GicrSgi>() as u64 == REDISTRIBUTOR_SIZE);

/// What is written to the distributor never takes effect (GICD_CTLR.RWP), as where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSettled;

/// A GICv3 or GICv4.
pub struct GicV3 {
    /// What takes a read and a write. VMs share it, at their starts: the lock is fair.
    distributor: TicketMutex<GicDistributor<'static>>,
    /// What takes a write.
    registers: Distributor,
    /// The regions of redistributors.
    regions: List<Range, 4>,
    /// From one redistributor to the next, if the device tree tells.
    stride: Option<u64>,
    redistributors: [Mutex<Option<GicRedistributor<'static>>>; MAX_CORES],
    maintenance: u32,
    /// It was said that the distributor does not put into effect what it is told.
    not_settled: Once<()>,
}

impl GicV3 {
    /// Takes over the GIC: every SPI disabled, not pending, not active, in group 1, level-sensitive until configured otherwise.
    ///
    /// # Errors
    ///
    /// [`NotSettled`].
    ///
    /// # Safety
    ///
    /// The addresses must be those of the distributor and of redistributors, mapped as device memory and used by nothing else.
    pub unsafe fn new(
        distributor: NonNull<Gicd>,
        regions: List<Range, 4>,
        stride: Option<u64>,
        maintenance: u32,
    ) -> Result<Self, NotSettled> {
        // SAFETY: passed on to the caller.
        let registers = unsafe { Distributor::at(distributor.as_ptr() as usize) };
        // SAFETY: passed on to the caller.
        let mut distributor = GicDistributor::new(unsafe { UniqueMmioPointer::new(distributor) });
        // The driver waits without an end.
        if !registers.quiet_shared(distributor.typer().num_spis() + 32) {
            return Err(NotSettled);
        }
        distributor.configure_default_settings();
        Ok(Self {
            distributor: TicketMutex::new(distributor),
            registers,
            regions,
            stride,
            redistributors: [const { Mutex::new(None) }; MAX_CORES],
            maintenance,
            not_settled: Once::new(),
        })
    }

    /// The redistributor of the calling core, its first frame, and the one that has the registers of private interrupts.
    fn find_redistributor(&self) -> Option<(GicRedistributor<'static>, Redistributor, Distributor)> {
        let _one_at_a_time = self.distributor.lock();
        // SAFETY: `new` was given regions of redistributors, and `find` looks at none beyond them. Of each core's redistributor
        // only that core makes a lasting handle.
        let handle =
            |at: u64| unsafe { Some(GicRedistributor::new(UniqueMmioPointer::new(NonNull::new(at as *mut GicrSgi)?))) };
        let look = |at| {
            // There is none at address 0.
            let typer = handle(at).map(|redistributor| redistributor.typer());
            Typer {
                affinity: typer.map_or(u64::MAX, |typer| typer.core_mpidr()),
                is_last: typer.is_none_or(|typer| typer.last_redistributor()),
                has_virtual_lpis: typer.is_some_and(|typer| typer.virtual_lpis_supported()),
            }
        };
        let at = redistributors::find(&self.regions, self.stride, cpu::affinity(), look)?;
        let private = at.checked_add(REDISTRIBUTOR_FRAME)?;
        // SAFETY: the frames of a redistributor of the regions, the second with the registers of this core's private interrupts.
        let (control, private) = unsafe { (Redistributor::at(at as usize), Distributor::at(private as usize)) };
        Some((handle(at)?, control, private))
    }
}

/// Whether this is the INTID of an SPI.
fn is_shared(intid: u32) -> bool {
    (32..1020).contains(&intid)
}

impl InterruptController for GicV3 {
    fn init_core(&self, core: usize) -> bool {
        let (Some(slot), Some((mut redistributor, control, private))) =
            (self.redistributors.get(core), self.find_redistributor())
        else {
            log::error!(
                "core {core} has no GIC redistributor in the device tree's regions, or its number is above 15: it is not used"
            );
            return false;
        };
        // The driver waits without an end.
        if let Err(stuck) = control.wake() {
            log::error!("core {core}: its GIC redistributor {stuck}: it is not used");
            return false;
        }
        redistributor.configure_default_settings();
        private.quiet_word(0);
        for sgi in [KICK, HALT, WORK, TRACE] {
            let _ = redistributor.enable_interrupt(IntId::sgi(sgi), true);
        }
        *slot.lock() = Some(redistributor);
        if gicv3::init_core().is_err() {
            log::error!(
                "core {core}: guests could turn off the GIC's system registers of each other (ICC_SRE_EL1.SRE): it is not used"
            );
            return false;
        }
        self.enable_private(core, self.maintenance, true);
        self.enable_private(core, EL2_TIMER_INTID, true);
        true
    }

    fn enable_private(&self, core: usize, intid: u32, enabled: bool) {
        let Some(slot) = self.redistributors.get(core) else { return };
        if let (Some(redistributor), Some(ppi)) = (slot.lock().as_mut(), intid.checked_sub(16).filter(|&ppi| ppi < 16))
        {
            let _ = redistributor.enable_interrupt(IntId::ppi(ppi), enabled);
        }
    }

    fn enable_shared(&self, intid: u32, affinity: u64) {
        let Some(spi) = intid.checked_sub(32).filter(|&spi| spi < 988) else { return };
        let mut distributor = self.distributor.lock();
        let interrupt = IntId::spi(spi);
        if distributor
            .set_routing(interrupt, Some(affinity))
            .and_then(|()| distributor.enable_interrupt(interrupt, true))
            .is_err()
        {
            log::error!("interrupt {intid} is beyond what the GIC has: it is not used");
        }
    }

    fn set_trigger(&self, intid: u32, edge: bool) {
        let Some(spi) = intid.checked_sub(32).filter(|&spi| spi < 988) else { return };
        let trigger = if edge { Trigger::Edge } else { Trigger::Level };
        let _ = self.distributor.lock().set_trigger(IntId::spi(spi), trigger);
    }

    fn set_shared(&self, intid: u32, enabled: bool) {
        if is_shared(intid) {
            self.registers.enable(intid, enabled, |registers| {
                if !registers.settle() {
                    self.not_settled
                        .call_once(|| log::error!("the GIC does not say that an interrupt is disabled (RWP)"));
                }
            });
        }
    }

    fn route_shared(&self, intid: u32, affinity: u64) {
        if is_shared(intid) {
            let register = IROUTER + intid as usize * 8;
            // SAFETY: GICD_IROUTERn of an SPI says where it goes, and nothing else.
            unsafe { self.registers.write_double(register, affinity & AFFINITY) };
        }
    }

    fn quiet_shared(&self, intid: u32) {
        if !is_shared(intid) {
            return;
        }
        self.set_shared(intid, false);
        self.registers.set(Bits::ClearPending, intid);
        self.registers.set(Bits::Deactivate, intid);
    }

    fn maintenance_interrupt(&self) -> u32 {
        self.maintenance
    }
}
