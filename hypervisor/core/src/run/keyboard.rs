//! What is typed: from the board's serial line to the VMs' UARTs, and the line's turn to wait.

use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_arch::timer;
use portcullis_board::SerialPort;
use portcullis_console::{Input, InputAction, Intake, PATIENCE, Pressure, TYPED_MAX};
use spin::Mutex;

use crate::cpu::physical_core::{Processor, Timer};
use crate::devices::port::Port;
use crate::machine::Machine;
use crate::serial::Terminal;
use crate::vm::{Vm, report::Occasion};

/// Bytes taken from the serial line at one interrupt; more make it interrupt again.
const BATCH: usize = 32;
/// A line that waits is looked at again after this part of a second.
const LOOK: u64 = 10;
/// A line on which nothing was for this part of a second has paused.
const PAUSE: u64 = 20;

/// The reading end of the serial line.
pub struct Keyboard {
    /// Whoever has it reads; the others let it.
    reader: Mutex<Reader>,
    /// The line waits, and no interrupt says when to look again.
    waits: AtomicBool,
}

struct Reader {
    pressure: Pressure,
    /// The counter when there was nothing on the line, if nothing came since.
    empty_since: Option<u64>,
    /// It was said that input is dropped.
    told: bool,
}

impl Default for Keyboard {
    fn default() -> Self {
        Self::new()
    }
}

impl Keyboard {
    /// Makes one on whose line nothing was typed.
    pub const fn new() -> Self {
        let reader = Reader { pressure: Pressure::new(), empty_since: None, told: false };
        Self { reader: Mutex::new(reader), waits: AtomicBool::new(false) }
    }
}

impl Terminal {
    /// Takes what is on the serial line and has a place.
    pub(crate) fn take_input(&self, serial: &dyn SerialPort) {
        let Some(mut reader) = self.keyboard.reader.try_lock() else { return };
        let waited = reader.pressure.is_full();
        for _ in 0..BATCH {
            if !self.is_to_read(&mut reader, serial) {
                return;
            }
            let Some(byte) = serial.get() else {
                reader.empty_since.get_or_insert_with(timer::count);
                break;
            };
            let pause = timer::frequency() / PAUSE;
            let empty_since = reader.empty_since.take();
            let paused = empty_since.is_some_and(|since| timer::count().saturating_sub(since) > pause);
            self.take_key(byte, paused);
        }
        if waited && !reader.pressure.is_full() {
            reader.told = false;
            self.keyboard.waits.store(false, Ordering::Relaxed);
            serial.set_receive_interrupt(true);
        }
    }

    /// Whether the next byte is to be read from the line. If not, it waits until there is room, or is looked at again.
    fn is_to_read(&self, reader: &mut Reader, serial: &dyn SerialPort) -> bool {
        let attached = self.attachment.get().and_then(|vm| Machine::get().vms.get(vm));
        let mut port = attached.map(|vm| (vm, vm.port.lock()));
        let input =
            port.as_ref().map(|(vm, port)| Input { vm: vm.index, room: port.typed.room(), taken: port.typed.taken() });
        match reader.pressure.intake(input, timer::count(), timer::frequency()) {
            Intake::Take => return true,
            Intake::Wait => {}
            Intake::Drop => {
                drop(port);
                if let Some(vm) = attached.filter(|_| !core::mem::replace(&mut reader.told, true)) {
                    serial.set_receive_interrupt(true);
                    vm.report(
                        Occasion::Repeatable,
                        format_args!(
                            "{} has read nothing, or hardly anything, for {PATIENCE} s, and {} KiB wait for it: \
                             what is typed for it now is lost",
                            vm.name(),
                            TYPED_MAX >> 10
                        ),
                    );
                }
                return true;
            }
        }
        // Under the lock of the port: who makes room takes it too, and so lets go on what waits by then.
        if let Some((_, port)) = &mut port {
            port.typed.hold_line();
            serial.set_receive_interrupt(false);
        }
        drop(port);
        // What waits there need not have come after a pause.
        reader.empty_since = None;
        reader.told = false;
        self.keyboard.waits.store(true, Ordering::Relaxed);
        if let Some(processor) = Processor::current() {
            processor.arm_once(Timer::StandingLine, || timer::count().saturating_add(timer::frequency() / LOOK));
        }
        false
    }

    fn take_key(&self, byte: u8, paused: bool) {
        let vms = Machine::get().vms;
        let state = |vm: usize| vms.get(vm).map_or("", |vm| vm.phase().name());
        let action = self.console.lock().input(byte, paused, &self.attachment, &state);
        match action {
            InputAction::None => {}
            InputAction::PowerOff => {
                log::info!("power off, from the keyboard");
                Machine::get().power_off();
            }
            InputAction::Guest { vm, byte } => {
                let Some(vm) = vms.get(vm) else { return };
                let mut port = vm.port.lock();
                // Without room it is lost: it was read for the sake of the escape key.
                port.receive(byte);
                self.drive_line(vm, &mut port);
            }
        }
    }

    /// After the guest has read from its UART, or set it up: gives it more of what was typed, and lets the line go on if that
    /// made room. Inlined, it would have every access of the guest's save two registers more.
    #[inline(never)]
    pub(crate) fn supply(&self, vm: &Vm, port: &mut Port) {
        port.supply();
        if port.typed.take_room()
            && let Some(serial) = self.serial.get()
        {
            serial.set_receive_interrupt(true);
        }
        self.drive_line(vm, port);
    }

    /// Looks at a line that waits, on the core that reads it. Returns in how many ticks of the counter to look again.
    pub(crate) fn look_at_input(&self) -> Option<u64> {
        if !self.keyboard.waits.load(Ordering::Relaxed) {
            return None;
        }
        self.take_input(*self.serial.get()?);
        self.keyboard.waits.load(Ordering::Relaxed).then(|| timer::frequency() / LOOK)
    }
}
