//! The other cores: how they are started and what they do first.

use alloc::boxed::Box;

use core::hint::spin_loop;

use portcullis_arch::{cache, checksum, cpu, el2, paging, timer, vectors};
use portcullis_board::Range;
use portcullis_core::cpu::delivery;
use portcullis_core::cpu::physical_core::{Core, Readiness};
use portcullis_core::machine::Machine;
use portcullis_core::memory::stage1;
use portcullis_core::run::worker::Worker;
use portcullis_core::vm::Vm;

use crate::stop::{Missing, Stop};

/// What a core needs before it can use memory as the others do. It reads this past the caches, in this order.
#[repr(C, align(64))]
struct Start {
    ttbr0: u64,
    mair: u64,
    tcr: u64,
    sctlr: u64,
    stack: u64,
    worker: &'static Worker,
}

/// Bytes of a core's stack.
const STACK: usize = 16 << 10;
/// Bytes of the stack for the handler of a fault in EL2.
const FAULT_STACK: usize = 4 << 10;
/// Bytes of a guard page.
const PAGE: usize = 4 << 10;
/// Seconds for which the cores that VMs have are waited for: only one that does not come takes them.
const PATIENCE: u64 = 10;

/// The stacks of one core.
pub struct Stacks {
    /// The page below the stack, which is not to be mapped: an overflow is a fault then, and not a riddle.
    pub guard: Range,
    /// Highest address of the stack.
    pub stack: u64,
    /// Highest address of the stack for the handler of a fault in EL2.
    pub fault_stack: u64,
}

/// Makes stacks for one core.
pub fn stacks() -> Stacks {
    #[repr(C, align(4096))]
    struct Memory {
        guard: [u8; PAGE],
        stack: [u8; STACK],
        fault_stack: [u8; FAULT_STACK],
    }
    let stacks: &'static mut core::mem::MaybeUninit<Memory> = Box::leak(Box::new_uninit());
    let guard = Range::sized(stacks.as_ptr() as u64, PAGE as u64);
    let stack = guard.end + STACK as u64;
    Stacks { guard, stack, fault_stack: stack + FAULT_STACK as u64 }
}

unsafe extern "C" {
    fn secondary_entry();
}

/// Starts every core but the one that this runs on, and waits for those that VMs have. Of the others, one that does not come is
/// left out.
///
/// # Errors
///
/// [`Stop::CoreMissing`]: a core that a VM has does not come. Its vCPU would never run, and the VM never end.
pub fn start_all(machine: &'static Machine, workers: &'static [Worker], here: &Core) -> Result<(), Stop> {
    let Some(ttbr0) = stage1::root() else { return Ok(()) };
    for worker in workers.iter().filter(|worker| worker.core.index != here.index) {
        let core = &worker.core;
        let start = Box::leak(Box::new(Start {
            ttbr0,
            mair: paging::MAIR,
            tcr: paging::tcr(),
            sctlr: paging::SCTLR,
            stack: core.stack(),
            worker,
        }));
        let address = core::ptr::from_ref(start) as usize;
        cache::clean(address, size_of::<Start>());
        let entry = secondary_entry as *const () as u64;
        if let Err(code) = machine.board.power.start_core(core.affinity, entry, address as u64) {
            log::warn!("core {} does not start: code {code} of PSCI's", core.index);
            needed(machine, core).map_or(Ok(()), |vm| missing(vm, core, Missing::Refused(code)))?;
        }
    }
    let (start, patience) = (timer::count(), timer::frequency().saturating_mul(PATIENCE));
    for (core, vm) in machine.cores.iter().filter_map(|core| Some((core, needed(machine, core)?))) {
        loop {
            match core.readiness() {
                Readiness::Online => break,
                Readiness::Unfit => return missing(vm, core, Missing::Unfit),
                Readiness::Awaited if timer::count().wrapping_sub(start) > patience => {
                    return missing(vm, core, Missing::Silent(PATIENCE));
                }
                Readiness::Awaited => spin_loop(),
            }
        }
    }
    Ok(())
}

/// The first VM that has this core.
fn needed(machine: &Machine, core: &Core) -> Option<&'static str> {
    let has = |vm: &&Vm| vm.vcpus().iter().any(|vcpu| vcpu.core == core.index);
    machine.vms.iter().find(has).map(Vm::name)
}

fn missing(vm: &'static str, core: &Core, why: Missing) -> Result<(), Stop> {
    Err(Stop::CoreMissing { vm, core: core.index, why })
}

/// A core that was started, on its own stack, with EL2's map.
#[unsafe(no_mangle)]
extern "C" fn portcullis_secondary(worker: &'static Worker) -> ! {
    worker.anchor();
    if !take_up(worker) {
        worker.core.becomes_unfit();
        cpu::halt();
    }
    worker.work()
}

/// Makes a core ready for guests. False: it cannot be used, and a line says why.
#[must_use]
pub fn take_up(worker: &'static Worker) -> bool {
    vectors::install();
    let core = worker.core.index;
    if el2::init_core(paging::ipa_bits()).is_err() {
        log::error!("core {core}: HCR_EL2.E2H cannot be cleared (no FEAT_E2H0), which this needs: it is not used");
        return false;
    }
    if !checksum::present() {
        log::error!("core {core}: it lacks the CRC32 instructions (FEAT_CRC32), which are needed: it is not used");
        return false;
    }
    if worker.shared_core().is_some() {
        el2::share_core();
    }
    if !Machine::get().board.interrupts.init_core(core) {
        return false;
    }
    if !delivery::works(&worker.core) {
        log::error!(
            "core {core}: no interrupt reaches it, not even an SGI that it sends to itself: it is not used. Firmware has to leave \
             interrupts to EL2, in the GIC's group 1 (on a Raspberry Pi, enable_gic=1 in config.txt)"
        );
        return false;
    }
    worker.adopt();
    true
}
