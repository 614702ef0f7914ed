//! Devices of the board for the VMs that drive them themselves.

use portcullis_board::Range;
use portcullis_board::device::Device;
use portcullis_bundle::VmConfig;
use portcullis_core::memory::stage2::{Access, Stage2};

use crate::stop::Stop;

/// Maps the registers of a VM's devices to where they are.
pub fn map(stage2: &mut Stage2, devices: &[Device]) -> Result<(), Stop> {
    for page in devices.iter().flat_map(Device::pages) {
        stage2.map(page.start, page, Access::Device).map_err(|_| Stop::Unmappable(page))?;
    }
    Ok(())
}

/// Says what a VM with the RAM `memory` can do beyond what others can.
pub fn report(config: &VmConfig<'_>, memory: Range, devices: &[Device]) {
    let vm = config.name;
    for Device { path, registers, interrupts, .. } in devices {
        let address = registers.first().map_or(0, |region| region.start);
        let interrupts = interrupts.iter().map(|interrupt| interrupt.physical).collect::<alloc::vec::Vec<_>>();
        log::info!("{vm}: has {path} at {address:#x}, interrupts {interrupts:?}");
    }
    if config.trust_dma {
        log::warn!(
            "{vm}: trust-dma: through its devices it can read and write all memory, the hypervisor's and other VMs' too; \
             its RAM is at {:#x}",
            memory.start
        );
    }
}
