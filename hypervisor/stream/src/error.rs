//! What is wrong with a stream.

use core::fmt;

use crate::kind::Kind;
use crate::layout::{MAGIC, PAGE, RUN, VERSION};
use crate::section::Section;

/// Why a stream is refused, and in which section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error<E> {
    /// The section in which it is; none in front of the first.
    pub section: Option<Section>,
    /// What is wrong.
    pub fault: Fault<E>,
}

/// What is wrong with a stream, or why it is refused although it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// It does not begin as a stream does.
    NotAStream,
    /// It is of another version.
    Version(u32),
    /// A reserved word is not zero.
    Reserved,
    /// No section has this number.
    Unknown(u32),
    /// A section with this index comes where none can.
    Index(u32),
    /// The section comes where another one is due.
    Order(Section),
    /// The body is so long.
    Length(u64),
    /// The checksum in the stream, and that of what it has.
    Sum(u32, u32),
    /// The VM's shape is none: what of it.
    Shape(&'static str),
    /// A run does not go on where the last one has ended: where it begins.
    Gap(u64, u64),
    /// A run has so many bytes, and so many are left of the memory.
    Beyond(u64, u64),
    /// It ends before it has all of what this section has runs of, of which so many bytes have come.
    Short(Section, u64),
    /// The end tells of other bytes or sections than have come.
    Count,
    /// There are bytes behind the end.
    Trailing,
    /// It ends in the middle.
    Cut,
    /// It was refused before.
    Refused,
    /// Whom it is for does not take it.
    Other(E),
}

impl<E> Fault<E> {
    /// Says where it is.
    pub const fn of(self, section: Option<Section>) -> Error<E> {
        Error { section, fault: self }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section {
            Some(section) => write!(f, "section {section}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAStream => {
                write!(f, "this is no saved VM; one begins with the bytes \"{}\"", MAGIC.escape_ascii())
            }
            Self::Version(version) => {
                write!(f, "the saved VM has format version {version}; version {VERSION} is understood here")
            }
            Self::Reserved => write!(f, "a reserved word is not zero"),
            Self::Unknown(number) => write!(f, "no section has number {number} in format version {VERSION}"),
            Self::Index(index) => write!(f, "there is none with index {index}"),
            Self::Order(section) => write!(f, "it comes where section {section} is due"),
            Self::Length(length) => write!(f, "its body cannot have {length} bytes"),
            Self::Sum(told, real) => {
                write!(f, "it is damaged: its checksum says {told:#010x}, and its bytes have {real:#010x}")
            }
            Self::Shape(what) => write!(f, "no VM has {what}"),
            Self::Gap(due, offset) => write!(f, "it begins at offset {offset:#x}; {due:#x} is due"),
            Self::Beyond(length, left) => write!(
                f,
                "{length:#x} bytes are none that a section can have: whole pages of {PAGE}, at most {RUN} with their bytes, \
                 and {left:#x} are left"
            ),
            Self::Short(section, offset) => write!(f, "{section} is missing from offset {offset:#x} on"),
            Self::Count => write!(f, "bytes or sections in front of it are missing, or there are too many"),
            Self::Trailing => write!(f, "there are bytes behind the end of the stream"),
            Self::Cut => write!(f, "the stream ends here; its last section is {}", Kind::End.name()),
            Self::Refused => write!(f, "the stream was refused before; it is to be sent anew"),
            Self::Other(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> core::error::Error for Error<E> {}
