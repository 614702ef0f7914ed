//! A VM's devices with what they work with: the virtual GIC, the console, the bus behind both.

pub mod console;
pub mod emulated;
pub mod interrupt_delivery;
pub mod interrupt_owners;
pub mod owner;
pub mod port;
pub mod rtc;

use alloc::boxed::Box;

use portcullis_board::{Range, device::Device as Given};
use portcullis_bundle::VmConfig;
use portcullis_devices::{Bus, Description, Device, Frame, Unused, rtc::Pl031, uart::Pl011};

use self::emulated::Emulated;
use self::rtc::Rtc;

/// The UART's addresses, which are matched in front of all but the GIC's: guests use them all the time.
pub const UART: Frame = Pl011::DESCRIPTION.frame;

/// Most devices on a VM's bus.
const DEVICES: usize = 8;

/// The devices of a VM behind the GIC and the UART.
pub type VmBus = Bus<Box<dyn Emulated>, DEVICES>;

/// The bus of a VM that drives the `given` devices of the board itself: these take the place of what would be emulated there,
/// with its interrupt.
pub fn bus(config: &VmConfig<'_>, given: &[Given]) -> VmBus {
    let mut bus = VmBus::new();
    let mut add = |frame, device: Box<dyn Emulated>| {
        let added = bus.add(frame, device);
        debug_assert!(added.is_ok(), "virt's devices have addresses of their own, and there is room");
    };
    for (unused, frame) in Unused::ALL {
        add(frame, Box::new(unused));
    }
    if config.rtc != Some(false) && !clock_is_replaced(given) {
        add(Pl031::DESCRIPTION.frame, Box::<Rtc>::default());
    }
    bus
}

/// Whether a device of the board's is where the VM's clock would be, or has its interrupt.
pub fn clock_is_replaced(given: &[Given]) -> bool {
    is_replaced(&Pl031::DESCRIPTION, given)
}

/// The same of any emulated device.
fn is_replaced(device: &Description, given: &[Given]) -> bool {
    let frame = Range::sized(device.frame.start, device.frame.size);
    given.iter().any(|given| {
        given.pages().any(|page| page.overlaps(&frame))
            || given.interrupts.iter().any(|interrupt| interrupt.physical == device.interrupt.0)
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use portcullis_board::device::Interrupt;

    use super::*;

    fn given(address: u64, intid: u32) -> Given {
        Given {
            path: "/d@0",
            name: b"d@0",
            compatible: b"d\0",
            registers: [Range::sized(address, 0x1000)].into(),
            interrupts: [Interrupt { physical: intid, edge: false }].into(),
            clock: None,
            clock_names: b"",
            kept: Vec::new(),
            masters: false,
        }
    }

    #[test]
    fn a_device_of_the_board_takes_the_clock_s_place() {
        assert!(!clock_is_replaced(&[]));
        assert!(!clock_is_replaced(&[given(0x0903_0000, 39)]));
        assert!(clock_is_replaced(&[given(0x0903_0000, 39), given(0x0901_0000, 35)]));
        assert!(clock_is_replaced(&[given(0x0a00_0000, 34)]));
    }
}
