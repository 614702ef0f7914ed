//! The end: a panic in EL2, or an exception from EL2 itself. Everything known is printed, and the machine stops.

use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_arch::cpu::{self, Anchor};
use portcullis_arch::el2;
use portcullis_core::cpu::physical_core::Core;
use portcullis_core::machine::Machine;
use portcullis_core::run::worker::Worker;
use portcullis_core::serial::SERIAL;

use crate::efi::console;

static ENDING: AtomicBool = AtomicBool::new(false);

/// The anchor of the boot core until it has its own: the vectors find it by its name.
#[repr(transparent)]
pub struct EarlyAnchor(UnsafeCell<Anchor>);

// SAFETY: only the boot core uses it, as long as it has no other one.
unsafe impl Sync for EarlyAnchor {}

#[unsafe(no_mangle)]
static portcullis_early_anchor: EarlyAnchor = EarlyAnchor(UnsafeCell::new(Anchor::new(0, 0)));

/// Has a fault of the boot core be told of from now on, on the stack whose highest address is given, which is for that alone.
pub fn arm(stack: u64) {
    // SAFETY: nobody else runs yet, and what could come by the vectors has not come.
    unsafe { portcullis_early_anchor.0.get().write(Anchor::new(0, stack)) };
}

/// What the vector's number stands for.
const VECTORS: [&str; 4] = ["synchronous exception", "IRQ", "FIQ", "SError"];

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    begin();
    match info.location() {
        Some(at) => say(format_args!("panic at {}:{}: {}", at.file(), at.line(), info.message())),
        None => say(format_args!("panic: {}", info.message())),
    }
    end()
}

/// An exception from EL2 itself: a defect of the hypervisor.
#[unsafe(no_mangle)]
extern "C" fn portcullis_fault(anchor: &'static Anchor, vector: u64) -> ! {
    begin();
    let name = VECTORS.get((vector & 3) as usize).copied().unwrap_or_default();
    say(format_args!("panic: {name} in EL2 at {:#x}", el2::return_address()));
    for (row, registers) in anchor.fault_frame().chunks(4).enumerate() {
        if let [a, b, c, d] = registers {
            say(format_args!("x{:<2} {a:#018x} {b:#018x} {c:#018x} {d:#018x}", row * 4));
        }
    }
    say(format_args!("(the last word is sp)"));
    end()
}

fn begin() {
    if ENDING.swap(true, Ordering::AcqRel) {
        // A panic while panicking, or on another core: one report is enough.
        cpu::halt();
    }
    if let Some(machine) = Machine::if_assembled() {
        machine.halt_others();
    }
}

fn say(line: core::fmt::Arguments) {
    // While EFI firmware is there the serial line is its own.
    if !console::say(line) {
        SERIAL.log_urgently(line);
    }
}

fn end() -> ! {
    match Core::current() {
        Some(core) => say(format_args!("on core {} (affinity {:#x})", core.index, core.affinity)),
        None => say(format_args!("on the boot core (affinity {:#x})", cpu::affinity())),
    }
    if let Some(vcpu) = Worker::current().and_then(Worker::loaded) {
        say(format_args!("its vCPU: {} vcpu {}", vcpu.vm.name(), vcpu.index));
    }
    for pair in el2::dump().chunks(2) {
        if let [(a, x), (b, y)] = pair {
            say(format_args!("{a:<10} {x:#018x}   {b:<10} {y:#018x}"));
        }
    }
    match Machine::if_assembled() {
        Some(machine) => machine.board.power.power_off(),
        None => cpu::halt(),
    }
}
