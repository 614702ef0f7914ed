//! What a VM's devices work with: the virtual GIC, the console.

pub mod gic;
pub mod interrupt_owners;
pub mod port;

use portcullis_devices::{Device, Frame, uart::Pl011};

/// The UART's addresses, which are matched in front of all but the GIC's: guests use them all the time.
pub const UART: Frame = Pl011::DESCRIPTION.frame;
