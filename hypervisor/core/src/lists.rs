//! The list registers of the core on which the code runs.

use portcullis_arch::{gicv3, timer};

use crate::vgic::ListRegisters;

/// ICH_LR<n>_EL2 of this core.
pub struct HardwareLists;

impl ListRegisters for HardwareLists {
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

    fn set_no_pending_maintenance(&mut self, enable: bool) {
        let maintenance = if enable { gicv3::ICH_HCR_NPIE } else { 0 };
        gicv3::set_virtual_control(gicv3::ICH_HCR_EN | maintenance);
    }

    fn deactivate(&mut self, intid: u32) {
        gicv3::deactivate(intid);
    }

    fn line(&self, intid: u32) -> bool {
        1u32.checked_shl(intid).is_some_and(|bit| timer::guest_lines() & bit != 0)
    }
}
