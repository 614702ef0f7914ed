//! VMs by name and by number.

use core::fmt::Write;

use heapless::{String, Vec};
use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::map::MAX_VMS;

use crate::calls::Calls;
use crate::management;
use crate::names::Names;
use crate::number;
use crate::problem::{Problem, Wrong};

/// The names of VMs, in the order of their numbers.
pub type VmNames = Vec<String<NAME_MAX>, MAX_VMS>;

/// The names of all VMs, in the order of their numbers.
///
/// # Errors
/// Those of a call.
pub fn names<C: Calls + ?Sized>(calls: &mut C) -> Result<VmNames, C::Error> {
    let count = management::machine(calls)?.vms;
    (0..count.min(MAX_VMS as u64)).map(|vm| management::vm_name(calls, vm)).collect()
}

/// Number of the VM that a word means: a name, or a number, whether there is such a VM or not.
///
/// # Errors
/// No VM has this name, or those of a call.
pub fn find<C: Calls + ?Sized>(calls: &mut C, word: &str) -> Result<u64, Problem<C::Error>> {
    if let Some(number) = number::parse(word) {
        return Ok(number);
    }
    let names = names(calls)?;
    let position = names.iter().position(|name| name == word);
    position.map(|position| position as u64).ok_or_else(|| {
        let known = Names(names.iter().map(String::as_str));
        Problem::Wrong(Wrong::new(format_args!("no VM is called {word:?}: there are {known}")))
    })
}

/// A VM's name, or `VM number` if it has none.
pub fn title<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> String<24> {
    let mut title = String::new();
    let _ = match management::vm_name(calls, vm) {
        Ok(name) => write!(title, "{name}"),
        Err(_) => write!(title, "VM {vm}"),
    };
    title
}
