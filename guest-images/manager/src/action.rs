//! An action of the lifecycle, asked for once.

use controls::calls::Calls;
use controls::lifecycle::Action;
use controls::management;
use controls::report::vms::doing;
use controls::vm::title;

use crate::error::Error;
use crate::port::Port;

/// Makes the call of an action once, and says what the VM does then. Who waits for more looks again.
///
/// # Errors
/// The VM is in no state for it, or the port failed.
pub fn ask(port: &mut Port, action: &Action, vm: u64) -> Result<String, Error> {
    port.call(action.function, [vm, 0, 0]).map_err(|failed| action.explain(port, vm, failed))?;
    let (name, state) = (title(port, vm), management::vm_state(port, vm)?);
    Ok(format!("{}: {name} is {}", action.name, doing(&state)))
}
