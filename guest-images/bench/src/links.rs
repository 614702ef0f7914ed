//! What is measured between two VMs: frames through a network, edges through a wire.

/// Work that one VM has done with another one, by the number of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Work {
    /// A frame of 64 bytes; both were asleep before.
    Frame = 0,
    /// The same in bursts.
    Frames = 1,
    /// Frames as long as Ethernet has them, in bursts.
    LongFrames = 2,
    /// Frames that are still to be cut, of 64 KiB, and an answer for several.
    Stream = 3,
    /// A frame of 64 bytes, and its answer.
    Ping = 4,
    /// An edge of a wire, until the other vCPU is at its vector.
    WireVector = 5,
    /// The same, until the line's handler has seen and acknowledged it.
    WireHandler = 6,
}

impl Work {
    /// Every one, in the order of their tests.
    pub const ALL: [Self; 7] =
        [Self::Frame, Self::Frames, Self::LongFrames, Self::Stream, Self::Ping, Self::WireVector, Self::WireHandler];

    /// Its name in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Frames => "frames",
            Self::LongFrames => "long-frames",
            Self::Stream => "stream",
            Self::Ping => "ping",
            Self::WireVector => "wire-vector",
            Self::WireHandler => "wire-handler",
        }
    }

    /// How many units of it a window has.
    pub const fn units(self) -> usize {
        match self {
            Self::Frames | Self::LongFrames => 50,
            // As many as the receiver has buffers for.
            Self::Stream => 3,
            Self::Frame | Self::Ping | Self::WireVector | Self::WireHandler => 1,
        }
    }

    /// Whether it is a wire's.
    pub const fn is_wire(self) -> bool {
        matches!(self, Self::WireVector | Self::WireHandler)
    }

    /// Bytes of a frame, without the virtio header.
    pub const fn bytes(self) -> usize {
        match self {
            Self::LongFrames => 1514,
            Self::Stream => 64 << 10,
            _ => 64,
        }
    }

    /// Whether the other VM answers the last frame of a window.
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Stream | Self::Ping)
    }

    /// The work with this number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|work| *work as u8 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_list() {
        for (number, work) in Work::ALL.into_iter().enumerate() {
            assert_eq!((work as usize, Work::of(number as u8)), (number, Some(work)));
        }
        assert_eq!(Work::of(Work::ALL.len() as u8), None);
    }
}
