//! What a vCPU has besides when it shares its core: a place for its registers while another one is there.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use portcullis_abi::state::{self, Unfit};
use portcullis_arch::{optional::Features, timer, world::World};

use crate::cpu::deadlines::NEVER;
use crate::cpu::gic::{VirtualControl, VirtualInterface};

/// See the module. Its core alone uses it, but for the flag that the enables have changed, and but for who saves or restores
/// its VM, which stands still.
pub struct OffCore {
    registers: UnsafeCell<Registers>,
    /// Why it would not run: [`WAITING`], [`PARKED`].
    rest: AtomicU8,
    /// Physical counter when its timers, which are off meanwhile, would interrupt it.
    deadline: AtomicU64,
    /// Another vCPU has changed which of its linked interrupts are enabled, or its core is called to work at links.
    enables_changed: AtomicBool,
    /// What the physical counter of a VM that can be saved lagged behind the one that its timer goes by when that was set, in
    /// ticks.
    lag: AtomicU64,
}

/// It has given the core away until there is an interrupt for it.
pub const WAITING: u8 = 1 << 0;
/// It stands still, with its VM.
pub const PARKED: u8 = 1 << 1;
/// It was restored, and has not been on its core since: what that remembers of the VM is of a former life.
pub const RESTORED: u8 = 1 << 2;

/// Registers of a vCPU that is not on its core.
struct Registers {
    world: World,
    interface: VirtualInterface,
}

// SAFETY: the registers are touched by the vCPU's own core alone, or by who saves or restores a VM that stands still;
// everything else is atomic.
unsafe impl Sync for OffCore {}

impl OffCore {
    /// Makes the place of a vCPU that is off.
    pub fn new() -> Box<Self> {
        let registers = Registers { world: World::new(), interface: VirtualInterface::default() };
        Box::new(Self {
            registers: UnsafeCell::new(registers),
            rest: AtomicU8::new(0),
            deadline: AtomicU64::new(NEVER),
            enables_changed: AtomicBool::new(false),
            lag: AtomicU64::new(0),
        })
    }

    /// Nothing keeps the vCPU from running any more, and nobody has changed its enables: it is about to start, or has gone off. Its
    /// physical counter, if it has its own, lags behind the machine's by so many ticks.
    pub fn begin(&self, lag: u64) {
        self.lag.store(lag, Ordering::Relaxed);
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

    /// The vCPU, whose core this is and which is not on it, was suspended and goes on without its registers.
    pub fn begin_again(&self, lag: u64) {
        self.end();
        self.begin(lag);
        // When its timers would have woken it says nothing any more.
        self.deadline.store(NEVER, Ordering::Relaxed);
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
    #[inline(always)]
    unsafe fn registers(&self) -> &mut Registers {
        // SAFETY: as the caller says.
        unsafe { &mut *self.registers.get() }
    }

    /// Returns the registers of the vCPU, and its CPU interface.
    ///
    /// # Safety
    ///
    /// The vCPU must be off its core, and stay so, with all that it has done seen here.
    pub unsafe fn save(&self) -> (state::World, state::GicCpuInterface) {
        // SAFETY: the core does not use them, as the caller says.
        let registers = unsafe { &*self.registers.get() };
        let mut world = registers.world.save_state();
        world.el1.cntp_cval = world.el1.cntp_cval.wrapping_sub(self.lag.load(Ordering::Relaxed));
        (world, registers.interface.save_state())
    }

    /// Takes registers on; the core has the `features` given.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    ///
    /// # Safety
    ///
    /// The vCPU must be off, and nobody else may switch it on or restore it meanwhile.
    pub unsafe fn restore_world(&self, saved: &state::World, features: &Features) -> Result<(), Unfit> {
        // SAFETY: nobody else uses them, as the caller says.
        unsafe { self.registers() }.world.restore_state(saved, features)?;
        self.lag.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// The physical counter of the vCPU, which is not on this core, its own, goes on after a pause, so many ticks behind the
    /// machine's: its timer fires as much later.
    pub fn follow_lag(&self, ticks: u64) {
        let before = self.lag.swap(ticks, Ordering::Relaxed);
        // SAFETY: this is the vCPU's core, and it runs this.
        unsafe { self.registers() }.world.delay_physical_timer(ticks.wrapping_sub(before));
    }

    /// Takes a CPU interface on.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    ///
    /// # Safety
    ///
    /// As for [`restore_world`](Self::restore_world).
    pub unsafe fn restore_interface(&self, saved: &state::GicCpuInterface) -> Result<(), Unfit> {
        let interface = VirtualInterface::restored(saved)?;
        // SAFETY: nobody else uses them, as the caller says.
        unsafe { self.registers() }.interface = interface;
        Ok(())
    }

    /// From now on the vCPU, which was restored, stands still until its VM goes on. Its core, where it may never have been, has to
    /// find out what it has enabled.
    pub fn stands_restored(&self) {
        self.rest.store(PARKED | RESTORED, Ordering::Relaxed);
        self.deadline.store(NEVER, Ordering::Relaxed);
        self.enables_changed.store(true, Ordering::Relaxed);
    }

    /// From now on the vCPU waits for an interrupt.
    pub fn wait(&self) {
        self.set(WAITING, true);
    }

    /// Whether the vCPU waits for an interrupt.
    pub fn is_waiting(&self) -> bool {
        self.rest() & WAITING != 0
    }

    /// Why the vCPU would not run: [`WAITING`], [`PARKED`].
    #[inline(always)]
    pub fn rest(&self) -> u8 {
        self.rest.load(Ordering::Relaxed)
    }

    /// Notes whether one of these reasons holds.
    pub fn set(&self, reason: u8, holds: bool) {
        let rest = self.rest();
        self.rest.store(if holds { rest | reason } else { rest & !reason }, Ordering::Relaxed);
    }

    /// When the vCPU's timers would wake it, while it waits and is not on its core; [`u64::MAX`] is never.
    pub fn deadline(&self) -> Option<u64> {
        self.is_waiting().then(|| self.noted_deadline())
    }

    /// [`deadline`](Self::deadline) of a vCPU that waits.
    #[inline(always)]
    pub fn noted_deadline(&self) -> u64 {
        self.deadline.load(Ordering::Relaxed)
    }

    /// The vCPU's linked interrupts are to be enabled anew, as its virtual GIC has them, or there is work at links that its
    /// core does when it has the vCPU. False: that was known already.
    pub fn change_enables(&self) -> bool {
        !self.enables_changed.swap(true, Ordering::AcqRel)
    }

    /// Whether they are to be.
    #[inline(always)]
    pub fn has_changed_enables(&self) -> bool {
        self.enables_changed.load(Ordering::Relaxed)
    }

    /// Whether they are to be; not any more then.
    pub fn take_changed_enables(&self) -> bool {
        // Mostly not, and then nothing is written.
        self.has_changed_enables() && self.enables_changed.swap(false, Ordering::Acquire)
    }

    /// Takes the registers of the vCPU, whose core this is, off it, all but those of the interrupt controller. The core has the
    /// `features` given, the vCPU's virtual counter is `offset` ticks behind, and of its timers it has enabled the interrupts in
    /// `linked`. Returns whether there is an SError to take in its name.
    #[must_use]
    #[inline(always)]
    pub fn save_world(&self, features: &Features, offset: u64, linked: u32) -> bool {
        // SAFETY: this is the vCPU's core, and it runs this.
        let registers = unsafe { self.registers() };
        let has_failed = registers.world.save(features);
        if self.is_waiting() {
            self.set_deadline(registers, offset, linked, timer::physical_offset);
        }
        has_failed
    }

    /// Takes what the virtual CPU interface has besides list registers off the core, which is the vCPU's.
    #[inline(always)]
    pub fn save_interface<G: VirtualControl>(&self) {
        // SAFETY: this is the vCPU's core, and it runs this.
        G::save_virtual_interface(&mut unsafe { self.registers() }.interface);
    }

    /// Puts it back.
    #[inline(always)]
    pub fn load_interface<G: VirtualControl>(&self) {
        // SAFETY: this is the vCPU's core, and it runs this.
        G::load_virtual_interface(&unsafe { self.registers() }.interface);
    }

    /// Puts the other registers back.
    #[inline(always)]
    pub fn load_world(&self, features: &Features) {
        self.deadline.store(NEVER, Ordering::Relaxed);
        // SAFETY: this is the vCPU's core, and it runs this.
        unsafe { self.registers() }.world.load(features);
    }

    /// The virtual counter of the vCPU, which is not on this core, its own, goes on after a pause, `offset` ticks behind, and the
    /// physical one that its timer goes by `physical`: so the time when its timers wake it moves.
    pub fn follow_counter(&self, offset: u64, physical: u64, linked: u32) {
        if self.is_waiting() {
            // SAFETY: this is the vCPU's core, and it runs this.
            let registers = unsafe { self.registers() };
            self.set_deadline(registers, offset, linked, || physical);
        }
    }

    /// Notes when the timers of the vCPU, which waits and is not on its core, would wake it.
    #[inline(always)]
    fn set_deadline(&self, registers: &Registers, offset: u64, linked: u32, physical: impl FnOnce() -> u64) {
        let deadline = timer::next_deadline(registers.world.el1(), offset, linked, physical);
        // What was due before it began to wait has not kept it from that: it does not wait for it since then.
        self.deadline.store(deadline.max(timer::count_relaxed()), Ordering::Relaxed);
    }
}
