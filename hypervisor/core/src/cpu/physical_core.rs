//! A physical core: its stacks, the vCPUs that it runs, and what it does when it has none.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use portcullis_arch::{barrier, cpu, cpu::Anchor, timer};
use portcullis_board::signal::{HALT, KICK};
use spin::Once;

pub use crate::cpu::deadlines::Timer;
use crate::cpu::deadlines::{Deadlines, NEVER};
use crate::cpu::gic::Interface;
use crate::cpu::id_registers;
use crate::machine::Machine;
use crate::run::shared_core::Share;
use crate::vm::{state::State, step::Step, vcpu::Vcpu};
use crate::with_interface;

/// Bytes of a VM's images that its core puts in place at a time if it has nothing else to do.
const LOAD_PIECE: u64 = 32 << 20;
/// The same of memory that is scrubbed.
const SCRUB_PIECE: u64 = 2 << 20;

/// What a core runs.
pub enum Work {
    /// One vCPU, and nothing else.
    One(&'static Vcpu),
    /// vCPUs that share it.
    Several(&'static Share),
}

/// How far a core has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Readiness {
    /// It has not been heard of.
    Awaited = 0,
    /// It serves guests.
    Online = 1,
    /// It has come, and cannot serve guests.
    Unfit = 2,
}

/// A physical core. The anchor comes first: TPIDR_EL2 points to it.
#[repr(C)]
pub struct Processor {
    anchor: Anchor,
    /// Its number on the board.
    pub index: usize,
    /// Its affinity (MPIDR_EL1).
    pub affinity: u64,
    work: Once<Work>,
    /// Its [`Readiness`].
    readiness: AtomicU32,
    /// When each [`Timer`] is due. Only this core touches them.
    deadlines: Deadlines,
    /// The ID registers as guests on this core see them.
    id_registers: [AtomicU64; id_registers::COUNT],
}

impl Processor {
    /// A core with the stacks given (their highest addresses), that runs nothing yet.
    pub fn new(index: usize, affinity: u64, stack: u64, fault_stack: u64) -> Self {
        Self {
            anchor: Anchor { stack, fault_stack, frame: [0; 32] },
            index,
            affinity,
            work: Once::new(),
            readiness: AtomicU32::new(Readiness::Awaited as u32),
            deadlines: Deadlines::new(),
            id_registers: [const { AtomicU64::new(0) }; id_registers::COUNT],
        }
    }

    /// The core on which this code runs, once [`adopt`](Self::adopt) was called on it.
    pub fn current() -> Option<&'static Self> {
        let anchor = cpu::anchor();
        // SAFETY: TPIDR_EL2 is zero or what `adopt` put there: the first field of a processor that lives for ever.
        unsafe { anchor.cast::<Self>().as_ref() }
    }

    /// The ID register S3_0_C0_C`crm`_`op2` as a guest on this core sees it.
    #[inline]
    pub fn id_register(&self, crm: u64, op2: u64) -> u64 {
        self.id_registers.get(id_registers::number(crm, op2)).map_or(0, |value| value.load(Ordering::Relaxed))
    }

    /// Makes this the core on which the code runs.
    pub fn adopt(&'static self) {
        for (number, value) in self.id_registers.iter().enumerate() {
            value.store(id_registers::shown_here(number), Ordering::Relaxed);
        }
        // SAFETY: the processor and its stacks live for ever and belong to this core alone.
        unsafe {
            cpu::set_anchor(&raw const self.anchor);
        }
        self.readiness.store(Readiness::Online as u32, Ordering::Release);
    }

    /// Says of this core that it has come and cannot serve guests.
    pub fn is_unfit(&self) {
        self.readiness.store(Readiness::Unfit as u32, Ordering::Release);
    }

    /// How far it has come.
    pub fn readiness(&self) -> Readiness {
        match self.readiness.load(Ordering::Acquire) {
            0 => Readiness::Awaited,
            1 => Readiness::Online,
            _ => Readiness::Unfit,
        }
    }

    /// Highest address of its stack.
    pub fn stack(&self) -> u64 {
        self.anchor.stack
    }

    /// The registers that the vectors saved when EL2 faulted.
    pub fn fault_frame(&self) -> [u64; 32] {
        // SAFETY: the frame is written by the vectors of this core before its fault handler runs and not again.
        unsafe { core::ptr::read_volatile(&raw const self.anchor.frame) }
    }

    /// Gives it what it runs. To be called once, before it runs anything.
    pub fn give(&self, work: Work) {
        self.work.call_once(|| work);
    }

    /// The vCPU whose registers it has, which looks at its interrupts before it goes on.
    pub fn loaded(&self) -> Option<&'static Vcpu> {
        match self.work.get()? {
            Work::One(vcpu) => Some(vcpu),
            Work::Several(share) => share.loaded(),
        }
    }

    /// How it shares its time among vCPUs, if it does.
    #[inline]
    pub fn share(&self) -> Option<&'static Share> {
        match self.work.get()? {
            Work::One(_) => None,
            Work::Several(share) => Some(share),
        }
    }

    /// Makes it look at its vCPUs, wherever it is.
    pub fn kick(&self) {
        self.signal(KICK);
    }

    /// Stops it for good.
    pub fn halt(&self) {
        self.signal(HALT);
    }

    fn signal(&self, intid: u32) {
        if self.readiness() == Readiness::Online {
            with_interface!(G => G::send(G::signal(intid, self.index, self.affinity)));
        }
    }

    /// Sets a timer of this core, unless it is set already.
    pub fn arm_once(&self, timer: Timer, at: impl FnOnce() -> u64) {
        if self.deadlines.get(timer) == NEVER {
            self.deadlines.set(timer, at());
            self.set_timer();
        }
    }

    /// Sets a timer of this core to `at`, unless it is due before.
    pub fn arm_by(&self, timer: Timer, at: u64) {
        if at < self.deadlines.get(timer) {
            self.deadlines.set(timer, at);
            self.set_timer();
        }
    }

    /// Sets a timer of this core to `at`, whatever it was set to; [`u64::MAX`] is never.
    pub fn arm(&self, timer: Timer, at: u64) {
        if self.deadlines.get(timer) != at {
            self.deadlines.set(timer, at);
            self.set_timer();
        }
    }

    /// Whether a timer of this core is due; it is not set any more then.
    pub fn take_due(&self, timer: Timer, now: u64) -> bool {
        self.deadlines.take_due(timer, now)
    }

    /// On a core that vCPUs share, whether the end of a turn is all that is due. The timer is to be set anew then, by
    /// [`arm`](Self::arm), to whatever time.
    #[inline]
    pub fn take_end_of_turn(&self, now: u64) -> bool {
        self.deadlines.take_end_of_turn(now)
    }

    /// Sets the EL2 timer of this core to what is due next.
    pub fn set_timer(&self) {
        set_timer(self.deadlines.next());
    }

    /// Runs whatever there is to run, for ever.
    pub fn idle(&'static self) -> ! {
        let alone = match self.work.get() {
            Some(Work::Several(share)) => share.run(self),
            Some(Work::One(vcpu)) => Some(*vcpu),
            None => None,
        };
        loop {
            if let Some(vcpu) = alone {
                match vcpu.step() {
                    Step::Cancel => {
                        vcpu.vm.retired(vcpu);
                        continue;
                    }
                    Step::Load => match vcpu.vm.restarts.waits(timer::count()) {
                        Some(at) => self.arm(Timer::Schedule, at),
                        None => {
                            vcpu.vm.load_and_start(vcpu, LOAD_PIECE);
                            continue;
                        }
                    },
                    Step::Start => {
                        vcpu.vm.unparked(vcpu);
                        if vcpu.vm.state() != State::RUNNING {
                            continue;
                        }
                        vcpu.run(self)
                    }
                    Step::Scrub => {
                        vcpu.vm.scrub_piece(SCRUB_PIECE);
                        Machine::get().take_interrupts(self);
                        continue;
                    }
                    Step::Hold if !vcpu.is_on() => {
                        vcpu.times.stops_being_runnable(timer::count());
                        vcpu.vm.parked(vcpu);
                    }
                    // A vCPU that is on is in its guest, or on its way there, and not here.
                    Step::Hold | Step::Nothing | Step::Retire | Step::Run => {}
                }
            }
            barrier::wfi();
            Machine::get().take_interrupts(self);
        }
    }
}

/// Sets the EL2 timer to `at`.
fn set_timer(at: u64) {
    timer::set_deadline((at != NEVER).then_some(at));
}
