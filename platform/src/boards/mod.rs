//! The boards: what the device tree of each does not tell. Which drivers it has, it does.
//! `docs/boards.md` shows how to add one.

mod qemu_virt;
mod raspberry_pi_4;
mod raspberry_pi_5;
mod unknown;

use portcullis_board::Range;

use crate::driver::DrivenDevice;
use crate::facts::Text;

/// From where the registers of a serial port are, and what maps a page of device registers, to where those of another one are.
pub type Wired = unsafe fn(told: u64, map: fn(u64)) -> Option<u64>;

/// What a board's file says.
#[derive(Clone, Copy)]
pub struct Definition {
    /// The `compatible` of the device tree's root by which the board is recognised.
    pub compatible: &'static str,
    /// RAM that firmware uses, whether or not the device tree says so: neither EL2 nor a guest gets any of it.
    pub firmware_memory: &'static [Range],
    /// Clock of its serial ports in Hz, for a device tree that does not tell.
    pub uart_clock: Option<u32>,
    /// Which serial port its pins lead to in place of one of those that share them, by where the registers of both are. What
    /// it looks at it has mapped first.
    ///
    /// Safety: it must be this board.
    pub wired: Option<Wired>,
    /// The serial port if there is no device tree to tell, and this looks like the board.
    pub last_resort: Option<unsafe fn(&Entry<'_>) -> Option<DrivenDevice>>,
}

/// What is known at the entry without a device tree that can be used.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Where the image lies.
    pub image: u64,
    /// The root's `compatible` strings, if that much of a tree could be read.
    pub compatible: &'a [Text],
    /// x0 leads to a list of ATAGs.
    pub has_atags: bool,
    /// Maps a page of device registers.
    pub map: fn(u64),
}

impl Entry<'_> {
    /// Whether the device tree, as far as it could be read, says that this is the board.
    pub fn is(&self, compatible: &str) -> bool {
        self.compatible.iter().any(|text| *text == *compatible)
    }
}

/// Every board that has a file.
pub static BOARDS: [&Definition; 3] =
    [&qemu_virt::QEMU_VIRT, &raspberry_pi_4::RASPBERRY_PI_4, &raspberry_pi_5::RASPBERRY_PI_5];

/// The board with these `compatible` strings; one of which only the device tree is known, if there is none.
pub fn find(compatible: &[Text]) -> &'static Definition {
    let named = |text: &Text| BOARDS.iter().find(|board| *text == *board.compatible);
    compatible.iter().find_map(named).map_or(&unknown::UNKNOWN, |board| *board)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_found_by_the_most_specific_name() {
        let list = |names: &[&str]| names.iter().map(|name| Text::new(name).unwrap()).collect::<Vec<_>>();
        assert_eq!(find(&list(&["linux,dummy-virt"])).compatible, "linux,dummy-virt");
        assert_eq!(find(&list(&["raspberrypi,4-model-b", "brcm,bcm2711"])).compatible, "brcm,bcm2711");
        assert_eq!(find(&list(&["acme,board", "acme,chip"])).compatible, "");
        assert_eq!(find(&[]).compatible, "");
    }

    #[test]
    fn the_last_resort_is_only_for_what_is_recognised() {
        let named = |image| {
            let entry = Entry { image, compatible: &[], has_atags: false, map: |_| () };
            // SAFETY: nothing is recognised by which registers would be read.
            BOARDS.iter().find_map(|board| unsafe { board.last_resort?(&entry) })
        };
        assert_eq!(named(0x4008_0000).map(|uart| uart.registers.start), Some(0x900_0000));
        assert_eq!(named(0x8_0000), None);
        let compatible = ["raspberrypi,5-model-b", "brcm,bcm2712"].map(|name| Text::new(name).unwrap());
        let entry = Entry { image: 0x8_0000, compatible: &compatible, has_atags: false, map: |_| () };
        // SAFETY: no register of this board's is read.
        let uart = BOARDS.iter().find_map(|board| unsafe { board.last_resort?(&entry) });
        assert_eq!(uart.map(|uart| uart.registers.start), Some(0x10_7d00_1000));
    }

    #[test]
    fn names_are_unique_and_not_empty() {
        for (index, board) in BOARDS.iter().enumerate() {
            assert!(!board.compatible.is_empty());
            assert!(BOARDS.iter().skip(index + 1).all(|other| other.compatible != board.compatible));
        }
    }
}
