//! The wires between VMs, as they are laid before any VM is made.

use alloc::boxed::Box;
use alloc::vec::Vec;

use portcullis_abi::map;

use crate::devices::gpio::Gpio;

/// An end of a wire: the VM's number, and the line of its GPIO controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireEnd {
    /// The VM.
    pub vm: usize,
    /// The line, below [`map::GPIO_LINES`].
    pub line: usize,
}

/// A wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Who drives it.
    pub from: WireEnd,
    /// Who sees what is driven.
    pub to: WireEnd,
}

/// Lays the wires between so many VMs. Returns the controller of each VM that has an end of one. A line has one wire: the bundle was
/// checked for that.
pub fn lay(vms: usize, wires: &[Wire]) -> Vec<Option<&'static Gpio>> {
    let bit = |end: &WireEnd| 1u8.checked_shl(end.line as u32).unwrap_or(0);
    let controllers: Vec<Option<&'static Gpio>> = (0..vms)
        .map(|vm| {
            let has_end = wires.iter().any(|wire| wire.from.vm == vm || wire.to.vm == vm);
            let outputs =
                wires.iter().map(|wire| &wire.from).filter(|end| end.vm == vm).fold(0, |all, end| all | bit(end));
            has_end.then(|| &*Box::leak(Box::new(Gpio::new(vm, outputs))))
        })
        .collect();
    let controller = |vm: usize| controllers.get(vm).copied().flatten();
    for (vm, own) in controllers.iter().enumerate().filter_map(|(vm, own)| Some((vm, (*own)?))) {
        let mut ends = [None; map::GPIO_LINES];
        for wire in wires.iter().filter(|wire| wire.from.vm == vm) {
            if let Some(end) = ends.get_mut(wire.from.line) {
                *end = controller(wire.to.vm).map(|other| (other, bit(&wire.to)));
            }
        }
        own.connect(ends);
    }
    controllers
}
