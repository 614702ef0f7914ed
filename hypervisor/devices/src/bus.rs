//! The way from an address to a device.

use core::fmt;

use heapless::Vec;

/// The addresses that a device answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The first one.
    pub start: u64,
    /// How many they are.
    pub size: u64,
}

impl Frame {
    /// The offset of an address into the frame, if it is within.
    #[inline]
    pub const fn offset(&self, address: u64) -> Option<u64> {
        match address.checked_sub(self.start) {
            Some(offset) if offset < self.size => Some(offset),
            _ => None,
        }
    }

    /// Whether both have an address in common; neither is empty.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.offset(other.start).is_some() || other.offset(self.start).is_some()
    }
}

/// Why a device cannot be put on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusError {
    /// It answers to no address.
    Empty,
    /// Another device answers to some of its addresses.
    Overlap,
    /// The bus holds no more devices.
    Full,
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the device answers to no address; it must have one at least",
            Self::Overlap => "another device answers to some of its addresses; they must be its own",
            Self::Full => "the bus holds no more devices",
        })
    }
}

impl core::error::Error for BusError {}

/// Places of [`Bus::hints`]: neighbours of this size have places of their own.
const HINTS: usize = 16;
const NEIGHBOUR: u64 = 64 << 10;

/// The devices of a VM, `N` at the most, by address. It is filled before the VM's first vCPU runs. A look-up takes no lock, and
/// one step mostly; else as many as a search by halves needs.
#[derive(Debug)]
pub struct Bus<D, const N: usize> {
    /// Sorted by address; no two frames overlap.
    devices: Vec<(Frame, D), N>,
    /// By the part of its address that tells neighbours apart: where a device is among them, if it is not another one.
    hints: [u8; HINTS],
}

/// The place of an address among the hints.
const fn place(address: u64) -> usize {
    (address / NEIGHBOUR) as usize % HINTS
}

impl<D, const N: usize> Bus<D, N> {
    /// A bus without devices.
    pub const fn new() -> Self {
        Self { devices: Vec::new(), hints: [0; HINTS] }
    }

    /// Puts a device on the bus.
    ///
    /// # Errors
    ///
    /// [`BusError`]; the bus is as before.
    pub fn add(&mut self, frame: Frame, device: D) -> Result<(), BusError> {
        if frame.size == 0 {
            return Err(BusError::Empty);
        }
        if self.devices.iter().any(|(other, _)| other.overlaps(&frame)) {
            return Err(BusError::Overlap);
        }
        let place = self.devices.partition_point(|(other, _)| other.start < frame.start);
        self.devices.insert(place, (frame, device)).map_err(|_| BusError::Full)?;
        for (number, (frame, _)) in (0_u8..).zip(&self.devices) {
            if let Some(hint) = self.hints.get_mut(self::place(frame.start)) {
                *hint = number;
            }
        }
        Ok(())
    }

    /// The device that answers to an address, and the offset of the address into its frame.
    #[inline]
    pub fn find(&self, address: u64) -> Option<(&D, u64)> {
        let hint = self.hints.get(place(address)).copied().unwrap_or(0);
        if let Some((frame, device)) = self.devices.get(usize::from(hint))
            && let Some(offset) = frame.offset(address)
        {
            return Some((device, offset));
        }
        self.search(address)
    }

    /// [`find`](Self::find) of what is not where the hint says.
    #[inline(never)]
    fn search(&self, address: u64) -> Option<(&D, u64)> {
        let behind = self.devices.partition_point(|(frame, _)| frame.start <= address);
        let (frame, device) = self.devices.get(behind.checked_sub(1)?)?;
        Some((device, frame.offset(address)?))
    }

    /// All devices, by address.
    pub fn devices(&self) -> impl Iterator<Item = &D> {
        self.devices.iter().map(|(_, device)| device)
    }
}

impl<D, const N: usize> Default for Bus<D, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn frame(start: u64, size: u64) -> Frame {
        Frame { start, size }
    }

    #[test]
    fn an_address_leads_to_its_device_and_no_further() {
        let mut bus = Bus::<_, 4>::new();
        bus.add(frame(0x0900_0000, 0x1000), 'u').unwrap();
        bus.add(frame(0, 0x400_0000), 'f').unwrap();
        bus.add(frame(0x0901_0000, 0x1000), 'r').unwrap();
        let found = |address| bus.find(address).map(|(device, offset)| (*device, offset));
        assert_eq!(found(0), Some(('f', 0)));
        assert_eq!(found(0x3ff_ffff), Some(('f', 0x3ff_ffff)));
        assert_eq!(found(0x400_0000), None);
        assert_eq!(found(0x0900_0ffc), Some(('u', 0xffc)));
        assert_eq!(found(0x0900_1000), None);
        assert_eq!(found(0x0901_0000), Some(('r', 0)));
        assert_eq!(found(u64::MAX), None);
        assert_eq!(bus.devices().collect::<String>(), "fur");
    }

    #[test]
    fn an_empty_bus_has_nothing_anywhere() {
        let bus = Bus::<(), 1>::default();
        assert!([0, 1, 0x4000_0000, u64::MAX].iter().all(|&address| bus.find(address).is_none()));
    }

    #[test]
    fn two_devices_do_not_share_an_address() {
        let mut bus = Bus::<_, 4>::new();
        bus.add(frame(0x1000, 0x1000), 1).unwrap();
        for overlapping in [frame(0x1fff, 1), frame(0xfff, 2), frame(0, 0x1_0000), frame(0x1800, 8)] {
            assert_eq!(bus.add(overlapping, 2), Err(BusError::Overlap));
        }
        bus.add(frame(0x2000, 1), 2).unwrap();
        bus.add(frame(0xfff, 1), 3).unwrap();
        bus.add(frame(u64::MAX, 1), 4).unwrap();
        assert_eq!(bus.add(frame(0, 1), 5), Err(BusError::Full));
        assert_eq!(bus.add(frame(0x5000, 0), 5), Err(BusError::Empty));
        assert_eq!(bus.find(u64::MAX), Some((&4, 0)));
    }

    /// What is found is what a look at each device finds, for frames in any order, neighbours and others.
    #[test]
    fn agrees_with_a_look_at_each() {
        let mut seed = 0x2545_f491_4f6c_dd1du64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..if cfg!(miri) { 2 } else { 200 } {
            let (mut bus, mut all) = (Bus::<_, 16>::new(), std::vec::Vec::<(Frame, usize)>::new());
            // Bytes, or as far apart as the hints tell.
            let unit = [1, NEIGHBOUR / 4][random(2) as usize];
            for number in 0..16 {
                let new = frame(unit * random(256), unit * (1 + random(24)));
                let fits = all
                    .iter()
                    .all(|(other, _)| (0..new.size / unit).all(|step| other.offset(new.start + step * unit).is_none()));
                let added = bus.add(new, number);
                assert_eq!(added.is_ok(), fits, "{new:?} among {all:?}");
                if fits {
                    all.push((new, number));
                }
            }
            for address in (0..300).flat_map(|step| [step * unit, step * unit + unit - 1]) {
                let expected = all.iter().find_map(|(frame, number)| Some((number, frame.offset(address)?)));
                assert_eq!(bus.find(address), expected, "{address} among {all:?}");
            }
        }
    }
}
