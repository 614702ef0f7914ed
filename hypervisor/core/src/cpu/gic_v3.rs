//! GICv3 and GICv4: everything but distributor and redistributors is system registers.

use portcullis_arch::{gicv3, timer};
use portcullis_vgic::{GicVersion, ListRegisters};

use super::gic::interface;

/// The system registers of this core: ICC_* and ICH_*.
#[derive(Clone, Copy, Debug)]
pub struct V3;

interface!(V3 of gicv3, saved in v3, intid: core::convert::identity, signal: |intid, _, affinity| gicv3::sgi(intid, affinity));

impl ListRegisters for V3 {
    const SOURCES: bool = false;

    fn count(&self) -> usize {
        gicv3::list_registers()
    }

    fn read(&self, n: usize) -> u64 {
        gicv3::read_list_register(n)
    }

    #[inline]
    fn write(&mut self, n: usize, value: u64) {
        gicv3::write_list_register(n, value);
    }

    fn empty(&self) -> u32 {
        gicv3::empty_list_registers()
    }

    fn synchronize(&mut self) {
        portcullis_arch::barrier::isb();
    }

    fn set_no_pending_maintenance(&mut self, enable: bool) {
        let maintenance = if enable { gicv3::ICH_HCR_NPIE } else { 0 };
        gicv3::set_virtual_control(gicv3::ICH_HCR_EN | maintenance);
    }

    fn deactivate(&mut self, intid: u32) {
        gicv3::deactivate(intid);
    }

    fn line(&self, intid: u32) -> bool {
        timer::is_asserted(intid)
    }
}
