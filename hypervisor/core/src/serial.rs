//! The one terminal: brings together the board's serial line, the console multiplexer and the VMs' UARTs.
//!
//! EL2 never waits for the serial line: what it cannot take stays in the ring, and its transmit interrupt asks for more.

use core::fmt::Arguments;
use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_abi::map;
use portcullis_arch::timer;
use portcullis_board::SerialPort;
use portcullis_console::{Attachment, Console, LineBuffer};
use portcullis_devices::uart::registers::{CR, DR, LCR_H};
use spin::{Once, mutex::TicketMutex};

use crate::cpu::physical_core::{Processor, Timer};
use crate::devices::port::Port;
use crate::machine::Machine;
use crate::run::keyboard::Keyboard;
use crate::vm::{Vm, report::Occasion};

/// An unfinished line is looked at again after this part of a second.
const STANDING: u64 = 50;
/// The same, while one stands that was not finished by then.
const STILL_STANDING: u64 = 10;
/// The same, if another one was shown instead.
const NEXT_STANDING: u64 = 1000;

/// The terminal.
pub struct Terminal {
    pub(crate) console: TicketMutex<Console>,
    pub(crate) attachment: Attachment,
    pub(crate) serial: Once<&'static dyn SerialPort>,
    pub(crate) keyboard: Keyboard,
    transmit_interrupt: AtomicBool,
    /// The machine comes to an end and says why.
    ending: AtomicBool,
}

/// The machine's terminal. It exists before anything else, so that every step of the boot can be reported.
pub static TERMINAL: Terminal = Terminal {
    console: TicketMutex::new(Console::new()),
    attachment: Attachment::new(),
    serial: Once::new(),
    keyboard: Keyboard::new(),
    transmit_interrupt: AtomicBool::new(false),
    ending: AtomicBool::new(false),
};

impl Terminal {
    /// Connects the serial line. What was printed before comes out now.
    pub fn connect(&self, serial: &'static dyn SerialPort) {
        self.serial.call_once(|| serial);
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

    /// Prints a line of the hypervisor's about VM `vm`. False: there was no room for it. To be called by
    /// [`Vm::report`] only, which bounds their number.
    pub fn log_about(&self, vm: usize, occasion: Occasion, line: Arguments) -> bool {
        let mut console = self.console.lock();
        let taken = console.log_about(vm, occasion == Occasion::End, line);
        self.pump(&mut console);
        taken
    }

    /// Prints a line while the machine comes to an end, past whoever holds the console: its core may never let go.
    pub fn log_urgently(&self, line: Arguments) {
        let Some(serial) = self.serial.get() else { return };
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
        let _ = core::fmt::write(&mut Direct(*serial), format_args!("{fresh}portcullis: {line}\r\n"));
    }

    /// A guest's read of its UART.
    pub fn read_uart(&self, vm: &Vm, offset: u64) -> u64 {
        let mut port = vm.port.lock();
        let value = port.uart.read(offset);
        if offset == DR {
            self.supply(vm, &mut port);
        }
        u64::from(value)
    }

    /// A guest's write to its UART.
    pub fn write_uart(&self, vm: &Vm, offset: u64, value: u64) {
        let mut port = vm.port.lock();
        port.uart.write(offset, value as u32);
        match offset {
            DR => self.take_output(vm, &mut port),
            CR => {
                self.take_output(vm, &mut port);
                return self.supply(vm, &mut port);
            }
            LCR_H => return self.supply(vm, &mut port),
            _ => {}
        }
        self.drive_line(vm, &mut port);
    }

    pub(crate) fn drive_line(&self, vm: &Vm, port: &mut Port) {
        if let Some(level) = port.take_level_change() {
            // The one on this core looks on its way back to the guest.
            let here = Processor::current().and_then(Processor::loaded).filter(|vcpu| core::ptr::eq(vcpu.vm, vm));
            let set = vm.vgic.set_spi_level(map::UART_INTID, level);
            vm.kick(here.map_or(set, |vcpu| set.without(vcpu.index)));
        }
    }

    /// Moves what the UART has sent to the line, and finished lines to the console.
    fn take_output(&self, vm: &Vm, port: &mut Port) {
        let Port { uart, line, .. } = port;
        while line.fill(|| uart.transmitted(), self.attachment.is(vm.index)) {
            if !self.submit(vm, line) {
                return;
            }
        }
        if !line.is_empty()
            && let Some(processor) = Processor::current()
        {
            processor.arm_once(Timer::StandingLine, || timer::count().saturating_add(timer::frequency() / STANDING));
        }
    }

    /// Gives the console what a line buffer has to show. False: it has no room for all of it. Out of line: most characters
    /// only go to the buffer.
    #[inline(never)]
    fn submit(&self, vm: &Vm, line: &mut LineBuffer) -> bool {
        let mut console = self.console.lock();
        let taken = console.submit(vm.index, line);
        self.pump(&mut console);
        taken
    }

    /// A while has passed since a VM on this core left a line unfinished: shows one that has stood long enough. Returns in how
    /// many ticks of the counter it has to be looked again. One at a time: this core's guest may be nobody of those.
    pub fn show_standing(&self, vms: &[Vm]) -> Option<u64> {
        let (mut shown, mut stands, mut more) = (false, false, false);
        for vm in vms {
            // A guest that hammers its UART has it most of the time: next time, then.
            let Some(mut port) = vm.port.try_lock() else {
                stands = true;
                continue;
            };
            match (port.line.tick(), shown) {
                (true, false) => {
                    let mut console = self.console.lock();
                    console.submit_partial(vm.index, &mut port.line);
                    self.pump(&mut console);
                    shown = true;
                }
                (due, _) => more |= due,
            }
            stands |= !port.line.is_empty();
        }
        let part = if more { NEXT_STANDING } else { STILL_STANDING };
        stands.then(|| timer::frequency() / part)
    }

    /// Shows what a VM that has stopped left unfinished.
    pub fn finish_line(&self, vm: &Vm) {
        let mut port = vm.port.lock();
        self.take_output(vm, &mut port);
        let mut console = self.console.lock();
        console.finish(vm.index, &mut port.line);
        self.pump(&mut console);
    }

    /// Resets a VM's UART, and lowers its interrupt line.
    pub fn reset_uart(&self, vm: &Vm) {
        let mut port = vm.port.lock();
        port.reset();
        self.supply(vm, &mut port);
    }

    /// The serial line interrupts: it has received something, or has room again.
    pub fn serve(&self) {
        let Some(serial) = self.serial.get() else { return };
        self.take_input(*serial);
        self.pump(&mut self.console.lock());
        self.resume_stalled();
    }

    /// Lets VMs go on whose output had stalled and has room now.
    fn resume_stalled(&self) {
        let ready = self.console.lock().take_ready();
        for vm in Machine::get().vms.iter().filter(|vm| ready & 1 << vm.index != 0) {
            let mut port = vm.port.lock();
            self.take_output(vm, &mut port);
            self.drive_line(vm, &mut port);
        }
    }

    /// Gives the serial line what it has room for.
    fn pump(&self, console: &mut Console) {
        let Some(serial) = self.serial.get() else { return };
        let mut more = !console.is_empty();
        if more {
            serial.send(&mut || {
                let byte = console.pop();
                more = byte.is_some();
                byte
            });
        }
        // A VM that can go on is let go on by the interrupt's handler.
        let more = more || console.has_ready();
        if self.transmit_interrupt.swap(more, Ordering::Relaxed) != more {
            serial.set_transmit_interrupt(more);
        }
    }

    /// Waits until everything is out, or the serial line takes no more: for the machine's end.
    pub fn drain(&self) {
        let Some(serial) = self.serial.get() else { return };
        let mut console = self.console.lock();
        while let Some(byte) = console.pop() {
            if !wait_for_room(*serial) {
                return;
            }
            serial.put(byte);
        }
    }
}

/// Waits for room in the serial line's FIFO for a second at most.
fn wait_for_room(serial: &dyn SerialPort) -> bool {
    let end = timer::count().saturating_add(timer::frequency());
    while !serial.has_room() {
        if timer::count() > end {
            return false;
        }
    }
    true
}

/// Lets the `log` crate print through the terminal.
pub struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match record.level() {
            log::Level::Error | log::Level::Info => TERMINAL.log(*record.args()),
            level => TERMINAL.log(format_args!("{}: {}", Lower(level), record.args())),
        }
    }

    fn flush(&self) {}
}

/// A log level as it stands in a line.
struct Lower(log::Level);

impl core::fmt::Display for Lower {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self.0 {
            log::Level::Error => "error",
            log::Level::Warn => "warning",
            log::Level::Info => "info",
            log::Level::Debug => "debug",
            log::Level::Trace => "trace",
        })
    }
}
