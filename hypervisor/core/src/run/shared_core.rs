//! A core that several vCPUs share.
//!
//! The core has the registers of one vCPU, the loaded one, which need not be running: while nobody can run it stays loaded,
//! and if it is the next one there is nothing to change over. The way into a guest and the way out of it are the same as on a
//! core with one vCPU; a switch is what happens in between.
//!
//! What EL2 does for a VM that takes long, loading its images and scrubbing its memory, is done in pieces when it is the turn
//! of the VM's first vCPU, and counts as its time.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use portcullis_arch::{barrier, optional::Features, timer, vectors::Next};
use portcullis_vgic::{self as vgic, HARDWARE_LINKED};
use spin::{Mutex, Once};

use super::interrupts;
use super::last_here::LastHere;
use super::member::{Home, Member, Want};
use super::{physical_counter, turn};
use crate::cpu::deadlines::Timer;
use crate::cpu::gic::VirtualControl;
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::schedule::RoundRobin;
use crate::schedule::turns::{MARK, Turns};
use crate::vm::Vcpu;
use crate::vm::state::State;
use crate::vm::step::Step;
use crate::with_interface;

/// Stands for no vCPU, where a number is expected.
const NOBODY: usize = usize::MAX;

/// Bytes of a VM's memory that EL2 fills at a time, before it looks who else wants the core.
const PIECE: u64 = 32 << 10;
/// A guest's access to its flash makes EL2 fill no more either.
const _: () = assert!(portcullis_devices::flash::commands::PIECE <= PIECE, "a neighbour waits for all of it");

/// See the module. The core itself is the only one that changes anything here.
pub struct SharedCore {
    members: Once<Box<[Member]>>,
    policy: Mutex<RoundRobin>,
    /// Whose registers the core has.
    loaded: AtomicUsize,
    /// Who is to run, if that was decided on the way back to another guest.
    decided: AtomicUsize,
    /// Until when the last decision holds, in ticks of the physical counter; [`u64::MAX`] is for ever.
    until: AtomicU64,
    /// Which of the physical interrupts that are linked to virtual ones are enabled, bits by INTID, and the [`MARK`].
    linked: AtomicU32,
    /// By VM which of its vCPUs was here last.
    last: LastHere,
    /// Whose time it is, for the interrupts of devices.
    turns: Turns,
    features: Features,
}

impl SharedCore {
    /// A core with this policy, whose vCPUs are yet to be [given](Self::give). The board's cores are alike: it has what the one
    /// has on which this runs.
    pub fn new(policy: RoundRobin) -> Self {
        Self {
            members: Once::new(),
            policy: Mutex::new(policy),
            loaded: AtomicUsize::new(NOBODY),
            decided: AtomicUsize::new(NOBODY),
            until: AtomicU64::new(u64::MAX),
            linked: AtomicU32::new(0),
            last: LastHere::new(),
            turns: Turns::new(),
            features: Features::here(),
        }
    }

    /// Gives it its vCPUs, in the order of the policy. Each must have been told that it [shares](Vcpu::share_core) this core.
    pub fn give(&self, vcpus: &[&'static Vcpu]) {
        self.members.call_once(|| vcpus.iter().filter_map(|vcpu| Member::new(vcpu)).collect());
    }

    fn members(&self) -> &[Member] {
        self.members.get().map(|members| &**members).unwrap_or_default()
    }

    /// Has it see to the interrupts of devices that follow the turns of the VMs on it, and to what it shows of itself to each. To
    /// be called once, before it runs anything.
    pub fn watch_turns(&self) {
        let watched = self.members().iter().map(|member| turn::watched(member.vcpu.vm));
        self.turns.watch(watched.fold(0, |vms, bit| vms | bit));
    }

    /// The vCPUs that share it.
    pub fn vcpus(&self) -> impl Iterator<Item = &'static Vcpu> {
        self.members().iter().map(|member| member.vcpu)
    }

    fn loaded_member(&self) -> Option<&Member> {
        self.members().get(self.loaded.load(Ordering::Relaxed))
    }

    /// The vCPU whose registers the core has.
    pub fn loaded(&self) -> Option<&'static Vcpu> {
        self.loaded_member().map(|member| member.vcpu)
    }

    /// Runs whatever there is to run, for ever. The core comes here whenever a vCPU does not run on.
    pub fn run(&'static self, core: &'static Core) -> ! {
        let members = self.members();
        if let Some(member) = members.get(self.loaded.load(Ordering::Relaxed)) {
            member.has_left();
        }
        loop {
            let decided = self.decided.load(Ordering::Relaxed);
            let next = if decided == NOBODY { self.choose(members) } else { Some(decided) };
            self.decided.store(NOBODY, Ordering::Relaxed);
            match next.and_then(|index| Some((index, members.get(index)?))) {
                Some((index, member)) if member.vcpu.is_on() && member.vcpu.vm.may_run() => {
                    self.bring_on(index, member);
                    self.arm(core);
                    // SAFETY: it was just brought onto this core, its own.
                    unsafe { member.vcpu.go_on() }
                }
                Some((index, member)) => self.serve(index, member, core),
                None => self.rest(core),
            }
            self.take_interrupts(core);
        }
    }

    /// Waits for an interrupt: nobody can run. What comes of the last one's stores does not keep the core from that.
    #[inline(never)]
    fn rest(&self, core: &Core) {
        self.arm(core);
        core.drain_errors(self.loaded());
        barrier::wfi();
    }

    /// On the way back to the guest that is loaded: whether it is still its turn.
    #[inline(always)]
    pub fn goes_on(&self, core: &Core) -> bool {
        let (members, loaded) = (self.members(), self.loaded.load(Ordering::Relaxed));
        if let Some(member) = members.get(loaded) {
            self.take_changed_enables(member);
        }
        let next = self.choose(members);
        let same = next == Some(loaded);
        if same {
            self.arm(core);
        } else {
            self.decided.store(next.unwrap_or(NOBODY), Ordering::Relaxed);
        }
        same
    }

    /// Looks who could run, and asks the policy. The core's timer is to be [set](Self::arm) after that.
    fn choose(&self, members: &[Member]) -> Option<usize> {
        // The core has just taken an exception, or waited: the counter is no older than that.
        let now = timer::count_relaxed();
        let (mut timer, mut leaves) = (u64::MAX, None);
        let can_run = |index: usize| match members.get(index) {
            Some(member) => match member.wants(self, now) {
                Want::Core => true,
                // That does not wait for a window, which its VM may not have.
                Want::Off => {
                    leaves = Some(index);
                    true
                }
                Want::Until(deadline) => {
                    timer = timer.min(deadline);
                    false
                }
            },
            None => false,
        };
        let decision = self.policy.lock().decide(now, can_run, |vms| self.follow_time(vms));
        self.until.store(timer.min(decision.until.unwrap_or(u64::MAX)), Ordering::Relaxed);
        leaves.or(decision.run)
    }

    /// Sets the core's timer to when it has to be decided anew.
    #[inline(always)]
    fn arm(&self, core: &Core) {
        core.arm(Timer::Schedule, self.until.load(Ordering::Relaxed));
    }

    /// Does what the vCPU whose turn it is has to do, where that is not just to go on. Returns when it was EL2's own work.
    #[cold]
    fn serve(&'static self, index: usize, member: &'static Member, core: &'static Core) {
        let vcpu = member.vcpu;
        // Mostly it just goes on.
        match if vcpu.is_on() && vcpu.vm.may_run() { Step::Run } else { vcpu.step() } {
            Step::Scrub => vcpu.vm.scrub_piece(PIECE),
            Step::Cancel => vcpu.vm.retired(vcpu),
            Step::Load => vcpu.vm.load_and_start(vcpu, PIECE),
            // What has changed since this was chosen is looked at when the next one is.
            Step::Nothing | Step::Hold => {}
            Step::Start => {
                let goes_on = vcpu.vm.unparked(vcpu);
                member.off_core.begin(physical_counter::lag(vcpu.vm));
                if goes_on && vcpu.vm.state() == State::RUNNING {
                    self.put_away();
                    self.arm(core);
                    self.take_possession(index, vcpu);
                    vcpu.prepare();
                    self.follow_enables(vcpu);
                    vcpu.begin(core, Machine::get().handlers.sharing);
                }
            }
            Step::Sleep => {
                self.bring_on(index, member);
                let _ = vcpu.is_woken();
            }
            Step::Wake => self.wake(index, member, core),
            Step::Retire => {
                self.bring_on(index, member);
                let _ = self.retire(vcpu);
            }
            Step::Run => {
                self.bring_on(index, member);
                self.arm(core);
                // SAFETY: it was just brought onto this core, its own.
                unsafe { vcpu.go_on() }
            }
        }
    }

    /// Has a vCPU that was woken go on, if its VM does.
    fn wake(&'static self, index: usize, member: &'static Member, core: &'static Core) {
        let vcpu = member.vcpu;
        if !vcpu.vm.unparked(vcpu) || vcpu.vm.state() != State::RUNNING {
            return;
        }
        // It may be the one that is loaded. Of its registers none is left, those of debug included.
        self.put_away();
        member.off_core.begin_again(physical_counter::lag(vcpu.vm));
        self.arm(core);
        self.take_possession(index, vcpu);
        vcpu.prepare_to_wake();
        self.follow_enables(vcpu);
        vcpu.begin(core, Machine::get().handlers.sharing)
    }

    /// Changes over to a vCPU that is on.
    fn bring_on(&self, index: usize, member: &Member) {
        if self.loaded.load(Ordering::Relaxed) == index {
            self.take_changed_enables(member);
            return;
        }
        self.put_away();
        let foreign = self.take_possession(index, member.vcpu);
        member.put_back(&self.features, foreign);
        if !self.take_changed_enables(member) {
            self.enable_linked(member.linked.load(Ordering::Relaxed));
        }
    }

    /// Follows what others have changed of the enables of the one that is loaded. False: nothing.
    #[inline(always)]
    fn take_changed_enables(&self, member: &Member) -> bool {
        let changed = member.off_core.take_changed_enables();
        if changed {
            self.follow_changes(member.vcpu);
        }
        changed
    }

    /// [`take_changed_enables`](Self::take_changed_enables) if there is something: others have changed enables of `vcpu`, which is
    /// loaded, or have called it to work at links, which it does in its own time.
    #[inline(never)]
    fn follow_changes(&self, vcpu: &Vcpu) {
        self.follow_enables(vcpu);
        vcpu.work_at_links();
    }

    /// Takes the loaded vCPU off the core, if there is one. If it waits, its own timers can wake it no more: the core's does.
    #[inline(always)]
    fn put_away(&self) {
        if let Some(member) = self.loaded_member() {
            let has_failed = member.put_away(&self.features, self.linked.load(Ordering::Relaxed));
            if let Some(deadline) = member.off_core.deadline() {
                self.until.store(deadline.min(self.until.load(Ordering::Relaxed)), Ordering::Relaxed);
            }
            self.loaded.store(NOBODY, Ordering::Relaxed);
            if has_failed {
                member.vcpu.take_errors(&self.features);
            }
        }
    }

    /// The core is this vCPU's. Returns whether another one of its VM was here since it was.
    fn take_possession(&self, index: usize, vcpu: &'static Vcpu) -> bool {
        self.loaded.store(index, Ordering::Relaxed);
        vcpu.times.count_switch();
        self.last.comes(vcpu.vm.index, index)
    }

    /// Takes `vcpu`, which is loaded, off the core for good or until it is switched on again. Returns what the vectors do next.
    pub fn retire(&self, vcpu: &'static Vcpu) -> Next {
        vcpu.leave_core(|| self.give_up())
    }

    /// The loaded vCPU has gone off, and its registers are nobody's.
    fn give_up(&self) {
        if let Some(member) = self.loaded_member() {
            member.off_core.end();
        }
        self.loaded.store(NOBODY, Ordering::Relaxed);
        self.enable_linked(0);
    }

    /// Enables and disables the physical interrupts that are linked to virtual ones as `vcpu`, which is loaded, has these.
    pub fn follow_enables(&self, vcpu: &Vcpu) {
        let enabled = vcpu.vm.vgic.enabled_private(vcpu.index) & HARDWARE_LINKED;
        self.enable_linked(enabled | self.turns.mark(vcpu.vm.index));
    }

    #[inline(always)]
    fn enable_linked(&self, wanted: u32) {
        let changed = self.linked.load(Ordering::Relaxed) ^ wanted;
        if changed != 0 {
            self.linked.store(wanted, Ordering::Relaxed);
            self.change_linked(changed, wanted);
        }
    }

    #[cold]
    fn change_linked(&self, changed: u32, wanted: u32) {
        let interrupts = Machine::get().board.interrupts;
        if let Some(core) = self.number() {
            if changed & MARK != 0 {
                turn::change(self.members(), core, Turns::marked(changed ^ wanted), Turns::marked(wanted));
            }
            vgic::linked(changed).for_each(|intid| interrupts.enable_private(core, intid, wanted >> intid & 1 != 0));
        }
    }

    /// The number of the core.
    fn number(&self) -> Option<usize> {
        self.members().first().map(|member| member.vcpu.core)
    }

    /// On a core with windows: from now on it is the time of these VMs, a bit each.
    #[inline(always)]
    fn follow_time(&self, vms: u32) {
        if let Some((begins, ends)) = self.turns.change_time(vms) {
            self.change_time(begins, ends);
        }
    }

    #[cold]
    fn change_time(&self, begins: u32, ends: u32) {
        if let Some(core) = self.number() {
            turn::change_time(core, begins, ends);
        }
    }

    /// Takes the physical interrupts that are pending while no guest runs. Those of timers are the loaded vCPU's.
    #[inline(never)]
    fn take_interrupts(&self, core: &'static Core) {
        match self.loaded() {
            Some(vcpu) => while interrupts::take(vcpu) {},
            None => interrupts::take_all(core, None),
        }
    }
}

impl Home for SharedCore {
    fn has_loaded(&self, member: &Member) -> bool {
        self.loaded_member().is_some_and(|loaded| core::ptr::eq(loaded, member))
    }

    fn forgets_before(&self, member: &Member) {
        self.last.forget(member.vcpu.vm.index);
    }

    #[cold]
    #[inline(never)]
    fn put_away_if_loaded(&self, member: &Member) {
        if self.has_loaded(member) {
            self.put_away();
            // Perhaps nobody comes for long. A vCPU that had more interrupts pending than list registers has left the interface
            // asking for maintenance when none of these is pending, which is always so then: the core would take nothing else.
            with_interface!(G => G::stop_virtual_interface());
            // What the core shows to a VM is shown anew when that comes back: its counter may have stood still meanwhile.
            if self.linked.load(Ordering::Relaxed) & MARK != 0 {
                self.enable_linked(0);
            }
        }
    }
}
