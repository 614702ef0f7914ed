//! Which VMs have a console, at which their serial ports are and the control VM's port, and where.

use portcullis_abi::bundle::{OWN_PORTS, SERIAL_PORTS};

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::transports::Transports;

/// By VM: the slot of its console, if it has a port there. `ports` has the VM of each serial port, and where it is asked for, and
/// `controls` the control VM with where its own port is; `control` is its number. A console is the first device in the VM's
/// transports. More serial ports of one VM than there can be are reported.
pub fn consoles(
    ports: &[(usize, Span)],
    controls: Option<&(usize, Span)>,
    control: Option<usize>,
    vms: &[Draft],
    transports: &mut Transports,
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<Option<usize>> {
    let console = |(vm, draft): (usize, &Draft)| {
        let mut own = ports.iter().filter(|(of, _)| *of == vm).map(|(_, span)| span);
        let first = own.clone().next().map(|span| (span, "leave its serial ports out"));
        let managing = controls.filter(|(of, _)| *of == vm).map(|(_, span)| (span, "leave `control-port` out"));
        let (span, without) = first.or(managing)?;
        let slot = transports.take(vm, span, without, diagnostics);
        let (most, but) = match control {
            Some(control) if control == vm => {
                (SERIAL_PORTS - OWN_PORTS, " besides those by which it manages the machine")
            }
            _ => (SERIAL_PORTS, ""),
        };
        if let Some(span) = own.nth(most) {
            let message = format!("{} has more than {most} serial ports{but}", draft.title());
            diagnostics.error(span.clone(), message, "leave this one out, or lead it to another VM");
        }
        slot
    };
    vms.iter().enumerate().map(console).collect()
}
