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

use portcullis_abi::map::MAX_VMS;
use portcullis_arch::{barrier, optional::Features, timer};
use portcullis_vgic::{self as vgic, HARDWARE_LINKED};
use spin::{Mutex, Once};

use crate::cpu::physical_core::{Processor, Timer};
use crate::machine::Machine;
use crate::schedule::RoundRobin;
use crate::schedule::turns::{MARK, Turns};
use crate::trap::interrupt;
use crate::vm::Vm;
use crate::vm::off_core::{Sharing, Want};
use crate::vm::state::State;
use crate::vm::step::Step;
use crate::vm::vcpu::Vcpu;

/// Stands for no vCPU, where a number is expected.
const NOBODY: usize = usize::MAX;

/// Bytes of a VM's memory that EL2 fills at a time, before it looks who else wants the core.
const PIECE: u64 = 32 << 10;

/// One of the vCPUs, and what it has besides.
struct Member {
    vcpu: &'static Vcpu,
    sharing: &'static Sharing,
    /// Which of its linked interrupts are enabled, bits by INTID, while it is not on the core.
    linked: AtomicU32,
}

/// See the module. The core itself is the only one that changes anything here.
pub struct Share {
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
    last: [AtomicUsize; MAX_VMS],
    /// Whose time it is, for the interrupts of devices.
    turns: Turns,
    features: Features,
}

impl Share {
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
            last: [const { AtomicUsize::new(NOBODY) }; MAX_VMS],
            turns: Turns::new(),
            features: Features::here(),
        }
    }

    /// Gives it its vCPUs, in the order of the policy. Each must have been told that it [shares](Vcpu::share_core) this core.
    pub fn give(&self, vcpus: &[&'static Vcpu]) {
        let member = |vcpu: &&'static Vcpu| Some(Member { vcpu, sharing: vcpu.sharing()?, linked: AtomicU32::new(0) });
        self.members.call_once(|| vcpus.iter().filter_map(member).collect());
    }

    fn members(&self) -> &[Member] {
        self.members.get().map(|members| &**members).unwrap_or_default()
    }

    /// Whether all of its vCPUs are this VM's.
    pub fn is_of(&self, vm: &Vm) -> bool {
        self.members().iter().all(|member| core::ptr::eq(member.vcpu.vm, vm))
    }

    /// Has it see to the interrupts of devices of the VMs on it, where these follow the VMs' turns. To be called once, before it
    /// runs anything.
    pub fn watch_turns(&self) {
        let follows = |member: &&Member| member.vcpu.vm.lines_that_follow_turns().is_some();
        let bit = |member: &Member| 1u32.checked_shl(member.vcpu.vm.index as u32).unwrap_or(0);
        self.turns.watch(self.members().iter().filter(follows).fold(0, |vms, member| vms | bit(member)));
    }

    fn loaded_member(&self) -> Option<&Member> {
        self.members().get(self.loaded.load(Ordering::Relaxed))
    }

    /// The vCPU whose registers the core has.
    pub fn loaded(&self) -> Option<&'static Vcpu> {
        self.loaded_member().map(|member| member.vcpu)
    }

    /// Runs whatever there is to run, for ever. The core comes here whenever a vCPU does not run on.
    pub fn run(&'static self, processor: &'static Processor) -> ! {
        let members = self.members();
        if let Some(Member { vcpu, sharing, .. }) = members.get(self.loaded.load(Ordering::Relaxed)) {
            vcpu.has_left(sharing);
        }
        loop {
            let decided = self.decided.load(Ordering::Relaxed);
            let next = if decided == NOBODY { self.choose(members) } else { Some(decided) };
            self.decided.store(NOBODY, Ordering::Relaxed);
            match next.and_then(|index| Some((index, members.get(index)?))) {
                Some((index, member)) if member.vcpu.is_on() && member.vcpu.vm.may_run() => {
                    self.bring_on(index, member);
                    self.arm(processor);
                    member.vcpu.go_on();
                }
                Some((index, member)) => self.serve(index, member, processor),
                None => {
                    self.arm(processor);
                    barrier::wfi();
                }
            }
            self.take_interrupts(processor);
        }
    }

    /// On the way back to the guest that is loaded: whether it is still its turn.
    #[inline(always)]
    pub fn goes_on(&self, processor: &Processor) -> bool {
        let (members, loaded) = (self.members(), self.loaded.load(Ordering::Relaxed));
        if let Some(member) = members.get(loaded) {
            self.take_changed_enables(member);
        }
        let next = self.choose(members);
        let same = next == Some(loaded);
        if same {
            self.arm(processor);
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
        let can_run = |index| match members.get(index) {
            Some(Member { vcpu, sharing, .. }) => match vcpu.wants(sharing, now) {
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
    fn arm(&self, processor: &Processor) {
        processor.arm(Timer::Schedule, self.until.load(Ordering::Relaxed));
    }

    /// Does what the vCPU whose turn it is has to do, where that is not just to go on. Returns when it was EL2's own work.
    #[cold]
    fn serve(&'static self, index: usize, member: &'static Member, processor: &'static Processor) {
        let vcpu = member.vcpu;
        match vcpu.step() {
            Step::Scrub => vcpu.vm.scrub_piece(PIECE),
            Step::Cancel => vcpu.vm.retired(vcpu),
            Step::Load => vcpu.vm.load_and_start(vcpu, PIECE),
            // What has changed since this was chosen is looked at when the next one is.
            Step::Nothing | Step::Hold => {}
            Step::Start => {
                vcpu.vm.unparked(vcpu);
                member.sharing.begin();
                if vcpu.vm.state() == State::RUNNING {
                    self.put_away();
                    self.arm(processor);
                    self.take_possession(index, vcpu);
                    vcpu.run(processor);
                }
            }
            step @ (Step::Retire | Step::Run) => {
                self.bring_on(index, member);
                if step == Step::Retire {
                    let _ = vcpu.retire();
                } else {
                    self.arm(processor);
                    vcpu.go_on();
                }
            }
        }
    }

    /// Changes over to a vCPU that is on.
    fn bring_on(&self, index: usize, member: &Member) {
        if self.loaded.load(Ordering::Relaxed) == index {
            self.take_changed_enables(member);
            return;
        }
        self.put_away();
        let foreign = self.take_possession(index, member.vcpu);
        member.sharing.put_back(member.vcpu, &self.features, foreign);
        if !self.take_changed_enables(member) {
            self.enable_linked(member.linked.load(Ordering::Relaxed));
        }
    }

    /// Follows what others have changed of the enables of the one that is loaded. False: nothing.
    #[inline(always)]
    fn take_changed_enables(&self, member: &Member) -> bool {
        let changed = member.sharing.take_changed_enables();
        if changed {
            self.follow_enables(member.vcpu);
        }
        changed
    }

    /// Takes the loaded vCPU off the core, if there is one. If it waits, its own timers can wake it no more: the core's does.
    #[inline(always)]
    fn put_away(&self) {
        if let Some(Member { vcpu, sharing, linked }) = self.loaded_member() {
            let enabled = self.linked.load(Ordering::Relaxed);
            linked.store(enabled, Ordering::Relaxed);
            sharing.put_away(vcpu, &self.features, enabled);
            if let Some(deadline) = sharing.deadline() {
                self.until.store(deadline.min(self.until.load(Ordering::Relaxed)), Ordering::Relaxed);
            }
            self.loaded.store(NOBODY, Ordering::Relaxed);
        }
    }

    /// Takes `vcpu` off the core, if it is loaded: it stands still.
    #[cold]
    #[inline(never)]
    pub fn put_away_if_loaded(&self, vcpu: &Vcpu) {
        if self.has_loaded(vcpu) {
            self.put_away();
        }
    }

    /// Which linked interrupts `vcpu`, which is not loaded, had enabled when it was.
    pub fn linked_of(&self, vcpu: &Vcpu) -> u32 {
        let member = self.members().iter().find(|member| core::ptr::eq(member.vcpu, vcpu));
        member.map_or(0, |member| member.linked.load(Ordering::Relaxed))
    }

    /// The core is this vCPU's. Returns whether another one of its VM was here since it was.
    fn take_possession(&self, index: usize, vcpu: &'static Vcpu) -> bool {
        self.loaded.store(index, Ordering::Relaxed);
        vcpu.times.count_switch();
        let Some(last) = self.last.get(vcpu.vm.index) else { return true };
        let foreign = last.load(Ordering::Relaxed) != index;
        if foreign {
            last.store(index, Ordering::Relaxed);
        }
        foreign
    }

    /// The loaded vCPU has gone off, and its registers are nobody's.
    pub fn give_up(&self) {
        if let Some(member) = self.loaded_member() {
            member.sharing.end();
        }
        self.loaded.store(NOBODY, Ordering::Relaxed);
        self.enable_linked(0);
    }

    /// Enables and disables the physical interrupts that are linked to virtual ones as `vcpu`, which is loaded, has these.
    pub fn follow_enables(&self, vcpu: &Vcpu) {
        let enabled = vcpu.vm.vgic.enabled_private(vcpu.index) & HARDWARE_LINKED;
        self.enable_linked(enabled | self.turns.mark(vcpu.vm));
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
        if let Some(core) = self.core() {
            if changed & MARK != 0 {
                self.change_turn(core, Turns::marked(changed ^ wanted), Turns::marked(wanted));
            }
            vgic::linked(changed).for_each(|intid| interrupts.enable_private(core, intid, wanted >> intid & 1 != 0));
        }
    }

    /// The number of the core.
    fn core(&self) -> Option<usize> {
        self.members().first().map(|member| member.vcpu.core)
    }

    /// The core has a vCPU of the VM `to` in place of one of the VM `from`, by their numbers. Only VMs are named whose interrupts of
    /// devices follow their turns.
    fn change_turn(&self, core: usize, from: Option<usize>, to: Option<usize>) {
        let lines = |index: usize| Machine::get().vms.get(index).and_then(Vm::lines_that_follow_turns);
        if let Some((index, lines)) = from.and_then(|index| Some((index, lines(index)?))) {
            let mut on = self.members().iter().filter(|member| member.vcpu.vm.index == index && member.vcpu.is_on());
            lines.leave(core, on.all(|member| member.sharing.is_waiting()));
        }
        if let Some(lines) = to.and_then(lines) {
            lines.come_onto(core);
        }
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
        let Some(core) = self.core() else { return };
        for vm in Machine::get().vms {
            let is_in = |vms: u32| vms.checked_shr(vm.index as u32).unwrap_or(0) & 1 != 0;
            if let Some(lines) = vm.lines_that_follow_turns().filter(|_| is_in(begins | ends)) {
                lines.set_time(core, is_in(begins));
            }
        }
    }

    /// Whether `vcpu` is loaded.
    pub fn has_loaded(&self, vcpu: &Vcpu) -> bool {
        self.loaded().is_some_and(|loaded| core::ptr::eq(loaded, vcpu))
    }

    /// Takes the physical interrupts that are pending while no guest runs. Those of timers are the loaded vCPU's.
    fn take_interrupts(&self, processor: &'static Processor) {
        match self.loaded() {
            Some(vcpu) => while interrupt::take(vcpu) {},
            None => Machine::get().take_interrupts(processor),
        }
    }
}
