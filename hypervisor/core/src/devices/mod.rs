//! A VM's devices with what they work with: the virtual GIC, the console, the bus behind both.

pub mod emulated;
pub mod gic;
pub mod port;

use alloc::boxed::Box;

use portcullis_devices::{Bus, Device, Frame, Unused, uart::Pl011};

use self::emulated::Emulated;

/// The UART's addresses, which are matched in front of all but the GIC's: guests use them all the time.
pub const UART: Frame = Pl011::DESCRIPTION.frame;

/// Most devices on a VM's bus.
const DEVICES: usize = 8;

/// The devices of a VM behind the GIC and the UART.
pub type VmBus = Bus<Box<dyn Emulated>, DEVICES>;

/// The bus of a VM.
pub fn bus() -> VmBus {
    let mut bus = VmBus::new();
    for (unused, frame) in Unused::ALL {
        let added = bus.add(frame, Box::new(unused));
        debug_assert!(added.is_ok(), "virt's devices have addresses of their own, and there is room");
    }
    bus
}
