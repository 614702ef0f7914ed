//! Which VMs have a console, by which they have serial ports, and where.

use portcullis_abi::bundle::SERIAL_PORTS;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::transports::Transports;

/// By VM: the slot of its console, if it has a serial port. `ports` has the VM of each port, and where it is asked for. It is
/// the first device in the VM's transports. More ports of one VM than there can be are reported.
pub fn consoles(
    ports: &[(usize, Span)],
    vms: &[Draft],
    transports: &mut Transports,
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<Option<usize>> {
    let console = |(vm, draft): (usize, &Draft)| {
        let mut own = ports.iter().filter(|(of, _)| *of == vm).map(|(_, span)| span);
        let slot = transports.take(vm, own.clone().next()?, "leave its serial ports out", diagnostics);
        if let Some(span) = own.nth(SERIAL_PORTS) {
            let message = format!("{} has more than {SERIAL_PORTS} serial ports", draft.title());
            diagnostics.error(span.clone(), message, "leave this one out, or lead it to another VM");
        }
        slot
    };
    vms.iter().enumerate().map(console).collect()
}
