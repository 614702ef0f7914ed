//! The early console: a serial port that the image itself names, before and whatever the device tree does.
//!
//! A record in the image says where it is. It is empty as the image is built; `--early-console` of the scripts fills it in the
//! file.

use core::fmt;

use crate::driver::{DrivenDevice, Layout};
use crate::drivers;

/// Bytes of a record.
pub const SIZE: usize = 80;
/// What a record begins with, by which it is found in a file.
const MAGIC: [u8; 16] = *b"PORTCULLIS EARLY";
/// Bytes of the name.
const NAME: usize = 48;
/// A number that the record does not tell.
const UNTOLD: u32 = u32::MAX;

/// The record as it is in the image: little-endian numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Record {
    magic: [u8; 16],
    address: u64,
    shift: u32,
    width: u32,
    name: [u8; NAME],
}

const _: () = assert!(size_of::<Record>() == SIZE && cfg!(target_endian = "little"));

/// Why words name no serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPort {
    /// They are not of that form.
    Form,
    /// No driver of a serial port drives what has this name.
    Name,
    /// The address is no number, or is none of a register.
    Address,
    /// Registers do not lie so.
    Layout,
}

impl fmt::Display for NotAPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => {
                write!(f, "expected NAME@ADDRESS or NAME@ADDRESS,SHIFT,WIDTH, as in snps,dw-apb-uart@0xfe660000,2,4")
            }
            Self::Name => {
                write!(f, "no driver drives serial ports of this name; docs/boards.md lists those that there are")
            }
            Self::Address => write!(
                f,
                "the address is that of its first register, hexadecimal behind 0x and a multiple of 4 that is not 0"
            ),
            Self::Layout => {
                write!(f, "a register has 1, 2 or 4 bytes, and no more than SHIFT puts between two of them")
            }
        }
    }
}

impl core::error::Error for NotAPort {}

impl Record {
    /// The record that names none.
    pub const NONE: Self = Self { magic: MAGIC, address: 0, shift: UNTOLD, width: UNTOLD, name: [0; NAME] };

    /// Reads what somebody has typed: `NAME@ADDRESS` or `NAME@ADDRESS,SHIFT,WIDTH`, where NAME is what a device tree says that
    /// the port is compatible with, and SHIFT and WIDTH are its `reg-shift` and `reg-io-width`.
    ///
    /// # Errors
    ///
    /// [`NotAPort`].
    pub fn parse(words: &str) -> Result<Self, NotAPort> {
        let (name, place) = words.split_once('@').ok_or(NotAPort::Form)?;
        let mut numbers = place.split(',');
        let address = numbers.next().and_then(|address| address.strip_prefix("0x")).ok_or(NotAPort::Address)?;
        let address = u64::from_str_radix(address, 16).map_err(|_| NotAPort::Address)?;
        let (shift, width) = match (numbers.next(), numbers.next(), numbers.next()) {
            (None, ..) => (UNTOLD, UNTOLD),
            (Some(shift), Some(width), None) => {
                let number = |text: &str| text.parse::<u32>().map_err(|_| NotAPort::Layout);
                (number(shift)?, number(width)?)
            }
            _ => return Err(NotAPort::Form),
        };
        if address == 0 || !address.is_multiple_of(4) {
            return Err(NotAPort::Address);
        }
        let mut record = Self { address, shift, width, ..Self::NONE };
        let room = record.name.get_mut(..name.len()).filter(|_| name.len() < NAME).ok_or(NotAPort::Name)?;
        room.copy_from_slice(name.as_bytes());
        let driver = drivers::find(name.as_bytes()).filter(|driver| driver.is_serial()).ok_or(NotAPort::Name)?;
        if !drivers::ns16550::is_possible(driver, record.layout()) {
            return Err(NotAPort::Layout);
        }
        Ok(record)
    }

    /// The port that it names; none if it names none, or one that nobody drives.
    pub fn port(&self) -> Option<DrivenDevice> {
        if self.address == 0 {
            return None;
        }
        let name = self.name.split(|byte| *byte == 0).next()?;
        let driver = drivers::find(name).filter(|driver| driver.is_serial())?;
        let layout = self.layout();
        drivers::ns16550::is_possible(driver, layout)
            .then(|| DrivenDevice { layout, ..DrivenDevice::at(driver, self.address, PAGE) })
    }

    const fn layout(&self) -> Layout {
        const fn told(number: u32) -> Option<u32> {
            if number == UNTOLD { None } else { Some(number) }
        }
        Layout { shift: told(self.shift), width: told(self.width) }
    }

    /// The record's bytes.
    pub fn bytes(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let numbers = [&self.address.to_le_bytes()[..], &self.shift.to_le_bytes(), &self.width.to_le_bytes()];
        let all = self.magic.iter().chain(numbers.into_iter().flatten()).chain(&self.name);
        bytes.iter_mut().zip(all).for_each(|(byte, value)| *byte = *value);
        bytes
    }

    /// Puts the record into an image. False: the image has no place for it, or more than one.
    #[must_use]
    pub fn put_into(&self, image: &mut [u8]) -> bool {
        let empty = Self::NONE.bytes();
        let mut places = image.windows(SIZE).enumerate().filter(|(_, bytes)| *bytes == empty).map(|(at, _)| at);
        let (Some(at), None) = (places.next(), places.next()) else { return false };
        image.get_mut(at..).and_then(|rest| rest.first_chunk_mut()).is_some_and(|place| {
            *place = self.bytes();
            true
        })
    }
}

/// What is mapped of the port.
const PAGE: u64 = 0x1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::{cadence_uart, ns16550, pl011};

    #[test]
    fn words_name_a_port() {
        let port = |words: &str| Record::parse(words).unwrap().port().unwrap();
        assert_eq!(port("arm,pl011@0x9000000"), DrivenDevice::at(&pl011::DRIVER, 0x900_0000, PAGE));
        assert_eq!(port("cdns,uart-r1p12@0xff000000").driver, &cadence_uart::DRIVER);
        let rockchip = port("snps,dw-apb-uart@0xfe660000,2,4");
        assert_eq!((rockchip.driver, rockchip.layout), (&ns16550::PLAIN, Layout { shift: Some(2), width: Some(4) }));
        assert_eq!(Record::NONE.port(), None);
    }

    #[test]
    fn what_names_none_is_told() {
        for (words, expected) in [
            ("", NotAPort::Form),
            ("arm,pl011", NotAPort::Form),
            ("arm,pl011@", NotAPort::Address),
            ("arm,pl011@9000000", NotAPort::Address),
            ("arm,pl011@0x0", NotAPort::Address),
            ("arm,pl011@0x9000001", NotAPort::Address),
            ("arm,pl011@0x10000000000000000", NotAPort::Address),
            ("arm,pl031@0x9000000", NotAPort::Name),
            ("acme,uart@0x9000000", NotAPort::Name),
            ("a-name-that-is-much-longer-than-any-that-there-is-in-a-tree@0x1000", NotAPort::Name),
            ("ns16550a@0x1000,2", NotAPort::Form),
            ("ns16550a@0x1000,2,4,1", NotAPort::Form),
            ("ns16550a@0x1000,0,4", NotAPort::Layout),
            ("ns16550a@0x1000,2,3", NotAPort::Layout),
            ("ns16550a@0x1000,two,4", NotAPort::Layout),
        ] {
            let error = Record::parse(words).unwrap_err();
            assert_eq!(error, expected, "{words}");
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn an_image_has_one_place_for_it() {
        let record = Record::parse("arm,pl011@0x9000000").unwrap();
        let mut image = [&[0xaa; 100][..], &Record::NONE.bytes(), &[0xbb; 50]].concat();
        assert!(record.put_into(&mut image));
        assert_eq!(image, [&[0xaa; 100][..], &record.bytes(), &[0xbb; 50]].concat());
        assert!(!record.put_into(&mut image), "it is taken");
        let mut twice = [Record::NONE.bytes(); 2].concat();
        assert!(!record.put_into(&mut twice) && !record.put_into(&mut []));
        // What is read is what was written.
        // SAFETY: every byte of a record may have any value.
        let read: Record = unsafe { core::ptr::read_unaligned(record.bytes().as_ptr().cast()) };
        assert_eq!(read, record);
    }
}
