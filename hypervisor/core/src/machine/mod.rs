//! The whole machine: its board, its cores, its VMs.

pub mod clock;
pub mod devices;
pub mod end;
mod links;
pub mod owner;
pub(crate) mod place;
pub mod protection;
pub mod transfer;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use portcullis_abi::firmware;
use portcullis_arch::timer;
use portcullis_arch::vectors::Handlers;
use portcullis_board::{Board, Entropy, WallClock};
use portcullis_gate::{Row, Support};

use self::clock::ManagedClock;
use self::end::Shutdown;
use self::transfer::Transfers;
use crate::cpu::physical_core::Core;
use crate::devices::interrupt_owners::InterruptOwners;
use crate::entropy::{Claim, Fairness};
use crate::links::Links;
use crate::links::peer::Peer;
use crate::serial::SERIAL;
use crate::trace::Trace;
use crate::vm::fault_report::FaultReport;
use crate::vm::{Vm, support};

/// Makes the table: one row for each of `vms` VMs, read by the path of every call.
pub fn rows(vms: usize) -> &'static [Row] {
    Vec::leak((0..vms).map(|_| Row::new()).collect())
}

/// Memory that is, and was, in use.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Bytes that nothing uses.
    pub free: u64,
    /// The most bytes of EL2's heap that were in use at once: all that EL2 holds besides its image and the guests' RAM.
    pub heap_peak: u64,
}

/// What the vectors call for the vCPUs of this machine, whose GIC they know.
#[derive(Clone, Copy, Debug)]
pub struct TrapHandlers {
    /// For vCPUs with a core of their own.
    pub alone: Handlers,
    /// For those that share one.
    pub sharing: Handlers,
    /// For vCPUs with a core of their own that a trace follows.
    pub traced_alone: Handlers,
    /// The same for those that share one.
    pub traced_sharing: Handlers,
    /// Has a core, the one on which it runs, follow how a trace is switched.
    pub follow: fn(&Core),
}

/// The machine, complete before the first guest instruction and unchanged in shape from then on.
pub struct Machine {
    /// The board.
    pub board: &'static Board,
    /// The cores, in the board's order; the first one booted the machine.
    pub cores: &'static [&'static Core],
    /// The VMs, in the manifest's order.
    pub vms: &'static [Vm],
    /// Time of day for a board that has none: as EFI firmware told it at start, and as the control VM sets it.
    pub clock: ManagedClock,
    /// Whether the machine ends.
    pub shutdown: Shutdown,
    /// Whose turn it is when entropy is short.
    pub fairness: Fairness,
    /// Whose the interrupts of devices are that VMs drive.
    pub owners: InterruptOwners,
    /// What serves its guests' traps.
    pub handlers: TrapHandlers,
    /// What connects its VMs.
    pub links: &'static Links,
    /// The one VM that is being saved or restored.
    pub transfers: Transfers,
    support: Support,
    usage: fn() -> Usage,
    /// VMs that run, or are about to.
    pub(crate) running: AtomicUsize,
    halting: AtomicU32,
    /// Interrupts that were nobody's.
    pub(crate) strays: FaultReport,
    /// What cores note of VMs, if that is wanted.
    pub trace: Trace,
}

impl Machine {
    /// Puts the machine together. To be called once, on the boot core.
    /// `links` connect its VMs, `handlers` serve its guests' traps, `support` is what the board can serve, `usage` tells how
    /// much memory is in use.
    pub fn assemble(
        board: &'static Board,
        cores: &'static [&'static Core],
        vms: &'static [Vm],
        links: &'static Links,
        handlers: TrapHandlers,
        support: Support,
        usage: fn() -> Usage,
    ) -> &'static Self {
        if vms.iter().any(|vm| vm.control) {
            // For who manages them.
            vms.iter().for_each(|vm| vm.console.keep_log());
        }
        links.connect(|vm| vms.get(vm).map(|vm| vm as &dyn Peer));
        place::put(Self {
            board,
            cores,
            vms,
            clock: ManagedClock::new(),
            shutdown: Shutdown::new(),
            fairness: Fairness::new(),
            handlers,
            links,
            transfers: Transfers::new(vms.iter().any(|vm| vm.config.settings.movable)),
            owners: InterruptOwners::of(vms.iter().map(|vm| &*vm.devices)),
            support,
            usage,
            running: AtomicUsize::new(0),
            halting: AtomicU32::new(0),
            strays: FaultReport::new(),
            trace: Trace::new(),
        })
    }

    /// Fills `words` with random bits from `source`, the board's, for the VM at `place`, each handed out once. False if there are
    /// not enough, or it is not this VM's turn.
    #[inline(always)]
    pub fn draw(&self, source: &dyn Entropy, place: &Claim, words: &mut [u64]) -> bool {
        (self.fairness.is_plenty() && source.draw(words)) || Self::draw_in_turn(place, words)
    }

    /// Entropy is short, or has just run out. It finds machine and source by itself: who has enough must not keep them for it.
    #[cold]
    #[inline(never)]
    fn draw_in_turn(place: &Claim, words: &mut [u64]) -> bool {
        let machine = Self::get();
        let places = machine.vms.iter().map(|vm| &vm.entropy);
        machine.board.entropy.is_some_and(|source| {
            machine.fairness.draw(source, words, place, places, timer::count(), timer::frequency())
        })
    }

    /// The upper limits of the firmware registers of `vm` now: time of day is one more service once it is set, and what its cores
    /// need limits the workarounds, and its manifest what it has.
    pub fn support(&self, vm: &Vm) -> Support {
        let mut support = self.levels(vm).limit(self.support);
        if self.clock.is_set() {
            support.vendor_hyp |= firmware::VENDOR_HYP_PTP;
        }
        support::of_vm(&vm.config, &support)
    }

    /// The clock that knows the time of day: the board's, else what EFI firmware or the control VM has told.
    pub fn wall_clock(&self) -> Option<&dyn WallClock> {
        match self.board.wall_clock {
            Some(clock) => Some(clock),
            None if self.clock.is_set() => Some(&self.clock),
            None => None,
        }
    }

    /// Bytes of memory that nothing uses.
    pub fn free_memory(&self) -> u64 {
        (self.usage)().free
    }

    /// The machine. It exists wherever a guest, or a core that serves guests, runs.
    #[inline(always)]
    pub fn get() -> &'static Self {
        match place::get() {
            Some(machine) => machine,
            None => no_machine(),
        }
    }

    /// The machine, if it has been put together yet.
    pub fn if_assembled() -> Option<&'static Self> {
        place::get()
    }

    /// Makes core `index` look at its vCPUs again.
    pub fn kick(&self, index: usize) {
        if let Some(core) = self.cores.get(index) {
            core.kick();
        }
    }

    /// Switches the machine off after all that waits to be printed.
    pub fn power_off(&self) -> ! {
        log::info!("EL2's heap held {} KiB at most", (self.usage)().heap_peak.div_ceil(1024));
        SERIAL.drain();
        self.board.power.power_off()
    }

    /// Names, once, every core that was asked for something more than a second before `now` and has not answered. Returns how many.
    pub fn name_deaf_cores(&self, now: u64) -> u32 {
        self.vms.iter().map(|vm| vm.name_deaf_cores(now).count_ones()).sum()
    }

    /// Stops all other cores: for a panic.
    pub fn halt_others(&self) {
        if self.halting.swap(1, Ordering::AcqRel) != 0 {
            return;
        }
        let here = Core::current().map(|core| core.index);
        self.cores.iter().filter(|core| Some(core.index) != here).for_each(|core| core.halt());
    }

    /// Whether somebody has [stopped](Self::halt_others) the other cores: an SGI alone does not.
    pub fn is_halting(&self) -> bool {
        self.halting.load(Ordering::Acquire) != 0
    }
}

/// Only an error in the boot sequence leads here; a guest cannot exist without the machine.
#[cold]
#[expect(clippy::panic, reason = "an invariant of the boot sequence, out of every guest's reach")]
fn no_machine() -> ! {
    panic!("the machine was used before it was put together")
}
