//! The images of a VM as a stream: what the control VM loads into one that has none of its own.
//!
//! A [`Head`] with the lengths, then the command line, the kernel and the initial RAM disk, and a [`Tail`] with the CRC-32C of all
//! that is in front of it. A [`Receiver`] is pushed: it takes bytes, cut anywhere. Nothing goes anywhere before the head is right
//! and whoever gets the images has agreed; whether they are what was sent is known in the end.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Progress;
use crate::buffer::Buffer;
use crate::layout::Tail;
use crate::sum::{SEED, Sum, finish};

/// The first bytes of every such stream.
pub const MAGIC: [u8; 8] = *b"PORTC-LD";
/// The version of the format that is understood.
pub const VERSION: u32 = 1;
/// Most bytes of a command line: what arm64 Linux takes.
pub const CMDLINE: u64 = 2047;
/// Bytes of the kernel that are looked at before any of it goes anywhere.
pub const START: u64 = 64;

/// What the stream begins with, little-endian.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Head {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// Bytes of the kernel.
    pub kernel: u64,
    /// Bytes of the initial RAM disk; 0: there is none.
    pub initrd: u64,
    /// Bytes of the command line; 0: that of the VM's manifest counts.
    pub cmdline: u64,
}

impl Head {
    /// Makes the head of images of these lengths.
    pub const fn new(kernel: u64, initrd: u64, cmdline: u64) -> Self {
        Self { magic: MAGIC, version: VERSION, reserved: 0, kernel, initrd, cmdline }
    }

    /// Returns the bytes of the whole stream; none if they are too many to count.
    pub fn total(&self) -> Option<u64> {
        let ends = (size_of::<Self>() as u64).checked_add(size_of::<Tail>() as u64)?;
        ends.checked_add(self.cmdline)?.checked_add(self.kernel)?.checked_add(self.initrd)
    }
}

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// The kernel.
    Kernel,
    /// The initial RAM disk.
    Initrd,
}

/// Whoever gets the images, with the buffer from which they come.
pub trait Receive: Sum {
    /// Why it does not go on.
    type Error;

    /// Returns how many bytes the buffer has left.
    fn available(&self) -> usize;

    /// Takes the next bytes out of the buffer, as many as there are in `to`.
    ///
    /// # Errors
    ///
    /// The buffer cannot be read.
    fn take(&mut self, to: &mut [u8]) -> Result<(), Self::Error>;

    /// Agrees to images of these lengths, of which the kernel begins so: nothing of them is anywhere yet.
    ///
    /// # Errors
    ///
    /// It does not take them.
    fn accept(&mut self, head: &Head, cmdline: &str, start: &[u8]) -> Result<(), Self::Error>;

    /// Puts the bytes with which the kernel begins in place.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn begin(&mut self, start: &[u8]) -> Result<(), Self::Error>;

    /// Copies the next `length` bytes of the buffer to a file from `offset` on, and returns `sum` with them taken in.
    ///
    /// # Errors
    ///
    /// It cannot be written, or the buffer cannot be read.
    fn store(&mut self, file: File, offset: u64, length: usize, sum: u32) -> Result<u32, Self::Error>;
}

/// What is wrong with the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// They do not begin as such a stream does.
    NotImages,
    /// They are of another version.
    Version(u32),
    /// A reserved word is not zero.
    Reserved,
    /// They have so many bytes by the head, and by the call.
    Length(Option<u64>, u64),
    /// There is no kernel.
    NoKernel,
    /// The command line has so many bytes.
    Cmdline(u64),
    /// The command line is not UTF-8, or has a NUL.
    Text,
    /// The checksum that was sent, and that of what has come.
    Sum(u32, u32),
    /// There are bytes behind the end.
    Trailing,
    /// They were refused before.
    Refused,
    /// Whom they are for does not take them.
    Other(E),
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotImages => write!(f, "these are no images; they begin with the bytes \"PORTC-LD\""),
            Self::Version(version) => {
                write!(f, "the images have format version {version}; version {VERSION} is understood here")
            }
            Self::Reserved => write!(f, "a reserved word is not zero"),
            Self::Length(Some(said), wanted) => {
                write!(f, "the images have {said} bytes by their head, and {wanted} by the call that announced them")
            }
            Self::Length(None, _) => write!(f, "the lengths of the images are too large to be added"),
            Self::NoKernel => write!(f, "the kernel is empty; an arm64 Image or a raw binary is needed"),
            Self::Cmdline(length) => {
                write!(f, "the command line has {length} bytes; a kernel takes {CMDLINE} at the most")
            }
            Self::Text => write!(f, "the command line is no text: it has bytes that are no UTF-8, or a NUL"),
            Self::Sum(sent, found) => write!(
                f,
                "the images are damaged: their checksum says {sent:#010x}, and their bytes have {found:#010x}; send them again"
            ),
            Self::Trailing => write!(f, "there are bytes behind the end of the images"),
            Self::Refused => write!(f, "the images were refused before"),
            Self::Other(error) => error.fmt(f),
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Head,
    Start(Head),
    File(Head, File, u64),
    Tail,
    Done,
    Refused,
}

/// Images that are coming.
#[derive(Clone, Debug)]
pub struct Receiver {
    expect: Expect,
    buffer: Buffer,
    /// Bytes that were announced.
    total: u64,
    sum: u32,
}

impl Receiver {
    /// Makes one at the beginning of a stream of `total` bytes.
    pub const fn new(total: u64) -> Self {
        Self { expect: Expect::Head, buffer: Buffer::new(), total, sum: SEED }
    }

    /// Takes the buffer's bytes, all of them.
    ///
    /// # Errors
    ///
    /// [`Fault`]: what is wrong, or what `to` says. Nothing more is taken then.
    pub fn push<R: Receive>(&mut self, to: &mut R) -> Result<Progress, Fault<R::Error>> {
        self.read(to).inspect_err(|_| self.expect = Expect::Refused)
    }

    fn read<R: Receive>(&mut self, to: &mut R) -> Result<Progress, Fault<R::Error>> {
        loop {
            if let Some(wanted) = self.wanted()
                && !self.gather(to, wanted)?
            {
                return Ok(Progress::Buffer);
            }
            self.expect = match self.expect {
                Expect::Head => Expect::Start(self.head()?),
                Expect::Start(head) => {
                    self.start(to, &head)?;
                    self.buffer.clear();
                    Expect::File(head, File::Kernel, START.min(head.kernel))
                }
                Expect::File(head, File::Kernel, done) if done == head.kernel => Expect::File(head, File::Initrd, 0),
                Expect::File(head, File::Initrd, done) if done == head.initrd => Expect::Tail,
                Expect::File(head, file, done) => {
                    let length = if file == File::Kernel { head.kernel } else { head.initrd };
                    let now = length.saturating_sub(done).min(to.available() as u64);
                    if now == 0 {
                        return Ok(Progress::Buffer);
                    }
                    self.sum = to.store(file, done, now as usize, self.sum).map_err(Fault::Other)?;
                    Expect::File(head, file, done.saturating_add(now))
                }
                Expect::Tail => {
                    self.tail()?;
                    Expect::Done
                }
                Expect::Done if to.available() > 0 => return Err(Fault::Trailing),
                Expect::Done => return Ok(Progress::Done),
                Expect::Refused => return Err(Fault::Refused),
            };
        }
    }

    /// Returns how many bytes have to be in front to go on; none where bytes are not gathered.
    const fn wanted(&self) -> Option<usize> {
        match self.expect {
            Expect::Head => Some(size_of::<Head>()),
            Expect::Start(head) => {
                let start = if head.kernel < START { head.kernel } else { START };
                Some(size_of::<Head>().saturating_add(head.cmdline as usize).saturating_add(start as usize))
            }
            Expect::Tail => Some(size_of::<Tail>()),
            Expect::File(..) | Expect::Done | Expect::Refused => None,
        }
    }

    /// Takes bytes until there are `wanted` in front. False: the buffer has no more.
    fn gather<R: Receive>(&mut self, to: &mut R, wanted: usize) -> Result<bool, Fault<R::Error>> {
        let length = wanted.saturating_sub(self.buffer.filled()).min(to.available());
        to.take(self.buffer.place(length)).map_err(Fault::Other)?;
        Ok(self.buffer.filled() >= wanted)
    }

    fn head<E>(&self) -> Result<Head, Fault<E>> {
        let head = Head::read_from_bytes(self.buffer.since(0)).map_err(|_| Fault::NotImages)?;
        if head.magic != MAGIC {
            return Err(Fault::NotImages);
        }
        if head.version != VERSION {
            return Err(Fault::Version(head.version));
        }
        if head.reserved != 0 {
            return Err(Fault::Reserved);
        }
        if head.cmdline > CMDLINE {
            return Err(Fault::Cmdline(head.cmdline));
        }
        if head.kernel == 0 {
            return Err(Fault::NoKernel);
        }
        if head.total() != Some(self.total) {
            return Err(Fault::Length(head.total(), self.total));
        }
        Ok(head)
    }

    /// The head, the command line and the beginning of the kernel are there.
    fn start<R: Receive>(&mut self, to: &mut R, head: &Head) -> Result<(), Fault<R::Error>> {
        let behind = size_of::<Head>().saturating_add(head.cmdline as usize);
        let text = self.buffer.part(size_of::<Head>(), head.cmdline as usize);
        let cmdline = core::str::from_utf8(text).ok().filter(|text| !text.contains('\0')).ok_or(Fault::Text)?;
        let start = self.buffer.since(behind);
        to.accept(head, cmdline, start).map_err(Fault::Other)?;
        self.sum = R::sum(SEED, self.buffer.since(0));
        to.begin(start).map_err(Fault::Other)
    }

    fn tail<E>(&self) -> Result<(), Fault<E>> {
        let tail = Tail::read_from_bytes(self.buffer.since(0)).map_err(|_| Fault::Reserved)?;
        let sum = finish(self.sum);
        match tail {
            Tail { sum: sent, .. } if sent != sum => Err(Fault::Sum(sent, sum)),
            Tail { reserved: 0, .. } => Ok(()),
            _ => Err(Fault::Reserved),
        }
    }
}

#[cfg(test)]
mod tests;
