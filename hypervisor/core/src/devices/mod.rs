//! A VM's devices with what they work with: the virtual GIC, the console, the bus behind both.

pub mod console;
pub mod emulated;
pub mod flash;
pub mod gpio;
pub mod interrupt_delivery;
pub mod interrupt_owners;
pub mod log;
pub mod owner;
pub mod port;
pub mod rtc;

use alloc::boxed::Box;

use portcullis_board::{Range, device::Device as Given};
use portcullis_bundle::VmConfig;
use portcullis_devices::flash::{Cfi, Rom};
use portcullis_devices::{Bus, Description, Device, Frame, Unused, gpio::Pl061, rtc::Pl031, uart::Pl011};

use self::emulated::Emulated;
use self::flash::Flash;
use self::gpio::Gpio;
use self::rtc::Rtc;
use crate::memory::bank::Bank;

/// The UART's addresses, which are matched in front of all but the GIC's: guests use them all the time.
pub const UART: Frame = Pl011::DESCRIPTION.frame();

/// Most devices on a VM's bus.
const DEVICES: usize = 8;

/// The devices of a VM behind the GIC and the UART.
pub type VmBus = Bus<Box<dyn Emulated>, DEVICES>;

/// The bus of a VM that drives the `given` devices of the board itself: these take the place of what would be emulated there,
/// with its interrupt. `flash`: the cells of its second bank of flash, if it has any. `wires`: the controller of its wires, if
/// it has any. `transports`: its virtio transports, if any of them has a device.
pub fn bus(
    config: &VmConfig<'_>,
    given: &[Given],
    mut flash: Option<Bank>,
    wires: Option<&'static Gpio>,
    mut transports: Option<Box<dyn Emulated>>,
) -> VmBus {
    let mut bus = VmBus::new();
    let mut add = |frame, device: Box<dyn Emulated>| {
        let added = bus.add(frame, device);
        debug_assert!(added.is_ok(), "virt's devices have addresses of their own, and there is room");
    };
    let [first, second] = Cfi::BANKS;
    for (unused, frame) in Unused::ALL {
        match (flash.take_if(|_| unused == Unused::Flash), transports.take_if(|_| unused == Unused::Transports)) {
            (Some(cells), _) => {
                add(first, Box::new(Rom));
                add(second, Box::new(Flash::new(cells)));
            }
            (_, Some(transports)) => add(frame, transports),
            (None, None) => add(frame, Box::new(unused)),
        }
    }
    if config.settings.rtc != Some(false) && !clock_is_replaced(given) {
        add(Pl031::DESCRIPTION.frame(), Box::<Rtc>::default());
    }
    if let Some(gpio) = wires {
        add(Pl061::DESCRIPTION.frame(), Box::new(gpio));
    }
    bus
}

/// Whether a device of the board's is where the VM's clock would be, or has its interrupt.
pub fn clock_is_replaced(given: &[Given]) -> bool {
    is_replaced(&Pl031::DESCRIPTION, given)
}

/// The same of the controller of its wires.
pub fn wires_are_replaced(given: &[Given]) -> bool {
    is_replaced(&Pl061::DESCRIPTION, given)
}

/// The same of its flash.
pub fn flash_is_replaced(given: &[Given]) -> bool {
    is_replaced(&Cfi::DESCRIPTION, given)
}

/// The same of any emulated device.
fn is_replaced(device: &Description, given: &[Given]) -> bool {
    let is_at = |page: &Range| device.frames.iter().any(|frame| page.overlaps(&Range::sized(frame.start, frame.size)));
    let has = |physical| device.interrupt.is_some_and(|(intid, _)| intid == physical);
    given.iter().any(|given| {
        given.pages().any(|page| is_at(&page)) || given.interrupts.iter().any(|interrupt| has(interrupt.physical))
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
        assert!(wires_are_replaced(&[given(0x0903_0000, 40)]) && wires_are_replaced(&[given(0x0a00_0000, 39)]));
        assert!(!wires_are_replaced(&[given(0x0901_0000, 34)]));
        assert!(!flash_is_replaced(&[given(0x0903_0000, 39), given(0x0800_0000, 34)]));
        assert!(flash_is_replaced(&[given(0, 39)]) && flash_is_replaced(&[given(0x07ff_f000, 39)]));
    }
}
