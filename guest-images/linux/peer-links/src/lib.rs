//! What VMs of another hypervisor do by their links while it is counted, for the program that does it and for `scripts/bench`.

/// How often each is counted.
pub const REPETITIONS: u32 = 5;
/// Lone frames, pings and short reads of a disk that are counted at a time, one after the other.
pub const ONES: u32 = 500;
/// Frames in bursts that are counted at a time.
pub const FRAMES: u32 = 1000;
/// Frames of a burst.
pub const BURST: u32 = 50;
/// Pieces of 64 KiB that are counted at a time.
pub const PIECES: u32 = 256;
/// Bytes of such a piece.
pub const PIECE: usize = 64 * 1024;
/// Long reads of a disk that are counted at a time.
pub const LONG_READS: u32 = 200;
/// MiB of the VM that is saved.
pub const SAVED: u32 = 256;
/// MiB of it that a program fills, so that with what its Linux has some 240 are no zeros.
pub const FILLED: usize = 190;

/// What is counted; the number is that of the test for the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The sleeps between lone frames, and nothing else.
    Idle,
    /// A frame of 64 bytes, all asleep before.
    Frame,
    /// The sleeps between bursts.
    IdleBursts,
    /// A frame of 64 bytes in a burst.
    Frames,
    /// A frame of 1,514 bytes in a burst.
    LongFrames,
    /// A ping and its answer, the next one at once.
    Ping,
    /// 64 KiB of a TCP connection.
    Stream,
    /// A read of 4 KiB of a disk.
    Image,
    /// One of 64 KiB.
    LongImage,
    /// What the marks take around a copy.
    CopyNothing,
    /// A copy of 64 bytes.
    CopyShort,
    /// A copy of 1,500 bytes.
    CopyLong,
    /// A copy of 4 KiB.
    CopyPage,
    /// A copy of 64 KiB.
    CopyPiece,
    /// A copy of a MiB.
    CopyMib,
    /// A paused VM that is saved to a pipe: a MiB of its RAM.
    Save,
}

impl Work {
    /// What two VMs do.
    pub const NETWORK: [Self; 7] =
        [Self::Idle, Self::Frame, Self::IdleBursts, Self::Frames, Self::LongFrames, Self::Ping, Self::Stream];
    /// What one does alone.
    pub const DISK: [Self; 2] = [Self::Image, Self::LongImage];
    /// What the host does without a VM: the floor of all that is copied.
    pub const COPIES: [Self; 5] = [Self::CopyShort, Self::CopyLong, Self::CopyPage, Self::CopyPiece, Self::CopyMib];
    /// What the host does to a VM.
    pub const SAVE: [Self; 1] = [Self::Save];

    /// The key of its measurement in the rows of `scripts/bench`, which knows the same work.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Frame => "frame",
            Self::IdleBursts => "idle-bursts",
            Self::Frames => "frames",
            Self::LongFrames => "long-frames",
            Self::Ping => "ping",
            Self::Stream => "stream",
            Self::Image => "image",
            Self::LongImage => "long-image",
            Self::CopyNothing => "copy-nothing",
            Self::CopyShort => "copy-64",
            Self::CopyLong => "copy-1500",
            Self::CopyPage => "copy-4k",
            Self::CopyPiece => "copy-64k",
            Self::CopyMib => "copy-mib",
            Self::Save => "save-mib",
        }
    }

    /// How many units of it are counted at a time.
    pub const fn units(self) -> u32 {
        match self {
            Self::Stream => PIECES,
            Self::LongImage => LONG_READS,
            Self::IdleBursts | Self::Frames | Self::LongFrames => FRAMES,
            Self::Idle | Self::Frame | Self::Ping | Self::Image => ONES,
            Self::CopyNothing | Self::CopyShort | Self::CopyLong | Self::CopyPage | Self::CopyPiece | Self::CopyMib => {
                1
            }
            Self::Save => SAVED,
        }
    }

    /// What has the same sleeps and marks without the work: it is not the work's.
    pub const fn idle(self) -> Option<Self> {
        match self {
            Self::Frame => Some(Self::Idle),
            Self::Frames | Self::LongFrames => Some(Self::IdleBursts),
            Self::CopyShort | Self::CopyLong | Self::CopyPage | Self::CopyPiece | Self::CopyMib => {
                Some(Self::CopyNothing)
            }
            _ => None,
        }
    }
}
