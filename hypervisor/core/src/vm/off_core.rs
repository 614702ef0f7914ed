//! What a vCPU has besides when it shares its core: a place for its registers while another one is there.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use portcullis_arch::{barrier, el1, el2, optional::Features, paging, timer, world::World};

use super::step::Step;
use super::vcpu::Vcpu;
use crate::cpu::gic::{Interface, VirtualInterface};
use crate::run::shared_core::Share;
use crate::with_interface;

/// A deadline that is not set.
const NEVER: u64 = u64::MAX;

/// See the module. Its core alone uses it, but for the flag that the enables have changed.
pub struct Sharing {
    /// The core as it is shared.
    pub share: &'static Share,
    registers: UnsafeCell<Registers>,
    /// Why it would not run: [`WAITING`], [`PARKED`].
    rest: AtomicU8,
    /// Physical counter when its timers, which are off meanwhile, would interrupt it.
    deadline: AtomicU64,
    /// Another vCPU has changed which of its linked interrupts are enabled.
    enables_changed: AtomicBool,
}

/// It has given the core away until there is an interrupt for it.
const WAITING: u8 = 1 << 0;
/// It stands still, with its VM.
const PARKED: u8 = 1 << 1;

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

/// Registers of a vCPU that is not on its core.
struct Registers {
    world: World,
    interface: VirtualInterface,
}

// SAFETY: the registers are touched by the vCPU's own core alone; everything else is atomic.
unsafe impl Sync for Sharing {}

impl Sharing {
    /// For a vCPU that is off.
    pub fn new(share: &'static Share) -> Box<Self> {
        let registers = Registers { world: World::new(), interface: VirtualInterface::default() };
        Box::new(Self {
            share,
            registers: UnsafeCell::new(registers),
            rest: AtomicU8::new(0),
            deadline: AtomicU64::new(NEVER),
            enables_changed: AtomicBool::new(false),
        })
    }

    /// Nothing keeps it from running any more, and nobody has changed its enables: it is about to start, or has gone off.
    pub fn begin(&self) {
        self.rest.store(0, Ordering::Relaxed);
        self.enables_changed.store(false, Ordering::Relaxed);
    }

    /// The vCPU, whose core this is, goes off.
    pub fn end(&self) {
        // It does not want its core any more, and is not yet marked as off.
        self.set(WAITING, true);
        // SAFETY: this is the vCPU's core, and it runs this.
        unsafe { self.registers() }.world.forget_debug();
    }

    /// Gives the vCPU, whose core this is and which is on it, its debug registers until it leaves the core. False if it has
    /// them.
    pub fn give_debug(&self) -> bool {
        // SAFETY: this is the vCPU's core, and it runs this.
        unsafe { self.registers() }.world.give_debug()
    }

    /// # Safety
    ///
    /// To be called on the vCPU's core only, and with no other result of this in use.
    #[expect(clippy::mut_from_ref, reason = "the core is the only one that uses them, as the caller sees to")]
    unsafe fn registers(&self) -> &mut Registers {
        // SAFETY: as the caller says.
        unsafe { &mut *self.registers.get() }
    }

    /// From now on it waits for an interrupt.
    pub fn wait(&self) {
        self.set(WAITING, true);
    }

    /// Whether it waits for an interrupt.
    pub fn is_waiting(&self) -> bool {
        self.rest.load(Ordering::Relaxed) & WAITING != 0
    }

    /// Whether it has no reason not to run.
    #[inline(always)]
    fn is_ready(&self) -> bool {
        self.rest.load(Ordering::Relaxed) == 0
    }

    fn set(&self, reason: u8, holds: bool) {
        let rest = self.rest.load(Ordering::Relaxed);
        self.rest.store(if holds { rest | reason } else { rest & !reason }, Ordering::Relaxed);
    }

    /// When its timers would wake it, while it waits and is not on its core; [`u64::MAX`] is never.
    pub fn deadline(&self) -> Option<u64> {
        self.is_waiting().then(|| self.deadline.load(Ordering::Relaxed))
    }

    /// Its linked interrupts are to be enabled anew, as its virtual GIC has them. False: that was known already.
    pub fn change_enables(&self) -> bool {
        !self.enables_changed.swap(true, Ordering::AcqRel)
    }

    /// Whether they are; not any more then.
    pub fn take_changed_enables(&self) -> bool {
        // Mostly not, and then nothing is written.
        self.enables_changed.load(Ordering::Relaxed) && self.enables_changed.swap(false, Ordering::Acquire)
    }

    /// Takes `vcpu`, whose sharing this is, off this core, its own, which has the `features` given. `linked` are the
    /// interrupts of its timers that it has enabled.
    pub fn put_away(&self, vcpu: &Vcpu, features: &Features, linked: u32) {
        // SAFETY: this is the vCPU's core, and it runs this.
        let registers = unsafe { self.registers() };
        registers.world.save(features);
        timer::stop_guest_timers();
        if self.is_waiting() {
            self.set_deadline(vcpu, registers, linked);
        }
        with_interface!(G => {
            G::save_virtual_interface(&mut registers.interface);
            vcpu.vm.vgic.leave_core(vcpu.index, &mut G::here());
        });
    }

    /// Notes when the timers of `vcpu`, which waits and is not on its core, would wake it.
    #[inline(always)]
    fn set_deadline(&self, vcpu: &Vcpu, registers: &Registers, linked: u32) {
        let deadline = timer::next_deadline(registers.world.el1(), vcpu.vm.counter_offset(), linked);
        // What was due before it began to wait has not kept it from that: it does not wait for it since then.
        self.deadline.store(deadline.unwrap_or(NEVER).max(timer::count_relaxed()), Ordering::Relaxed);
    }

    /// The virtual counter of `vcpu`, whose sharing this is and whose core this is, goes on after a pause: the core follows if it
    /// has the vCPU's registers, and else the time when its timers wake it.
    #[cold]
    #[inline(never)]
    fn follow_counter(&self, vcpu: &Vcpu) {
        if self.share.has_loaded(vcpu) {
            timer::set_virtual_offset(vcpu.vm.counter_offset());
            barrier::isb();
        } else if self.is_waiting() {
            // SAFETY: this is the vCPU's core, and it runs this.
            let registers = unsafe { self.registers() };
            self.set_deadline(vcpu, registers, self.share.linked_of(vcpu));
        }
    }

    /// Gives this core, its own, the registers of `vcpu`, whose sharing this is. `foreign`: another vCPU of its VM was here
    /// since.
    pub fn put_back(&self, vcpu: &Vcpu, features: &Features, foreign: bool) {
        // SAFETY: this is the vCPU's core, and it runs this.
        let registers = unsafe { self.registers() };
        el1::hold_walks();
        vcpu.show_itself();
        if foreign {
            // What the TLB remembers of another vCPU by the same VMID and ASID may be that one's own.
            paging::invalidate_vm();
        }
        with_interface!(G => {
            G::load_virtual_interface(&registers.interface);
            vcpu.vm.vgic.enter_core(vcpu.index, &mut G::here());
        });
        self.deadline.store(NEVER, Ordering::Relaxed);
        registers.world.load(features);
    }
}

impl Vcpu {
    /// What it, whose sharing this is, wants at `now`. What has happened to it since it was last asked is put into effect.
    #[inline(always)]
    pub fn wants(&self, sharing: &Sharing, now: u64) -> Want {
        // Mostly nothing has. Who changes the VM's state kicks the core, which comes here again.
        if !self.is_on() || !self.vm.may_run() {
            return self.look(sharing, now);
        }
        match sharing.rest.load(Ordering::Relaxed) {
            0 => Want::Core,
            WAITING if !self.is_called(sharing) => match sharing.deadline.load(Ordering::Relaxed) {
                deadline if deadline > now => Want::Until(deadline),
                _ => self.look_while_on(sharing, now),
            },
            _ => self.look_while_on(sharing, now),
        }
    }

    /// Whether its virtual GIC has something new for it, an interrupt perhaps.
    #[inline(always)]
    fn is_called(&self, sharing: &Sharing) -> bool {
        self.vm.vgic.needs_flush(self.index) || sharing.enables_changed.load(Ordering::Relaxed)
    }

    #[inline(never)]
    fn look(&self, sharing: &Sharing, now: u64) -> Want {
        const NOTHING: Want = Want::Until(NEVER);
        match self.step() {
            Step::Load => self.vm.restarts.waits(now).map_or(Want::Core, Want::Until),
            Step::Scrub | Step::Start => Want::Core,
            Step::Nothing => NOTHING,
            Step::Cancel | Step::Retire => Want::Off,
            Step::Hold => {
                self.stand_still(sharing, now);
                NOTHING
            }
            Step::Run => self.look_while_on(sharing, now),
        }
    }

    /// [`look`](Self::look) of one that is on and may run.
    #[inline(never)]
    fn look_while_on(&self, sharing: &Sharing, now: u64) -> Want {
        let stood_still = sharing.rest.load(Ordering::Relaxed) & PARKED != 0;
        if stood_still {
            sharing.set(PARKED, false);
            self.vm.unparked(self);
            // Not before: from here on no pause can end without this vCPU having stood still once more.
            sharing.follow_counter(self);
            if !sharing.is_waiting() {
                self.times.becomes_runnable(now);
            }
        }
        if let Some(deadline) = sharing.deadline() {
            if deadline > now && !self.is_called(sharing) {
                return Want::Until(deadline);
            }
            sharing.set(WAITING, false);
            // What was due while it stood still could not have had it run before now.
            self.times.becomes_runnable(if stood_still { now } else { now.min(deadline) });
        }
        Want::Core
    }

    /// It is held, and others have its core meanwhile.
    #[cold]
    fn stand_still(&self, sharing: &Sharing, now: u64) {
        if sharing.rest.load(Ordering::Relaxed) & PARKED == 0 {
            sharing.set(PARKED, true);
            if !self.times.is_running() {
                self.times.stops_being_runnable(now);
            }
            self.vm.parked(self);
        }
        // Its timers must not go on without it. If it has yet to leave the guest, it comes here again when it has.
        if !self.times.is_running() {
            sharing.share.put_away_if_loaded(self);
        }
    }

    /// It, whose sharing this is, has just come out of the guest, and its core does something else before it goes on.
    #[inline(always)]
    pub fn has_left(&self, sharing: &Sharing) {
        let now = timer::count_relaxed();
        if !self.times.leaves(now) {
            return;
        }
        self.remember_place();
        if sharing.is_ready() {
            self.times.becomes_runnable(now);
        }
    }

    /// Goes on with the guest, whose registers are on this core, its own.
    pub fn go_on(&'static self) -> ! {
        if self.vm.vgic.needs_flush(self.index) {
            self.flush_interrupts();
        }
        self.count_entry();
        self.enter()
    }

    /// Makes this core, which is the vCPU's, look like it: its number, its counter, its memory.
    pub(crate) fn show_itself(&self) {
        el2::set_vcpu_number(self.index as u64);
        timer::set_virtual_offset(self.vm.counter_offset());
        // SAFETY: the VM's tables live as long as the VM and map only its own memory.
        unsafe {
            el2::set_stage2(self.vm.vttbr());
        }
    }
}
