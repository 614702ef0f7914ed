//! The wires between VMs, as they are laid before any VM is made.

use alloc::boxed::Box;
use alloc::vec::Vec;

use portcullis_abi::map;
use portcullis_bundle::links::{Wire, WireEnd};

use crate::devices::gpio::Gpio;
use crate::links::wire::Wire as LaidWire;

/// What there is to know of wires that are laid so.
pub fn report(wires: &[Wire<'static>], controllers: &[Option<&'static Gpio>]) -> Vec<LaidWire> {
    let end = |end: &WireEnd| Some((controllers.get(end.vm).copied().flatten()?, end.line));
    let laid = |wire: &Wire<'static>| Some(LaidWire { name: wire.name, ends: [end(&wire.from)?, end(&wire.to)?] });
    wires.iter().filter_map(laid).collect()
}

/// Lays the wires between so many VMs. Returns the controller of each VM that has an end of one. A line has one wire: the
/// bundle was checked for that.
pub fn lay(vms: usize, wires: &[Wire<'static>]) -> Vec<Option<&'static Gpio>> {
    let bit = |end: &WireEnd| 1u8.checked_shl(end.line as u32).unwrap_or(0);
    let controllers: Vec<Option<&'static Gpio>> = (0..vms)
        .map(|vm| {
            let has_end = wires.iter().any(|wire| wire.from.vm == vm || wire.to.vm == vm);
            let outputs =
                wires.iter().map(|wire| &wire.from).filter(|end| end.vm == vm).fold(0, |all, end| all | bit(end));
            let mut names = [""; map::GPIO_LINES];
            for (wire, end) in
                wires.iter().flat_map(|wire| wire.ends().map(|end| (wire, end))).filter(|(_, end)| end.vm == vm)
            {
                if let Some(name) = names.get_mut(end.line) {
                    *name = wire.name;
                }
            }
            has_end.then(|| &*Box::leak(Box::new(Gpio::new(vm, outputs, names))))
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
