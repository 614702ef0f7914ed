//! The console multiplexer: the UARTs of all VMs, the hypervisor's own log and one keyboard share the board's UART.
//!
//! Three parts, by who may touch them:
//!
//! * [`LineBuffer`], one per VM, lies beside the VM's UART behind the VM's own lock: a character costs no global lock.
//! * [`Console`], one for the machine, behind one lock. Every call does a bounded amount of work: at most one line buffer.
//! * [`Attachment`], a lone atomic that says which VM has the terminal.
//!
//! Lock order: a VM's lock, then the console's; never the other way round. What the caller does:
//!
//! ```text
//! guest wrote DR or CR      while line.fill(|| uart.transmitted(), attachment.is(vm)) && console.submit(vm, line) {}
//! console has output        driver: while its FIFO has room, console.pop(); at each submit, log and TX interrupt
//! after popping             for each VM in console.take_ready(), console unlocked: the loop of the first line once more
//! a key                     console.input(byte, paused, attachment, state); then the two lines above
//! every 20 ms or so         per VM: if line.tick() { console.submit_partial(vm, line) }
//! VM stops                  console.finish(vm, line); if that says false, again at the next tick
//! ```
//!
//! EL2 never waits: if the ring lacks room [`Console::submit`] says false, the characters stay in the line buffer, then in
//! the UART's FIFO, and the guest sees TXFF.

mod answer;
mod attachment;
mod cooked;
mod guest;
mod input;
mod line;
mod log;
mod output;
mod pressure;
mod ring;
mod screen;
mod tail;
mod terminal;
#[cfg(test)]
mod tests;
mod typed;

pub use attachment::Attachment;
pub use input::InputAction;
pub use line::LineBuffer;
pub use output::Console;
pub use pressure::{Intake, PATIENCE, Pressure};
pub use typed::{TYPED_MAX, Typed};
