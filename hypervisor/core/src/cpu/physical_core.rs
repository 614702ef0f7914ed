//! A physical core: its stacks, its timer, its identity, and how others call it.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use portcullis_arch::{cpu, cpu::Anchor, timer};
use portcullis_board::Firmware;
use portcullis_board::signal::{HALT, KICK, TRACE, WORK};
use portcullis_bundle::implementations::Implementation;
use spin::Once;

use super::deadlines::{Deadlines, NEVER, Timer};
use super::feature_set::FeatureSet;
use super::gic::Signals;
use super::speculation::Protection;
use crate::with_interface;

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
pub struct Core {
    anchor: Anchor,
    /// Its number on the board.
    pub index: usize,
    /// Its affinity (MPIDR_EL1).
    pub affinity: u64,
    /// Its [`Readiness`].
    readiness: AtomicU32,
    /// When each [`Timer`] is due. Only this core touches them.
    deadlines: Deadlines,
    /// What holds on it against speculation.
    protection: Once<Protection>,
    /// What guests see of its features.
    features: FeatureSet,
    /// Bits of physical address that it has.
    reach: AtomicU32,
    /// Its CNTFRQ_EL0: ticks of the counter in a second.
    frequency: AtomicU64,
    /// Its MIDR_EL1, REVIDR_EL1 and AIDR_EL1.
    identity: [AtomicU64; 3],
    /// Its CTR_EL0 and DCZID_EL0.
    caches: [AtomicU64; 2],
}

impl Core {
    /// Makes a core with the stacks given (their highest addresses), that nobody has heard of yet.
    pub fn new(index: usize, affinity: u64, stack: u64, fault_stack: u64) -> Self {
        Self {
            anchor: Anchor::new(stack, fault_stack),
            index,
            affinity,
            readiness: AtomicU32::new(Readiness::Awaited as u32),
            deadlines: Deadlines::new(),
            protection: Once::new(),
            features: FeatureSet::new(),
            reach: AtomicU32::new(0),
            frequency: AtomicU64::new(0),
            identity: [const { AtomicU64::new(0) }; 3],
            caches: [const { AtomicU64::new(0) }; 2],
        }
    }

    /// The core on which this code runs, once its [`Worker`](crate::run::worker::Worker) has adopted it.
    #[inline(always)]
    pub fn current() -> Option<&'static Self> {
        let anchor = cpu::anchor();
        // SAFETY: TPIDR_EL2 is zero or the address of a worker that lives for ever. Its first field is its core, whose first field
        // is the anchor.
        unsafe { anchor.cast::<Self>().as_ref() }
    }

    /// What guests see of its features, once it is online.
    pub fn features(&self) -> &FeatureSet {
        &self.features
    }

    /// Bits of physical address that it has, once it is online.
    pub fn reach(&self) -> u32 {
        self.reach.load(Ordering::Relaxed)
    }

    /// Its CNTFRQ_EL0, in Hz, once it is online.
    pub fn frequency(&self) -> u64 {
        self.frequency.load(Ordering::Relaxed)
    }

    /// Finds out what the hardware of this core is, with what `firmware` says of it, and what guests see of that. To be called on
    /// it, once.
    pub(crate) fn identify(&self, firmware: Option<&dyn Firmware>) {
        let protection = self.protection.call_once(|| Protection::here(firmware));
        self.features.find_out(protection);
        self.reach.store(cpu::physical_address_bits(), Ordering::Relaxed);
        self.frequency.store(timer::frequency(), Ordering::Relaxed);
        let values = self.identity.iter().chain(&self.caches);
        for (value, register) in values.zip(cpu::identity().into_iter().chain(cpu::caches())) {
            value.store(register, Ordering::Relaxed);
        }
    }

    /// Which CPU it is, once it is online.
    pub fn implementation(&self) -> Implementation {
        let [midr, revidr, aidr] = self.identity.each_ref().map(|value| value.load(Ordering::Relaxed));
        Implementation { midr, revidr, aidr }
    }

    /// Its CTR_EL0 and DCZID_EL0, once it is online.
    pub fn caches(&self) -> [u64; 2] {
        self.caches.each_ref().map(|value| value.load(Ordering::Relaxed))
    }

    /// What holds on it against speculation, once it was identified.
    pub fn protection(&self) -> Option<&Protection> {
        self.protection.get()
    }

    /// Says of this core that it serves guests from now on.
    pub(crate) fn becomes_online(&self) {
        self.readiness.store(Readiness::Online as u32, Ordering::Release);
    }

    /// Says of this core that it has come and cannot serve guests.
    pub fn becomes_unfit(&self) {
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

    /// Makes it look at its vCPUs, wherever it is.
    pub fn kick(&self) {
        self.signal(KICK);
    }

    /// Has it go on with work at links, and forget what it has mapped of VMs that have ended.
    pub fn call_to_work(&self) {
        self.signal(WORK);
    }

    /// Has it follow how a trace is switched.
    pub fn call_to_trace(&self) {
        self.signal(TRACE);
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
    #[inline(always)]
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
}

/// Sets the EL2 timer to `at`.
fn set_timer(at: u64) {
    timer::set_deadline((at != NEVER).then_some(at));
}
