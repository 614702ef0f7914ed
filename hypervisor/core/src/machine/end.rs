//! Whether, and how, the machine ends.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use portcullis_abi::bundle;

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
    /// The bit of a VM's `machine` in the bundle that lets it ask for this.
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

    #[cfg(any(test, feature = "rig"))]
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

    /// The machine ends like this, unless its end is decided already: false then.
    pub fn decide(&self, end: End) -> bool {
        self.wanted.compare_exchange(0, end as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the caller is the one that has the board act.
    pub fn begin(&self) -> bool {
        !self.acting.swap(true, Ordering::SeqCst)
    }
}
