//! GICv3 and GICv4: everything but distributor and redistributors is system registers.

use portcullis_arch::{gicv3, timer};
use portcullis_vgic::{GicVersion, ListRegisters};

use super::gic::{Interface, VirtualInterface};

/// The system registers of this core: ICC_* and ICH_*.
#[derive(Clone, Copy, Debug)]
pub struct V3;

impl Interface for V3 {
    const VERSION: GicVersion = GicVersion::V3;

    #[inline(always)]
    fn here() -> Self {
        Self
    }

    #[inline(always)]
    fn acknowledge() -> u32 {
        gicv3::acknowledge()
    }

    #[inline(always)]
    fn intid(acknowledged: u32) -> u32 {
        acknowledged
    }

    #[inline(always)]
    fn see_what_was_sent() {
        gicv3::see_what_was_sent();
    }

    #[inline(always)]
    fn drop_priority(acknowledged: u32) {
        gicv3::drop_priority(acknowledged);
    }

    #[inline(always)]
    fn finish(acknowledged: u32) {
        gicv3::deactivate(acknowledged);
    }

    fn signal(intid: u32, _index: usize, affinity: u64) -> u64 {
        gicv3::sgi(intid, affinity)
    }

    #[inline(always)]
    fn send(signal: u64) {
        gicv3::send_sgi(signal);
    }

    fn reset_virtual_interface() {
        gicv3::reset_virtual_interface();
    }

    fn stop_virtual_interface() {
        gicv3::set_virtual_control(0);
    }

    fn save_virtual_interface(saved: &mut VirtualInterface) {
        saved.v3.save();
    }

    fn load_virtual_interface(saved: &VirtualInterface) {
        saved.v3.load();
    }
}

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
