//! The transfer of the port of data, of which a machine has one at a time: how it stands, and in whose way it is.

use controls::transfer::{self, Transfer};
use controls::vm::title;

use crate::port::{Failed, Port};

/// How the transfer stands that was begun last; when it has ended, why it has failed, in words.
///
/// # Errors
/// Those of a call.
pub fn standing(port: &mut Port) -> Result<(Transfer, String), Failed> {
    let (transfer, mut reason) = (transfer::state(port)?, Vec::new());
    if !transfer.goes_on {
        transfer::reason(port, |piece| reason.extend_from_slice(piece))?;
    }
    Ok((transfer, String::from_utf8_lossy(&reason).into_owned()))
}

/// What is in the way of a transfer of this VM that is refused as BUSY, in words.
pub fn in_the_way(port: &mut Port, vm: u64) -> String {
    match transfer::state(port) {
        Ok(other) if other.goes_on => {
            let (what, whose) = (other.what_name(), title(port, other.vm));
            format!("a {what} of {whose} is in progress, and there is one transfer at a time")
        }
        _ => format!("something else is in progress with {}", title(port, vm)),
    }
}
