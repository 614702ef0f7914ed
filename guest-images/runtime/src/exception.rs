//! Exceptions at EL1: interrupts go to the guest's handler, faults to the probe that waits for them. Any other
//! exception is printed as a failed case and ends the guest.

use core::arch::{asm, global_asm};
use core::fmt;
use core::mem::{offset_of, size_of};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use portcullis_abi::map::MAX_VCPUS;
use spin::Once;

use crate::{console, cpu, gic, power};

/// The interrupted context, as vectors.s saves it.
#[repr(C, align(16))]
struct Frame {
    x: [u64; 31],
    elr: u64,
    spsr: u64,
    esr: u64,
    far: u64,
}

global_asm!(
    include_str!("../../assembly/frame.s"),
    include_str!("vectors.s"),
    size = const size_of::<Frame>(),
    elr = const offset_of!(Frame, elr),
    esr = const offset_of!(Frame, esr),
);

/// Vector slot of a synchronous exception from EL1 with SP_EL1 (Arm ARM D1.3.1).
const SLOT_SYNCHRONOUS: u64 = 4;
/// Vector slot of an IRQ from EL1 with SP_EL1.
const SLOT_IRQ: u64 = 5;
/// Exception class of an instruction abort taken without a change of level.
const CLASS_INSTRUCTION_ABORT: u64 = 0x21;

/// What a probe caught.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// ESR_EL1.
    pub syndrome: u64,
    /// ELR_EL1: the instruction that was refused.
    pub pc: u64,
    /// FAR_EL1.
    pub address: u64,
}

impl Fault {
    /// Exception class, ESR_EL1 bits 31:26: 0 is an undefined instruction, 0x25 a data abort.
    pub fn class(&self) -> u64 {
        self.syndrome >> 26 & 0x3f
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "ESR {:#x} (EC {:#x}) ELR {:#x} FAR {:#x}", self.syndrome, self.class(), self.pc, self.address)
    }
}

/// One vCPU's probe.
struct Probe {
    armed: AtomicBool,
    hit: AtomicBool,
    syndrome: AtomicU64,
    pc: AtomicU64,
    address: AtomicU64,
}

static PROBES: [Probe; MAX_VCPUS] = [const {
    Probe {
        armed: AtomicBool::new(false),
        hit: AtomicBool::new(false),
        syndrome: AtomicU64::new(0),
        pc: AtomicU64::new(0),
        address: AtomicU64::new(0),
    }
}; MAX_VCPUS];

static HANDLER: Once<fn(u32)> = Once::new();
static SPURIOUS: AtomicU32 = AtomicU32::new(0);

/// How often an interrupt was signalled, on any vCPU, and none was there when it was acknowledged.
pub fn spurious() -> u32 {
    SPURIOUS.load(Ordering::SeqCst)
}

/// Sets the function that gets the INTID of every interrupt, between its acknowledge and its end. Only the first call
/// counts.
pub fn set_interrupt_handler(handler: fn(u32)) {
    HANDLER.call_once(|| handler);
}

/// Runs `attempt`; a synchronous exception in it skips the instruction and is returned. A jump to where nothing can be
/// executed returns to its caller.
pub fn probe<R>(attempt: impl FnOnce() -> R) -> Result<R, Fault> {
    let probe = &PROBES[cpu::index()];
    probe.hit.store(false, Ordering::SeqCst);
    probe.armed.store(true, Ordering::SeqCst);
    let result = attempt();
    probe.armed.store(false, Ordering::SeqCst);
    if probe.hit.load(Ordering::SeqCst) {
        Err(Fault {
            syndrome: probe.syndrome.load(Ordering::SeqCst),
            pc: probe.pc.load(Ordering::SeqCst),
            address: probe.address.load(Ordering::SeqCst),
        })
    } else {
        Ok(result)
    }
}

/// Lets SErrors through, so that one that belongs to an access is seen at once. Interrupts stay masked.
pub(crate) fn settle() {
    // SAFETY: the vectors are set; an SError ends the guest with a message.
    unsafe { asm!("msr daifclr, #4", options(nomem, nostack)) };
}

// SAFETY: the name is used by vectors.s only, which passes the frame that it has just written on the stack.
#[unsafe(no_mangle)]
extern "C" fn guest_exception(frame: &mut Frame, slot: u64) {
    match slot {
        SLOT_IRQ => interrupt(),
        SLOT_SYNCHRONOUS if PROBES[cpu::index()].armed.load(Ordering::SeqCst) => catch(frame),
        _ => unexpected(frame, slot),
    }
}

fn interrupt() {
    let Some(interrupt) = gic::acknowledge() else {
        SPURIOUS.fetch_add(1, Ordering::SeqCst);
        return;
    };
    if let Some(handler) = HANDLER.get() {
        handler(interrupt.intid);
    }
    gic::end(interrupt);
}

fn catch(frame: &mut Frame) {
    let probe = &PROBES[cpu::index()];
    if !probe.hit.swap(true, Ordering::SeqCst) {
        probe.syndrome.store(frame.esr, Ordering::SeqCst);
        probe.pc.store(frame.elr, Ordering::SeqCst);
        probe.address.store(frame.far, Ordering::SeqCst);
    }
    let jump = frame.esr >> 26 & 0x3f == CLASS_INSTRUCTION_ABORT;
    frame.elr = if jump { frame.x[30] } else { frame.elr.wrapping_add(4) };
}

fn unexpected(frame: &Frame, slot: u64) -> ! {
    let fault = Fault { syndrome: frame.esr, pc: frame.elr, address: frame.far };
    console::urgent_line(format_args!(
        "case exception: FAIL expected none got vector {slot} {fault:?} SPSR {:#x} on vCPU {}",
        frame.spsr,
        cpu::index()
    ));
    power::off()
}
