//! PSCI as the guest itself needs it, through the conduit that the device tree names.

use core::sync::atomic::{AtomicU8, Ordering};

use smccc::psci::{self, error::Error};
use smccc::{Hvc, Smc};

/// How a firmware call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// The HVC instruction.
    Hvc,
    /// The SMC instruction.
    Smc,
}

static CONDUIT: AtomicU8 = AtomicU8::new(0);

/// Chooses the conduit of this module's calls.
pub(crate) fn set_conduit(conduit: Conduit) {
    CONDUIT.store(conduit as u8, Ordering::Relaxed);
}

/// The conduit of this module's calls: property `method` of `/psci`.
pub fn conduit() -> Conduit {
    if CONDUIT.load(Ordering::Relaxed) == Conduit::Smc as u8 { Conduit::Smc } else { Conduit::Hvc }
}

/// Powers the VM off.
pub fn off() -> ! {
    crate::console::drain();
    let _ = match conduit() {
        Conduit::Hvc => psci::system_off::<Hvc>(),
        Conduit::Smc => psci::system_off::<Smc>(),
    };
    halt()
}

/// Starts a vCPU at `entry` with `context` in its x0.
///
/// # Errors
/// What PSCI answers.
pub fn cpu_on(target: u64, entry: u64, context: u64) -> Result<(), Error> {
    match conduit() {
        Conduit::Hvc => psci::cpu_on::<Hvc>(target, entry, context),
        Conduit::Smc => psci::cpu_on::<Smc>(target, entry, context),
    }
}

/// Stops this vCPU.
pub fn cpu_off() -> ! {
    let _ = match conduit() {
        Conduit::Hvc => psci::cpu_off::<Hvc>(),
        Conduit::Smc => psci::cpu_off::<Smc>(),
    };
    halt()
}

/// Whether the vCPU is stopped.
pub fn is_off(target: u64) -> bool {
    let state = match conduit() {
        Conduit::Hvc => psci::affinity_info::<Hvc>(target, psci::LowestAffinityLevel::All),
        Conduit::Smc => psci::affinity_info::<Smc>(target, psci::LowestAffinityLevel::All),
    };
    state == Ok(psci::AffinityState::Off)
}

fn halt() -> ! {
    loop {
        crate::interrupts::wait_for_interrupt();
    }
}
