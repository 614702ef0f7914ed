//! What is typed: from the board's serial line to the VMs' UARTs, and the line's turn to wait. And what VMs leave unfinished on it.

use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_arch::timer;
use portcullis_board::SerialPort;
use portcullis_console::{Input, InputAction, Intake, PATIENCE, Pressure, TYPED_MAX};
use spin::Mutex;

use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;
use crate::devices::console::Standing;
use crate::machine::Machine;
use crate::machine::owner::Beside;
use crate::serial::SERIAL;
use crate::vm::Vcpu;
use crate::vm::report::Occasion;

/// Bytes taken from the serial line at one interrupt; more make it interrupt again.
const BATCH: usize = 32;
/// A line that waits is looked at again after this part of a second.
const LOOK: u64 = 10;
/// A line on which nothing was for this part of a second has paused.
const PAUSE: u64 = 20;

/// An unfinished line is looked at again after this part of a second while one stands that was not finished by then.
const STILL_STANDING: u64 = 10;
/// The same, if another one was shown instead.
const NEXT_STANDING: u64 = 1000;

/// The machine's keyboard.
#[cfg(not(any(test, feature = "rig")))]
pub static KEYBOARD: Keyboard = Keyboard::new();

#[cfg(any(test, feature = "rig"))]
thread_local! {
    static OF_THREAD: &'static Keyboard = Box::leak(Box::new(Keyboard::new()));
}
/// The keyboard of a test.
#[cfg(any(test, feature = "rig"))]
pub static KEYBOARD: crate::tests::per_thread::PerThread<Keyboard> = crate::tests::per_thread::PerThread(&OF_THREAD);

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

    /// The serial line interrupts: it has received something, or has room again. This core has the registers of `loaded`.
    pub fn serve(&self, loaded: Option<&Vcpu>) {
        let Some(port) = SERIAL.port() else { return };
        self.take_input(port, loaded);
        SERIAL.send();
        let ready = SERIAL.take_ready();
        for vm in Machine::get().vms.iter().filter(|vm| ready & 1 << vm.index != 0) {
            vm.console.go_on(&Beside::of(vm, loaded));
        }
    }

    /// Takes what is on the serial line and has a place.
    fn take_input(&self, serial: &dyn SerialPort, loaded: Option<&Vcpu>) {
        let Some(mut reader) = self.reader.try_lock() else { return };
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
            take_key(byte, paused, loaded);
        }
        if waited && !reader.pressure.is_full() {
            reader.told = false;
            self.waits.store(false, Ordering::Relaxed);
            serial.set_receive_interrupt(true);
        }
    }

    /// Whether the next byte is to be read from the line. If not, it waits until there is room, or is looked at again.
    fn is_to_read(&self, reader: &mut Reader, serial: &dyn SerialPort) -> bool {
        let attached = SERIAL.attachment.typed_to().and_then(|vm| Machine::get().vms.get(vm));
        let mut port = attached.map(|vm| (vm, vm.console.lock()));
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
        self.waits.store(true, Ordering::Relaxed);
        if let Some(core) = Core::current() {
            core.arm_once(Timer::StandingLine, || timer::count().saturating_add(timer::frequency() / LOOK));
        }
        false
    }

    /// Looks at a line that waits, on the core that reads it. Returns in how many ticks of the counter to look again.
    pub fn look(&self, loaded: Option<&Vcpu>) -> Option<u64> {
        if !self.waits.load(Ordering::Relaxed) {
            return None;
        }
        self.serve(loaded);
        self.waits.load(Ordering::Relaxed).then(|| timer::frequency() / LOOK)
    }
}

fn take_key(byte: u8, paused: bool, loaded: Option<&Vcpu>) {
    let vms = Machine::get().vms;
    let state = |vm: usize| vms.get(vm).map_or("", |vm| vm.phase_name());
    match SERIAL.input(byte, paused, &state) {
        InputAction::None => {}
        InputAction::PowerOff => {
            log::info!("power off, from the keyboard");
            Machine::get().power_off();
        }
        InputAction::Guest { vm, byte } => {
            // Without room it is lost: it was read for the sake of the escape key. So it is where the VM's port has its keyboard.
            if let Some(vm) = vms.get(vm).filter(|vm| SERIAL.attachment.typed_to() == Some(vm.index)) {
                vm.console.receive(&Beside::of(vm, loaded), byte);
            }
        }
    }
}

/// A while has passed since a VM left a line unfinished: shows one that has stood long enough. Returns in how many ticks of the
/// counter it has to be looked again. One at a time: this core's guest may be nobody of those. Every VM is looked at: the core that
/// showed a line, and so set its timer, need not be the VM's own.
pub fn show_standing() -> Option<u64> {
    let (mut shown, mut any, mut more) = (false, false, false);
    for vm in Machine::get().vms {
        let Standing { due, stands } = vm.console.look_at_line(!shown);
        more |= due && shown;
        shown |= due;
        any |= stands;
    }
    let part = if more { NEXT_STANDING } else { STILL_STANDING };
    any.then(|| timer::frequency() / part)
}
