//! A vCPU on a core that it shares, and what it would have that core do.

use core::sync::atomic::{AtomicU32, Ordering};

use portcullis_arch::{barrier, timer};

use super::physical_counter;
use crate::cpu::deadlines::NEVER;
use crate::machine::Machine;
use crate::vm::Vcpu;
use crate::vm::off_core::{OffCore, PARKED, RESTORED, WAITING};
use crate::vm::step::Step;

/// One of the vCPUs of a core. That core alone uses it.
pub struct Member {
    /// The vCPU.
    pub vcpu: &'static Vcpu,
    /// Its place beside the core.
    pub off_core: &'static OffCore,
    /// Which of its linked interrupts are enabled, bits by INTID, while it is not on the core.
    pub linked: AtomicU32,
}

/// What a vCPU would have its core do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Run it, or do what EL2 has to do for its VM there.
    Core,
    /// Take it off, whoever's turn it is.
    Off,
    /// Look again when the physical counter is there, or when there is an interrupt for it; [`u64::MAX`] is never.
    Until(u64),
}

/// The core, as its members see it.
pub trait Home {
    /// Whether the core has the registers of `member`.
    fn has_loaded(&self, member: &Member) -> bool;
    /// Takes `member` off the core, if it is loaded.
    fn put_away_if_loaded(&self, member: &Member);
    /// Has the core forget, when `member` comes onto it, what it remembers of the VM.
    fn forgets_before(&self, member: &Member);
}

impl Member {
    /// Makes a member of `vcpu`, if that shares its core.
    pub fn new(vcpu: &'static Vcpu) -> Option<Self> {
        Some(Self { vcpu, off_core: vcpu.off_core()?, linked: AtomicU32::new(0) })
    }

    /// What the vCPU wants of `home`, its core, at `now`. What has happened to it since it was last asked is put into effect.
    #[inline(always)]
    pub fn wants<H: Home>(&self, home: &H, now: u64) -> Want {
        // Mostly nothing has. Who changes the VM's state kicks the core, which comes here again.
        if !self.vcpu.is_on() || !self.vcpu.vm.may_run() {
            return self.look(home, now);
        }
        match self.off_core.rest() {
            0 => Want::Core,
            WAITING if !self.is_called() => match self.off_core.noted_deadline() {
                deadline if deadline > now => Want::Until(deadline),
                _ => self.look_while_on(home, now),
            },
            _ => self.look_while_on(home, now),
        }
    }

    /// Whether the vCPU's virtual GIC has something new for it, an interrupt perhaps.
    #[inline(always)]
    fn is_called(&self) -> bool {
        self.vcpu.vm.vgic.needs_flush(self.vcpu.index) || self.off_core.has_changed_enables()
    }

    #[inline(never)]
    fn look<H: Home>(&self, home: &H, now: u64) -> Want {
        const NOTHING: Want = Want::Until(NEVER);
        match self.vcpu.step() {
            // The core that has some of its RAM mapped yet calls this one when it has forgotten that.
            Step::Load | Step::Scrub if !self.vcpu.vm.aliases.are_gone() => NOTHING,
            Step::Load => self.vcpu.vm.life.restart_policy().waits(now).map_or(Want::Core, Want::Until),
            Step::Scrub | Step::Start | Step::Wake => Want::Core,
            Step::Nothing => NOTHING,
            Step::Cancel | Step::Retire => Want::Off,
            Step::Hold => {
                self.stand_still(home, now);
                NOTHING
            }
            Step::Run => self.look_while_on(home, now),
            Step::Sleep => self.look_while_asleep(home, now),
        }
    }

    /// [`look`](Self::look) of one that sleeps, with its VM: the core has to see whether that which has come wakes it.
    #[cold]
    fn look_while_asleep<H: Home>(&self, home: &H, now: u64) -> Want {
        if self.off_core.rest() & PARKED != 0 {
            if !self.vcpu.vm.unparked(self.vcpu) {
                return Want::Until(NEVER);
            }
            self.goes_on(home);
            self.follow_counter(home);
        }
        match self.off_core.deadline() {
            Some(deadline) if deadline > now && !self.is_called() => Want::Until(deadline),
            _ => Want::Core,
        }
    }

    /// [`look`](Self::look) of one that is on and may run.
    #[inline(never)]
    fn look_while_on<H: Home>(&self, home: &H, now: u64) -> Want {
        let (vcpu, off_core) = (self.vcpu, self.off_core);
        let stood_still = off_core.rest() & PARKED != 0;
        if stood_still {
            if !vcpu.vm.unparked(vcpu) {
                return Want::Until(NEVER);
            }
            self.goes_on(home);
            vcpu.vm.watchdog_timer_goes_on();
            self.follow_counter(home);
            if !off_core.is_waiting() {
                vcpu.times.becomes_runnable(now);
            }
        }
        if let Some(deadline) = off_core.deadline() {
            if deadline > now && !self.is_called() {
                return Want::Until(deadline);
            }
            off_core.set(WAITING, false);
            // What was due while it stood still could not have had it run before now.
            vcpu.times.becomes_runnable(if stood_still { now } else { now.min(deadline) });
        }
        Want::Core
    }

    /// The vCPU is held, and others have its core meanwhile.
    #[cold]
    fn stand_still<H: Home>(&self, home: &H, now: u64) {
        let (vcpu, running) = (self.vcpu, self.vcpu.times.is_running());
        if !running {
            // Its timers must not go on without it. And whoever saves its VM, when all of its vCPUs stand still, finds its
            // registers.
            home.put_away_if_loaded(self);
        } else if vcpu.vm.config.settings.movable {
            // It has yet to leave the guest. Its core looks again when it has.
            return Machine::get().kick(vcpu.core);
        }
        if self.off_core.rest() & PARKED == 0 {
            self.off_core.set(PARKED, true);
            if !running {
                vcpu.times.stops_being_runnable(now);
            }
            vcpu.vm.parked(vcpu);
        }
    }

    /// The vCPU, which stood still, goes on.
    fn goes_on<H: Home>(&self, home: &H) {
        if self.off_core.rest() & RESTORED != 0 {
            home.forgets_before(self);
        }
        self.off_core.set(PARKED | RESTORED, false);
    }

    /// The vCPU's virtual counter goes on after a pause: the core follows if it has the vCPU's registers, and else the time when
    /// its timers wake it.
    #[cold]
    #[inline(never)]
    fn follow_counter<H: Home>(&self, home: &H) {
        let offset = self.vcpu.vm.counter_offset();
        // One that can be saved was put away when it stood still.
        if self.vcpu.vm.config.settings.movable {
            self.off_core.follow_lag(physical_counter::lag(self.vcpu.vm));
        }
        if home.has_loaded(self) {
            timer::set_virtual_offset(offset);
            barrier::isb();
        } else {
            let physical = physical_counter::offset(self.vcpu.vm);
            self.off_core.follow_counter(offset, physical, self.linked.load(Ordering::Relaxed));
        }
    }

    /// The vCPU may just have come out of the guest, and its core does something else before it goes on.
    #[inline(always)]
    pub fn has_left(&self) {
        let (vcpu, off_core) = (self.vcpu, self.off_core);
        let now = timer::count_relaxed();
        if !vcpu.times.leaves(now) {
            return;
        }
        vcpu.remember_place();
        if off_core.rest() == 0 {
            vcpu.times.becomes_runnable(now);
        }
    }
}
