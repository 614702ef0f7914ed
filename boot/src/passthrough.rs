//! Devices of the board for the VMs that drive them themselves.

use portcullis_abi::map;
use portcullis_core::bundle::{Bundle, VmConfig};
use portcullis_core::flat_tree::Tree;
use portcullis_core::memory::regions::Range;
use portcullis_core::memory::stage2::{Access, Stage2};
use portcullis_core::passthrough::{Device, Given};
use portcullis_platform::devices;
use portcullis_platform::facts::{Facts, device::Devices};

use crate::stop::Stop;

/// Finds all devices that the bundle gives to VMs, in the board's device tree at `tree`.
pub fn find(facts: &Facts, tree: &'static [u8], bundle: &Bundle<'static>) -> Result<Given, Stop> {
    let mut given = Given::default();
    if bundle.vms().all(|config| config.devices.iter().next().is_none()) {
        return Ok(given);
    }
    let Ok(tree) = Tree::new(tree) else { return Ok(given) };
    let board = Devices::new(tree);
    let own = |intid| facts.uart.is_some_and(|uart| uart.intid == Some(intid));
    for config in bundle.vms() {
        let vm = config.name;
        for path in config.devices.iter() {
            let device = board.find(path, |page| devices::is_taken(facts, &page));
            let device = device.map_err(|error| Stop::Device { vm, path, error })?;
            let refused = given.give(vm, config.trust_dma, ram(config), device, own);
            refused.map_err(|refusal| Stop::Refused { vm, path, refusal })?;
        }
    }
    for (vm, device) in given.iter() {
        let alone = board.alone(device, |path| given.has(vm, path));
        alone.map_err(|error| Stop::Device { vm, path: device.path, error })?;
    }
    Ok(given)
}

/// The VM's RAM in its own addresses, as far as a device can be in its way: RAM that is where it is cannot cover a device.
fn ram(config: &VmConfig<'_>) -> Range {
    Range::sized(map::RAM, if config.trust_dma { 0 } else { config.memory })
}

/// Where to look for the RAM of a VM whose devices write to it, in this order. Where it lies is also where the VM sees it, so
/// not below what the VM has there; and as low as devices with few address lines need it.
pub const BOUNDS: [Range; 3] = [bounds(1 << 30), bounds(4 << 30), bounds(u64::MAX)];

const fn bounds(end: u64) -> Range {
    Range { start: 0x1000_0000, end }
}

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
        let address = registers.first().map_or(0, |region| region.address);
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
