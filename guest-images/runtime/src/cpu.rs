//! The vCPUs: their numbers, interrupt masks, and work for the ones that PSCI starts.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use portcullis_abi::map::MAX_VCPUS;
use smccc::psci::error::Error;
use spin::Mutex;

pub use crate::interrupts::{mask_interrupts, unmask_interrupts, wait_for_interrupt, with_interrupts};
use crate::{counter, power};

/// MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of this vCPU.
pub fn identity() -> [u64; 3] {
    let (midr, revidr, aidr);
    // SAFETY: identification registers are constants.
    unsafe {
        asm!("mrs {}, midr_el1", "mrs {}, revidr_el1", "mrs {}, aidr_el1", out(reg) midr, out(reg) revidr, out(reg) aidr,
            options(nomem, nostack));
    }
    [midr, revidr, aidr]
}

/// State in which PSCI started a vCPU (DEN0022 section 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// x0: the context of CPU_ON.
    pub context: u64,
    /// CurrentEL.
    pub level: u64,
    /// DAIF.
    pub masks: u64,
    /// SCTLR_EL1.
    pub control: u64,
}

/// What was in the registers of a vCPU when it started, all of a kind together: zero if all were zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// x1 to x30 and SP.
    pub general: u64,
    /// VBAR_EL1, TTBR0_EL1, MAIR_EL1 and TCR_EL1.
    pub system: u64,
}

/// Work for one vCPU.
type Job = Mutex<Option<fn()>>;

static JOBS: [Job; MAX_VCPUS] = [const { Mutex::new(None) }; MAX_VCPUS];
static ARRIVALS: [Mutex<Option<Arrival>>; MAX_VCPUS] = [const { Mutex::new(None) }; MAX_VCPUS];
static RESIDUES: [Mutex<Residue>; MAX_VCPUS] = [const { Mutex::new(Residue { general: 0, system: 0 }) }; MAX_VCPUS];
static DONE: [AtomicBool; MAX_VCPUS] = [const { AtomicBool::new(false) }; MAX_VCPUS];

unsafe extern "C" {
    safe fn secondary_entry();
}

/// MPIDR_EL1.
pub fn affinity() -> u64 {
    let mpidr;
    // SAFETY: reads a constant.
    unsafe { asm!("mrs {}, mpidr_el1", out(reg) mpidr, options(nomem, nostack)) };
    mpidr
}

/// Number of this vCPU: Aff0 of MPIDR_EL1.
pub fn index() -> usize {
    (affinity() & 0xff) as usize % MAX_VCPUS
}

/// Where CPU_ON has to enter.
pub fn entry_address() -> u64 {
    secondary_entry as *const () as u64
}

/// Says what vCPU `index` does when it is started, and forgets its last arrival.
pub fn prepare(index: usize, job: fn()) {
    *ARRIVALS[index].lock() = None;
    DONE[index].store(false, Ordering::SeqCst);
    *JOBS[index].lock() = Some(job);
}

/// Starts vCPU `index`: it runs `job` with interrupts masked, then stops by CPU_OFF.
///
/// # Errors
/// What CPU_ON answers.
pub fn launch(index: usize, job: fn(), context: u64) -> Result<(), Error> {
    prepare(index, job);
    power::cpu_on(index as u64, entry_address(), context)
}

/// How vCPU `index` last arrived, if it has since it was prepared.
pub fn arrival(index: usize) -> Option<Arrival> {
    *ARRIVALS[index].lock()
}

/// Whether the job of vCPU `index` is over.
pub fn is_done(index: usize) -> bool {
    DONE[index].load(Ordering::SeqCst)
}

/// Waits until the job of vCPU `index` is over and the vCPU off; says whether that came within the time.
pub fn join(index: usize, microseconds: u64) -> bool {
    counter::wait_until(microseconds, || is_done(index) && power::is_off(index as u64))
}

/// What was in the registers of this vCPU when it last started.
pub fn residue() -> Residue {
    *RESIDUES[index()].lock()
}

pub(crate) fn note_residue(residue: Residue) {
    *RESIDUES[index()].lock() = residue;
}

pub(crate) fn arrive(arrival: Arrival) -> ! {
    let index = index();
    *ARRIVALS[index].lock() = Some(arrival);
    let job = JOBS[index].lock().take();
    if let Some(job) = job {
        job();
    }
    DONE[index].store(true, Ordering::SeqCst);
    power::cpu_off()
}
