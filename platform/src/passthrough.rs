//! Which devices of a board its VMs drive themselves: what a bundle asks for, held against the board's device tree. The
//! hypervisor asks at boot, the scripts before that.

use core::fmt;

use portcullis_abi::map;
use portcullis_board::Range;
use portcullis_bundle::assignment::{AssignmentError, Assignments};
use portcullis_bundle::{Bundle, VmConfig};
use portcullis_tree::Tree;

use crate::assemble;
use crate::facts::Facts;
use crate::facts::device::{DeviceError, Devices};

/// A device that a VM cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impossible {
    /// The VM.
    pub vm: &'static str,
    /// The device's path.
    pub path: &'static str,
    /// Why.
    pub why: Why,
}

/// Why a VM cannot have a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The board does not have it, or not in a form that can be given.
    Device(DeviceError),
    /// It is not for this VM.
    Assignment(AssignmentError),
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: device {}: ", self.vm, self.path)?;
        match &self.why {
            Why::Device(error) => error.fmt(f),
            Why::Assignment(error) => error.fmt(f),
        }
    }
}

/// Finds all devices that the bundle gives to VMs in the device tree `tree`, which tells the facts.
///
/// # Errors
///
/// The first device that a VM cannot have.
pub fn find(facts: &Facts, tree: &'static [u8], bundle: &Bundle<'static>) -> Result<Assignments, Impossible> {
    let mut given = Assignments::default();
    if !wanted(bundle) {
        return Ok(given);
    }
    // The facts came from it.
    let Ok(tree) = Tree::new(tree) else { return Ok(given) };
    let board = Devices::new(tree);
    let own = |intid| facts.uart.is_some_and(|uart| uart.intid == Some(intid));
    for config in bundle.vms() {
        let vm = config.name;
        for path in config.devices.iter() {
            let device = board.find(path, |page| assemble::is_taken(facts, &page));
            let device = device.map_err(|error| Impossible { vm, path, why: Why::Device(error) })?;
            let refused = given.give(vm, config.settings.trust_dma, ram(config), device, own);
            refused.map_err(|error| Impossible { vm, path, why: Why::Assignment(error) })?;
        }
    }
    for (vm, device) in given.iter() {
        let alone = board.alone(device, |path| given.has(vm, path));
        alone.map_err(|error| Impossible { vm, path: device.path, why: Why::Device(error) })?;
    }
    Ok(given)
}

/// Whether the bundle gives devices to VMs at all.
pub fn wanted(bundle: &Bundle<'_>) -> bool {
    bundle.vms().any(|config| config.devices.iter().next().is_some())
}

/// The VM's RAM in its own addresses, as far as a device can be in its way: RAM that is where it is cannot cover a device.
fn ram(config: &VmConfig<'_>) -> Range {
    Range::sized(map::RAM, if config.settings.trust_dma { 0 } else { config.memory })
}
