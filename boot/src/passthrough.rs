//! Devices of the board for the VMs that drive them themselves.

use portcullis_abi::map;
use portcullis_core::bundle::{Bundle, VmConfig};
use portcullis_core::flat_tree::Tree;
use portcullis_core::memory::regions::{Range, Regions};
use portcullis_core::memory::stage2::{Access, Stage2};
use portcullis_core::passthrough::{Device, Given};
use portcullis_core::vm::Vm;
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

/// Takes RAM for a VM whose devices write to it: where it lies is also where the VM sees it, so not below what the VM has
/// there, and as low as devices with few address lines need it.
pub fn allocate(free: &mut Regions, size: u64, align: u64) -> Option<Range> {
    const LOWEST: u64 = 0x1000_0000;
    const GIB: u64 = 1 << 30;
    [GIB, 4 * GIB, u64::MAX].into_iter().find_map(|end| free.allocate_within(size, align, Range { start: LOWEST, end }))
}

/// Maps the registers of a VM's devices to where they are.
pub fn map(stage2: &mut Stage2, devices: &[Device]) -> Result<(), Stop> {
    for page in devices.iter().flat_map(Device::pages) {
        stage2.map(page.start, page, Access::Device).map_err(|_| Stop::Unmappable(page))?;
    }
    Ok(())
}

/// Says what a VM can do beyond what others can.
pub fn report(vm: &Vm) {
    for Device { path, registers, interrupts, .. } in &vm.devices {
        let address = registers.first().map_or(0, |region| region.address);
        let interrupts = interrupts.iter().map(|interrupt| interrupt.physical).collect::<alloc::vec::Vec<_>>();
        log::info!("{}: has {path} at {address:#x}, interrupts {interrupts:?}", vm.name());
    }
    if vm.config.trust_dma {
        log::warn!(
            "{}: trust-dma: through its devices it can read and write all memory, the hypervisor's and other VMs' too; \
             its RAM is at {:#x}",
            vm.name(),
            vm.ram
        );
    }
}
