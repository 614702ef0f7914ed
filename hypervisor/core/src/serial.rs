//! The board's serial line with the console multiplexer, which knows VMs by their numbers.
//!
//! EL2 never waits for the serial line: what it cannot take stays in the ring, and its transmit interrupt asks for more.

use core::fmt::Arguments;
use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_arch::timer;
use portcullis_board::SerialPort;
use portcullis_console::{Attachment, Console, InputAction, LineBuffer};
use spin::{Once, mutex::TicketMutex};

/// The serial line and what is on its way to it.
pub struct Serial {
    console: TicketMutex<Console>,
    /// Which VM the keyboard and the screen belong to, and which have an open port.
    pub attachment: Attachment,
    port: Once<&'static dyn SerialPort>,
    transmit_interrupt: AtomicBool,
    /// The machine comes to an end and says why.
    ending: AtomicBool,
}

/// The machine's serial line. It exists before anything else, so that every step of the boot can be reported.
#[cfg(not(any(test, feature = "rig")))]
pub static SERIAL: Serial = Serial::new();

#[cfg(any(test, feature = "rig"))]
thread_local! {
    static OF_THREAD: &'static Serial = Box::leak(Box::new(Serial::new()));
}
/// The serial line of a test.
#[cfg(any(test, feature = "rig"))]
pub static SERIAL: crate::tests::per_thread::PerThread<Serial> = crate::tests::per_thread::PerThread(&OF_THREAD);

impl Serial {
    /// Makes a line on which nothing was said, and that is not connected.
    const fn new() -> Self {
        Self {
            console: TicketMutex::new(Console::new()),
            attachment: Attachment::new(),
            port: Once::new(),
            transmit_interrupt: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        }
    }

    /// Connects the serial line. What was printed before comes out now.
    pub fn connect(&self, port: &'static dyn SerialPort) {
        self.port.call_once(|| port);
        self.pump(&mut self.console.lock());
    }

    /// Adds the next VM to the console.
    pub fn add_vm(&self, name: &str) {
        self.console.lock().add_vm(name);
    }

    /// Prints a line of the hypervisor's own.
    pub fn log(&self, line: Arguments) {
        let mut console = self.console.lock();
        console.log(line);
        self.pump(&mut console);
    }

    /// Prints a line of the hypervisor's about VM `vm`, whose life ends by it if it is the `last` one. False: there was no room for
    /// it. To be called by [`Vm::report`](crate::vm::Vm::report) only, which bounds their number.
    pub fn log_about(&self, vm: usize, last: bool, line: Arguments) -> bool {
        let mut console = self.console.lock();
        let taken = console.log_about(vm, last, line);
        self.pump(&mut console);
        taken
    }

    /// Prints a line while the machine comes to an end, past whoever holds the console: its core may never let go.
    pub fn log_urgently(&self, line: Arguments) {
        let Some(port) = self.port.get() else { return };
        struct Direct<'a>(&'a dyn SerialPort);
        impl core::fmt::Write for Direct<'_> {
            fn write_str(&mut self, text: &str) -> core::fmt::Result {
                for byte in text.bytes() {
                    wait_for_room(self.0);
                    self.0.put(byte);
                }
                Ok(())
            }
        }
        // The first line begins on a fresh one, whatever stood there.
        let fresh = if self.ending.swap(true, Ordering::Relaxed) { "" } else { "\r\n" };
        // Who dies with the port in his hands must not wait for himself; nor for a core that was stopped so.
        if !fresh.is_empty() {
            port.seize();
        }
        let _ = core::fmt::write(&mut Direct(*port), format_args!("{fresh}portcullis: {line}\r\n"));
        // What follows may be the end, and nobody knows which line is the last one.
        wait_until_idle(*port);
    }

    /// Shows what the line of VM `vm` has to show. False: there is no room for all of it.
    pub fn submit(&self, vm: usize, line: &mut LineBuffer) -> bool {
        let mut console = self.console.lock();
        let taken = console.submit(vm, line);
        self.pump(&mut console);
        taken
    }

    /// Shows the line of VM `vm` as far as it has come.
    pub fn submit_partial(&self, vm: usize, line: &mut LineBuffer) {
        let mut console = self.console.lock();
        console.submit_partial(vm, line);
        self.pump(&mut console);
    }

    /// Shows what VM `vm`, which has stopped, left unfinished, and ends its line. False: there is no room for all of it yet.
    pub fn finish(&self, vm: usize, line: &mut LineBuffer) -> bool {
        let mut console = self.console.lock();
        let taken = console.finish(vm, line);
        self.pump(&mut console);
        taken
    }

    /// The VMs whose output had stalled and has room now, a bit each. They are told once.
    pub fn take_ready(&self) -> u32 {
        self.console.lock().take_ready()
    }

    /// What a byte that was typed is to do; `paused` and `state` as for [`Console::input`].
    pub fn input(&self, byte: u8, paused: bool, state: &dyn Fn(usize) -> &'static str) -> InputAction {
        self.console.lock().input(byte, paused, &self.attachment, state)
    }

    /// The port of VM `vm` is open, or is closed. Returns whether the terminal is attached to that VM, too.
    pub fn set_port(&self, vm: usize, open: bool) -> bool {
        self.console.lock().set_port(vm, open, &self.attachment)
    }

    /// The board's serial line, if it is connected.
    pub fn port(&self) -> Option<&'static dyn SerialPort> {
        self.port.get().copied()
    }

    /// Lets what is typed interrupt, or not.
    pub fn set_receive_interrupt(&self, enabled: bool) {
        if let Some(port) = self.port.get() {
            port.set_receive_interrupt(enabled);
        }
    }

    /// Gives the serial line what it has room for and has not been given yet.
    pub fn send(&self) {
        self.pump(&mut self.console.lock());
    }

    /// Gives the serial line what it has room for.
    fn pump(&self, console: &mut Console) {
        let Some(port) = self.port.get() else { return };
        let mut more = !console.is_empty();
        if more {
            port.send(&mut || {
                let byte = console.pop();
                more = byte.is_some();
                byte
            });
        }
        // A VM that can go on is let go on by the interrupt's handler.
        let more = more || console.has_ready();
        if self.transmit_interrupt.swap(more, Ordering::Relaxed) != more {
            port.set_transmit_interrupt(more);
        }
    }

    /// Waits until everything is out, or the serial line takes no more: for the machine's end.
    pub fn drain(&self) {
        let Some(port) = self.port.get() else { return };
        let mut console = self.console.lock();
        while let Some(byte) = console.pop() {
            if !wait_for_room(*port) {
                return;
            }
            port.put(byte);
        }
        wait_until_idle(*port);
    }
}

/// Waits until the last byte has left the port, for 10 ms at most: a FIFO of 64 bytes takes 6 at 115200 baud. A board that is off
/// or reset before that does not send the end of the line that says why.
fn wait_until_idle(port: &dyn SerialPort) {
    let end = timer::count().saturating_add(timer::frequency() / 100);
    while !port.is_idle() && timer::count() <= end {}
}

/// Waits for room in the serial line's FIFO for a second at most.
fn wait_for_room(port: &dyn SerialPort) -> bool {
    let end = timer::count().saturating_add(timer::frequency());
    while !port.has_room() {
        if timer::count() > end {
            return false;
        }
    }
    true
}
