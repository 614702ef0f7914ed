//! The physical GICv3: distributor and redistributors, by the `arm-gic` crate. The CPU interface is system registers.

use core::ptr::NonNull;

use arm_gic::gicv3::{
    GicDistributor, GicRedistributor, GicRedistributorIterator,
    registers::{Gicd, GicrSgi},
};
use arm_gic::{IntId, Trigger};
use portcullis_arch::{cpu, gicv3};
use portcullis_board::signal::{EL2_TIMER_INTID, HALT, KICK};
use portcullis_board::{InterruptController, Range};
use safe_mmio::UniqueMmioPointer;
use spin::Once;
use spin::mutex::{Mutex, TicketMutex};

use super::gicd::{Bits, Distributor};

/// Most cores that are served.
const MAX_CORES: usize = 16;

/// Offset of GICD_IROUTER0 (IHI 0069, section 12.9.22).
const IROUTER: usize = 0x6000;
/// GICD_IROUTERn: Aff3 and Aff2 to Aff0. What is between them sends an interrupt to any core.
const AFFINITY: u64 = 0xff_00ff_ffff;

/// Bytes of a redistributor's two frames.
const FRAMES: u64 = size_of::<GicrSgi>() as u64;

/// A GICv3 or GICv4.
pub struct GicV3 {
    /// What takes a read and a write. VMs share it, at their starts: the lock is fair.
    distributor: TicketMutex<GicDistributor<'static>>,
    /// What takes a write.
    registers: Distributor,
    /// The redistributors.
    row: Range,
    redistributors: [Mutex<Option<GicRedistributor<'static>>>; MAX_CORES],
    maintenance: u32,
    /// It was said that the distributor does not put into effect what it is told.
    not_settled: Once<()>,
}

impl GicV3 {
    /// Takes over the GIC: every SPI disabled, not pending, not active, in group 1, level-sensitive until configured otherwise.
    ///
    /// # Safety
    ///
    /// The addresses must be those of the distributor and of a contiguous row of redistributors, mapped as device memory and
    /// used by nothing else.
    pub unsafe fn new(distributor: NonNull<Gicd>, redistributors: Range, maintenance: u32) -> Self {
        // SAFETY: passed on to the caller.
        let registers = unsafe { Distributor::at(distributor.as_ptr() as usize) };
        // SAFETY: passed on to the caller.
        let mut distributor = GicDistributor::new(unsafe { UniqueMmioPointer::new(distributor) });
        registers.quiet_shared(distributor.typer().num_spis() + 32);
        distributor.configure_default_settings();
        Self {
            distributor: TicketMutex::new(distributor),
            registers,
            row: redistributors,
            redistributors: [const { Mutex::new(None) }; MAX_CORES],
            maintenance,
            not_settled: Once::new(),
        }
    }

    /// The redistributor of the calling core: they say themselves whose they are (GICR_TYPER.Affinity_Value). The row ends where
    /// one says that it is the last, and in any case where the region does: what is behind is nobody's.
    fn find_redistributor(&self) -> Option<(GicRedistributor<'static>, Distributor)> {
        let _one_at_a_time = self.distributor.lock();
        let start = NonNull::new(self.row.start as *mut GicrSgi).filter(|_| self.row.size() >= FRAMES)?;
        // SAFETY: `new` was given a valid row; of each core's redistributor only that core makes a lasting handle.
        let mut all = unsafe { GicRedistributorIterator::new(start) }.ok()?;
        let first = all.next()?;
        // With virtual LPIs there are two frames more (IHI 0069, section 12.10).
        let size = FRAMES << u32::from(first.typer().virtual_lpis_supported());
        let fitting = usize::try_from(self.row.size() / size).ok()?;
        let mut row = core::iter::once(first).chain(all).take(fitting).zip(0..);
        let (redistributor, number) =
            row.find(|(redistributor, _)| redistributor.typer().core_mpidr() == cpu::affinity())?;
        let private = self.row.start + number * size + FRAMES / 2;
        // SAFETY: the second frame of a redistributor of the row, with the registers of this core's private interrupts.
        Some((redistributor, unsafe { Distributor::at(private as usize) }))
    }
}

/// Whether this is the INTID of an SPI.
fn is_shared(intid: u32) -> bool {
    (32..1020).contains(&intid)
}

impl InterruptController for GicV3 {
    fn init_core(&self, core: usize) -> bool {
        let (Some(slot), Some((mut redistributor, private))) =
            (self.redistributors.get(core), self.find_redistributor())
        else {
            log::error!(
                "core {core} has no GIC redistributor in the first region, or its number is above 15: it is not used"
            );
            return false;
        };
        // A core that firmware has woken already is an error to the driver, not to us.
        let _ = redistributor.mark_core_awake();
        redistributor.configure_default_settings();
        private.quiet_word(0);
        for sgi in [KICK, HALT] {
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
