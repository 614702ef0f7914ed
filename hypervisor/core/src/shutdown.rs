//! The end of the machine when a VM asks for it that may: the others are stopped one after the other, then the board acts.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use portcullis_abi::bundle;

use crate::machine::Machine;
use crate::terminal::TERMINAL;
use crate::vm::{
    Vm,
    lifecycle::{Action, Phase},
};

/// How the machine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// It is switched off.
    Off = 1,
    /// It is reset.
    Reset = 2,
}

impl End {
    /// The bit of [`bundle::MACHINE`] that lets a VM ask for it.
    pub const fn permission(self) -> u32 {
        match self {
            Self::Off => bundle::MACHINE_OFF,
            Self::Reset => bundle::MACHINE_RESET,
        }
    }
}

/// Whether, and how, the machine ends.
#[derive(Debug, Default)]
pub struct Shutdown {
    wanted: AtomicU8,
    acting: AtomicBool,
}

impl Shutdown {
    /// The machine goes on.
    pub const fn new() -> Self {
        Self { wanted: AtomicU8::new(0), acting: AtomicBool::new(false) }
    }

    #[cfg(test)]
    /// The machine goes on after all, for the next test.
    pub fn forget(&self) {
        self.wanted.store(0, Ordering::SeqCst);
        self.acting.store(false, Ordering::SeqCst);
    }

    /// How the machine ends, if it does.
    pub fn wanted(&self) -> Option<End> {
        match self.wanted.load(Ordering::SeqCst) {
            1 => Some(End::Off),
            2 => Some(End::Reset),
            _ => None,
        }
    }
}

impl Machine {
    /// `vm`, which may, ends the machine. The first word counts. The VM ends by itself; the others are stopped in the
    /// manifest's order, each when the one before it has left its cores.
    #[cold]
    pub fn shut_down(&self, end: End, vm: &Vm) {
        if self.shutdown.wanted.compare_exchange(0, end as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            log::info!(
                "{} {}",
                vm.name(),
                if end == End::Off { "switches the machine off" } else { "resets the machine" }
            );
        }
    }

    /// A VM has left its cores, or stands still: if the machine ends, the next VM is stopped, or the board acts.
    #[inline]
    pub fn go_on_with_shutdown(&self) {
        if let Some(end) = self.shutdown.wanted() {
            self.shut_down_next(end);
        }
    }

    #[cold]
    #[inline(never)]
    fn shut_down_next(&self, end: End) {
        for vm in self.vms {
            if matches!(vm.phase(), Phase::Running | Phase::Paused) {
                // One whose end is decided already comes back here when it is off.
                return vm.stop(Action::Off);
            }
        }
        if !self.shutdown.acting.swap(true, Ordering::SeqCst) {
            log::info!("all VMs are off: {}", if end == End::Off { "power off" } else { "reset" });
            if end == End::Off {
                self.power_off();
            }
            TERMINAL.drain();
            self.board.power.reset();
        }
    }
}
