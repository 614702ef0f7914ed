//! What is measured of a VM's disks and of a serial cable: bytes that a driver asks for, or sends.

/// Bytes of each disk, and of the longest read.
pub const DISK: usize = 64 << 10;
/// Bytes of a message by the serial cable.
pub const MESSAGE: usize = 1 << 10;
/// What the disk is called that the other VM serves, and the port by which it does.
pub const SERVED: &str = "remote";

/// Bytes that move, by the number of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Transfer {
    /// 4 KiB of a disk whose bytes are in the bundle.
    Image = 0,
    /// 64 KiB of it.
    LongImage = 1,
    /// 4 KiB of a disk that the other VM serves.
    Served = 2,
    /// 64 KiB of it.
    LongServed = 3,
    /// A message to the other VM.
    Serial = 4,
}

impl Transfer {
    /// Every one, in the order of their tests.
    pub const ALL: [Self; 5] = [Self::Image, Self::LongImage, Self::Served, Self::LongServed, Self::Serial];

    /// Its name in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::LongImage => "long-image",
            Self::Served => "served",
            Self::LongServed => "long-served",
            Self::Serial => "serial",
        }
    }

    /// Bytes that move.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Image | Self::Served => 4 << 10,
            Self::LongImage | Self::LongServed => DISK,
            Self::Serial => MESSAGE,
        }
    }
}

/// The byte of either disk at a place: no two sectors have the same, nor two neighbours.
pub const fn byte(at: usize) -> u8 {
    (at / 512 + at) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_list() {
        assert!(Transfer::ALL.into_iter().enumerate().all(|(number, transfer)| transfer as usize == number));
    }

    #[test]
    fn sectors_differ() {
        let sector = |number: usize| (0..512).map(|at| byte(number * 512 + at)).collect::<Vec<_>>();
        assert!((1..DISK / 512).all(|number| sector(number) != sector(number - 1)));
    }
}
