//! Whether a machine can run a saved VM: what its header says, against a VM that was created there, in the same shape.
//!
//! What is compared is what the guest may have read and go by. Where more is as good, more is let through; where it is not, it
//! has to be the same. The first thing that is lacking is named, with what there is.

mod cpu;
mod fields;
mod flash;
mod lack;
mod link;
mod name;
mod transport;

use portcullis_abi::state::{Firmware, Needs};
use portcullis_gate::{Register, Support};

pub use cpu::{check_cpu, check_features, check_identity, is_told};
pub use flash::check_flash;
pub use lack::Lack;
pub use link::Link;
pub use transport::{check_link, check_port, check_wires};

/// How flash is named.
const FLASH: &str = "CFI flash";
/// A filter's action by which a call goes to firmware at EL3.
const FORWARD: u32 = 2;

/// Checks that a number is the same.
const fn same(what: &'static str, saved: u64, here: u64) -> Result<(), Lack> {
    if saved == here { Ok(()) } else { Err(Lack::Other { what, saved, here }) }
}

/// Checks that a VM of the shape `here` can be the saved one.
///
/// # Errors
///
/// The first [`Lack`], in the order of the structure.
pub fn check_shape(saved: &Needs, here: &Needs) -> Result<(), Lack> {
    same("vCPUs", saved.vcpus.into(), here.vcpus.into())?;
    same("bytes of memory", saved.memory, here.memory)?;
    same("as the address of its memory", saved.ram, here.ram)?;
    same("as the address of its PV time structures", saved.pv_time, here.pv_time)?;
    same("as the version of its GIC", saved.gic.into(), here.gic.into())?;
    if saved.list_registers > here.list_registers {
        return Err(Lack::Less {
            what: "list registers",
            saved: saved.list_registers.into(),
            here: here.list_registers.into(),
        });
    }
    same("Hz of its counter", saved.frequency.into(), here.frequency.into())?;
    let devices = [(Needs::UART, "PL011"), (Needs::RTC, "PL031"), (Needs::GPIO, "PL061"), (Needs::FLASH, FLASH)];
    let known = devices.iter().fold(0, |known, (bit, _)| known | bit);
    if let Some((_, name)) = devices.iter().find(|(bit, _)| saved.devices & bit & !here.devices != 0) {
        return Err(Lack::Device(name));
    }
    if saved.devices & !known != 0 {
        return Err(Lack::Device("device of a kind that is not known here"));
    }
    // What it holds came with nobody.
    if here.devices & !saved.devices & Needs::FLASH != 0 {
        return Err(Lack::NoDevice(FLASH));
    }
    match saved.transports & !here.transports {
        0 => {}
        missing => return Err(Lack::Transport(missing.trailing_zeros())),
    }
    same("ports of its console", saved.ports.into(), here.ports.into())
}

/// Checks that each firmware register can hold here what it held, and that what the filter forwards has somewhere to go:
/// `support` is what this machine serves a VM, `has_el3` says whether there is firmware at EL3.
///
/// # Errors
///
/// [`Lack`]: the first register, in their order, or the first range.
pub fn check_firmware(saved: &Firmware, support: &Support, has_el3: bool) -> Result<(), Lack> {
    for (&register, &value) in Register::ALL.iter().zip(&saved.registers) {
        support.check(register, value).map_err(Lack::Register)?;
    }
    let forwarded = saved.filter.iter().take(saved.ranges as usize).find(|range| range.action == FORWARD);
    match forwarded.filter(|_| !has_el3) {
        Some(range) => Err(Lack::Forward(range.first)),
        None => Ok(()),
    }
}
