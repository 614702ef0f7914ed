//! Start, stop and reset of a VM.
//!
//! A VM is stopped by leaving word of what is to become of it and kicking its cores; each vCPU leaves its core by itself,
//! and the last one to leave does the rest. No core ever waits for another.

use core::fmt;
use core::sync::atomic::Ordering;

use portcullis_arch::timer;

use super::Vm;
use super::vcpu::{Power, Vcpu};
use crate::machine::Machine;
use crate::terminal::TERMINAL;

/// What a VM is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Made, never started: its firmware registers can be written.
    Created = 0,
    /// Started; its registers are frozen.
    Running = 1,
    /// Switched itself off.
    Stopped = 2,
    /// Stopped by the hypervisor for what it did.
    Failed = 3,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Phase {
    /// The phase in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// What is to become of a VM once all its vCPUs are off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// Nothing: it runs.
    None = 0,
    /// It stays off.
    Off = 1,
    /// It starts again from its images.
    Reset = 2,
    /// It stays off, and is marked as failed.
    Fail = 3,
}

impl Action {
    fn from_word(word: u8) -> Self {
        match word {
            0 => Self::None,
            1 => Self::Off,
            2 => Self::Reset,
            _ => Self::Fail,
        }
    }
}

impl Vm {
    /// What the VM is doing.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Created,
            1 => Phase::Running,
            2 => Phase::Stopped,
            _ => Phase::Failed,
        }
    }

    /// Starts a VM that was only created: freezes its registers and has its first vCPU's core load it. False when it was
    /// started before.
    pub fn start(&self) -> bool {
        let (created, running) = (Phase::Created as u8, Phase::Running as u8);
        if self.phase.compare_exchange(created, running, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return false;
        }
        self.row.freeze(None);
        self.work_out_answers();
        Machine::get().vm_started();
        self.start_first_vcpu();
        true
    }

    fn start_first_vcpu(&self) {
        let Some(first) = self.vcpus().first() else { return };
        self.live.fetch_or(first.bit(), Ordering::AcqRel);
        first.switch_on(Power::LoadPending, 0, 0);
        Machine::get().kick(first.core);
    }

    /// On the first vCPU's core: puts the images in place and makes the vCPU ready to run.
    pub fn load_and_start(&self, first: &'static Vcpu) {
        match self.load() {
            Ok(entry) => {
                self.counter_offset.store(timer::count(), Ordering::Relaxed);
                first.switched_off();
                first.switch_on(Power::OnPending, entry.kernel, entry.tree);
            }
            Err(error) => {
                log::error!("{}: cannot be started: {error}", self.name());
                self.stop(Action::Fail);
            }
        }
    }

    /// Whether the VM's vCPUs have to leave their cores.
    #[inline(always)]
    pub fn must_stop(&self) -> bool {
        self.pending.load(Ordering::Acquire) != Action::None as u8
    }

    /// Has every vCPU leave its core; the last one does `action`. The first caller's action counts.
    pub fn stop(&self, action: Action) {
        let none = Action::None as u8;
        if self.pending.compare_exchange(none, action as u8, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        for vcpu in self.vcpus() {
            if self.live.load(Ordering::Acquire) & vcpu.bit() != 0 {
                Machine::get().kick(vcpu.core);
            }
        }
    }

    /// Marks a vCPU as no longer off, before it is switched on.
    pub fn becomes_live(&self, vcpu: &Vcpu) {
        self.live.fetch_or(vcpu.bit(), Ordering::AcqRel);
    }

    /// A vCPU has left its core. If it was the last one, what was to become of the VM comes to pass.
    pub fn retired(&self, vcpu: &Vcpu) {
        let bit = vcpu.bit();
        if self.live.fetch_and(!bit, Ordering::AcqRel) & !bit != 0 {
            return;
        }
        let action = match Action::from_word(self.pending.load(Ordering::Acquire)) {
            // Every vCPU has switched itself off: nobody is left to switch one on.
            Action::None => Action::Off,
            action => action,
        };
        self.vgic.reset();
        for vcpu in self.vcpus() {
            vcpu.reset_account();
        }
        self.pv_time.clear();
        TERMINAL.finish_line(self);
        self.port.lock().reset();
        self.pending.store(Action::None as u8, Ordering::Release);
        match action {
            Action::Reset => {
                log::info!("{}: reset", self.name());
                self.start_first_vcpu();
            }
            Action::Fail => self.ended(Phase::Failed),
            Action::Off | Action::None => {
                log::info!("{}: off", self.name());
                self.ended(Phase::Stopped);
            }
        }
    }

    fn ended(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
        Machine::get().vm_ended();
    }
}
