//! The console multiplexer: the UARTs of all VMs, the hypervisor's own log and one keyboard share the board's UART.
//!
//! Three parts, by who may touch them:
//!
//! * [`LineBuffer`], one per VM, lies beside the VM's UART behind the VM's own lock: a character costs no global lock.
//! * [`Console`], one for the machine, behind one lock. Every call does a bounded amount of work: at most one line buffer.
//! * [`Attachment`], a few atomics that say which VM has the terminal, and which have an open port.
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
//!
//! The crate knows no hardware and no UART and holds no `unsafe`. What it allocates is the memory of a [`Typed`], and what the
//! console keeps of a VM, once for each.
//!
//! # Example
//!
//! ```
//! use portcullis_console::{Attachment, Console, LineBuffer};
//!
//! let (mut console, attachment) = (Console::new(), Attachment::new());
//! let vm = console.add_vm("linux").unwrap_or_default();
//! let mut line = LineBuffer::new();
//! // The guest's UART hands over what was written to it; a finished line goes to the console.
//! let mut written = b"hello\n".iter().copied();
//! while line.fill(|| written.next(), attachment.is(vm)) && console.submit(vm, &mut line) {}
//! // The driver takes out what the board's UART is to send.
//! let sent: Vec<u8> = std::iter::from_fn(|| console.pop()).collect();
//! assert_eq!(sent, b"[linux] hello\r\n");
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

mod answer;
mod attachment;
mod choice;
mod columns;
mod console;
mod cooked;
mod escape;
mod input;
mod keys;
mod line;
mod log;
mod pressure;
mod reset;
mod ring;
mod screen;
mod tail;
#[cfg(test)]
mod tests;
mod typed;
mod vm;

pub use answer::{Answers, Part};
pub use attachment::Attachment;
pub use console::Console;
pub use input::InputAction;
pub use line::LineBuffer;
pub use pressure::{Input, Intake, PATIENCE, Pressure};
pub use reset::RESET;
pub use typed::{TYPED_MAX, Typed};
