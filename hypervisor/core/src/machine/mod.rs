//! The whole machine: its board, its cores, its VMs.

pub mod clock;
pub mod end;

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use portcullis_abi::{firmware, map};
use portcullis_arch::{cpu, timer};
use portcullis_board::signal::{EL2_TIMER_INTID, HALT};
use portcullis_board::{Board, Entropy, WallClock};
use portcullis_gate::{Row, Support};
use spin::Once;

use self::clock::ManagedClock;
use self::end::Shutdown;
use crate::cpu::gic::Interface;
use crate::cpu::physical_core::{Processor, Timer};
use crate::devices;
use crate::devices::interrupt_owners::InterruptOwners;
use crate::entropy::{Claim, Fairness};
use crate::run::shared_core::Share;
use crate::serial::TERMINAL;
use crate::vm::{Vm, state::Phase};
use crate::with_interface;

/// The table: one row per VM, read by the path of every call.
pub static TABLE: [Row; map::MAX_VMS] = [const { Row::new() }; map::MAX_VMS];

static MACHINE: Once<Machine> = Once::new();

/// Memory that is, and was, in use.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Bytes that nothing uses.
    pub free: u64,
    /// The most bytes of EL2's heap that were in use at once: all that EL2 holds besides its image and the guests' RAM.
    pub heap_peak: u64,
}

/// The machine, complete before the first guest instruction and unchanged in shape from then on.
pub struct Machine {
    /// The board.
    pub board: &'static Board,
    /// The cores, in the board's order; the first one booted the machine.
    pub processors: &'static [Processor],
    /// The VMs, in the manifest's order.
    pub vms: &'static [Vm],
    /// Time of day as the control VM sets it, for a board that has none.
    pub clock: ManagedClock,
    /// Whether the machine ends.
    pub shutdown: Shutdown,
    /// Whose turn it is when entropy is short.
    pub fairness: Fairness,
    /// Whose the interrupts of devices are that VMs drive.
    owners: InterruptOwners,
    support: Support,
    usage: fn() -> Usage,
    running: AtomicUsize,
    halting: AtomicU32,
}

impl Machine {
    /// Puts the machine together. To be called once, on the boot core.
    /// `support` is what the board can serve, `usage` tells how much memory is in use.
    pub fn assemble(
        board: &'static Board,
        processors: &'static [Processor],
        vms: &'static [Vm],
        support: Support,
        usage: fn() -> Usage,
    ) -> &'static Self {
        MACHINE.call_once(|| Self {
            board,
            processors,
            vms,
            clock: ManagedClock::new(),
            shutdown: Shutdown::new(),
            fairness: Fairness::new(),
            owners: InterruptOwners::of(vms.iter().map(|vm| &*vm.devices)),
            support,
            usage,
            running: AtomicUsize::new(0),
            halting: AtomicU32::new(0),
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

    /// The upper limits of the VMs' firmware registers now: time of day is one more service once it is set.
    pub fn support(&self) -> Support {
        let mut support = self.support;
        if self.clock.is_set() {
            support.vendor_hyp |= firmware::VENDOR_HYP_PTP;
        }
        support
    }

    /// The clock that knows the time of day: the board's, else what the control VM has set.
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
        match MACHINE.get() {
            Some(machine) => machine,
            None => no_machine(),
        }
    }

    /// The machine, if it has been put together yet.
    pub fn if_assembled() -> Option<&'static Self> {
        MACHINE.get()
    }

    /// Starts every VM that starts with the machine.
    pub fn start(&self) {
        self.vms.iter().for_each(Vm::place_devices);
        self.processors.iter().filter_map(Processor::share).for_each(Share::watch_turns);
        // The machine must not be taken for empty between the start and the end of a first, short VM.
        self.vm_started();
        for vm in self.vms.iter().filter(|vm| vm.config.autostart) {
            if let Some(exclusive) = vm.exclusive() {
                let started = exclusive.start();
                debug_assert!(started.is_ok(), "nobody else starts VMs yet");
            }
        }
        self.vm_ended();
    }

    /// Makes core `index` look at its vCPUs again.
    pub fn kick(&self, index: usize) {
        if let Some(processor) = self.processors.get(index) {
            processor.kick();
        }
    }

    /// A VM has begun to run.
    pub fn vm_started(&self) {
        self.running.fetch_add(1, Ordering::AcqRel);
    }

    /// A VM has stopped for good; with the last one the machine goes off, unless its end is decided already.
    pub fn vm_ended(&self) {
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 && self.shutdown.wanted().is_none() {
            let failed = self.vms.iter().filter(|vm| vm.phase() == Phase::Failed).count();
            match failed {
                0 => log::info!("no VM is running any more: power off"),
                _ => log::info!("no VM is running any more ({failed} failed): power off"),
            }
            self.power_off();
        }
    }

    /// Switches the machine off after all that waits to be printed.
    pub fn power_off(&self) -> ! {
        log::info!("EL2's heap held {} KiB at most", (self.usage)().heap_peak.div_ceil(1024));
        TERMINAL.drain();
        self.board.power.power_off()
    }

    /// Takes the physical interrupts that are pending on this core while it runs no guest.
    pub fn take_interrupts(&self, processor: &'static Processor) {
        with_interface!(G => self.take_interrupts_of::<G>(processor));
    }

    fn take_interrupts_of<G: Interface>(&self, processor: &'static Processor) {
        loop {
            let acknowledged = G::acknowledge();
            let intid = G::intid(acknowledged);
            if intid >= 1020 {
                return;
            }
            G::drop_priority(acknowledged);
            if self.interrupt(processor, intid) {
                G::finish(acknowledged);
            }
            G::see_what_was_sent();
        }
    }

    /// Serves a physical interrupt that is not a private one of a guest's. Returns whether the caller deactivates it; else a
    /// guest will.
    pub fn interrupt(&self, processor: &'static Processor, intid: u32) -> bool {
        if intid == HALT {
            cpu::halt();
        }
        if intid == EL2_TIMER_INTID {
            self.tick(processor);
        }
        if self.board.serial.is_some_and(|serial| serial.interrupt() == Some(intid)) {
            TERMINAL.serve();
            return true;
        }
        let owner = self.owners.of_interrupt(intid).and_then(|index| self.vms.get(index));
        owner.inspect(|vm| vm.device_interrupt(processor, intid)).is_none()
    }

    /// Does what is due on the EL2 timer of this core and sets it for what comes next.
    pub fn tick(&self, processor: &'static Processor) {
        let now = timer::count();
        if processor.take_due(Timer::WallClock, now)
            && let Some(next) = self.board.wall_clock.and_then(|clock| clock.tick(now))
        {
            processor.arm_once(Timer::WallClock, || next);
        }
        if processor.take_due(Timer::StandingLine, now) {
            // Every VM's: the core that showed a line, and so set its timer, need not be the VM's own.
            let input = if self.reads_line(processor) { TERMINAL.look_at_input() } else { None };
            let standing = TERMINAL.show_standing(self.vms);
            if let Some(next) = input.into_iter().chain(standing).min() {
                processor.arm_once(Timer::StandingLine, || now.saturating_add(next));
            }
        }
        if processor.take_due(Timer::Device, now)
            && let Some(next) = devices::look(self.vms, processor.index)
        {
            processor.arm_by(Timer::Device, next);
        }
        if processor.take_due(Timer::Watch, now) {
            self.name_deaf_cores(now);
        }
        let _ = processor.take_due(Timer::Schedule, now);
        processor.set_timer();
    }

    /// Names, once, every core that was asked for something more than a second before `now` and has not answered. Returns how many.
    pub fn name_deaf_cores(&self, now: u64) -> u32 {
        self.vms.iter().map(|vm| vm.name_deaf_cores(now).count_ones()).sum()
    }

    /// Whether it is the core that takes the serial line's interrupt: the one that booted the machine.
    fn reads_line(&self, processor: &Processor) -> bool {
        self.processors.first().is_some_and(|first| core::ptr::eq(first, processor))
    }

    /// Lets the board's clock look at its hardware from time to time. To be called once, on the boot core.
    pub fn start_clock(&self, processor: &Processor) {
        let now = timer::count();
        if let Some(next) = self.board.wall_clock.and_then(|clock| clock.tick(now)) {
            processor.arm_once(Timer::WallClock, || next);
        }
    }

    /// Stops all other cores: for a panic.
    pub fn halt_others(&self) {
        if self.halting.swap(1, Ordering::AcqRel) != 0 {
            return;
        }
        let here = Processor::current().map(|processor| processor.index);
        for processor in self.processors.iter().filter(|processor| Some(processor.index) != here) {
            processor.halt();
        }
    }
}

/// Only an error in the boot sequence leads here; a guest cannot exist without the machine.
#[cold]
#[expect(clippy::panic, reason = "an invariant of the boot sequence, out of every guest's reach")]
fn no_machine() -> ! {
    panic!("the machine was used before it was put together")
}
