//! What a server can say that ends a connection.

use core::fmt;

/// Why a connection to a server is over. It is the end of a line that names the disk and the VM that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It does not begin as NBD servers do.
    Greeting([u8; 8]),
    /// It speaks the oldstyle handshake.
    Oldstyle,
    /// What follows its greeting is none of the handshakes.
    Style([u8; 8]),
    /// It speaks newstyle, and not fixed newstyle.
    NotFixed,
    /// What should be the reply to an option does not begin so.
    OptionReply([u8; 8]),
    /// It replied to an option that it was not asked.
    OtherOption(u32),
    /// It refused the export, with this error.
    Refused(u32),
    /// It replied to an option by what is neither done, information nor an error.
    ReplyType(u32),
    /// What it says of the export has a length that it cannot have.
    Length {
        /// What it says something of.
        what: &'static str,
        /// How many bytes.
        length: u32,
    },
    /// It agreed, and did not say how large the export is.
    NoSize,
    /// The export is smaller than the disk.
    Small {
        /// Its bytes.
        size: u64,
        /// Bytes of the disk.
        wanted: u64,
    },
    /// The export cannot be written, and the disk can.
    ReadOnly,
    /// The export has larger blocks than the disk.
    Blocks {
        /// Its smallest.
        smallest: u32,
        /// The disk's.
        wanted: u32,
    },
    /// What should be a reply does not begin so.
    Reply([u8; 4]),
    /// It replied to a request that it does not have.
    Cookie(u64),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting(came) => {
                write!(f, "it is no NBD server: it begins with {}, not with NBDMAGIC", Bytes(came))
            }
            Self::Oldstyle => write!(f, "it speaks NBD's oldstyle handshake; fixed newstyle is spoken here"),
            Self::Style(came) => write!(f, "behind its greeting came {}, not IHAVEOPT", Bytes(came)),
            Self::NotFixed => write!(f, "it speaks NBD's newstyle without the fixes; fixed newstyle is spoken here"),
            Self::OptionReply(came) => write!(f, "instead of the reply to an option came {}", Bytes(came)),
            Self::OtherOption(option) => write!(f, "it replied to option {option}, which it was not asked"),
            Self::Refused(error) => {
                let why = match error & !super::numbers::REPLY_ERROR {
                    2 => "its policy",
                    3 => "the request is invalid",
                    5 => "it wants TLS, which is not spoken here",
                    6 => "it has no such export",
                    7 => "it is shutting down",
                    8 => "it wants to be asked for its block sizes",
                    9 => "the request is too large",
                    _ => "no reason that is known",
                };
                write!(f, "it refused the export with error {error:#x}: {why}")
            }
            Self::ReplyType(kind) => write!(f, "it replied to an option by type {kind:#x}"),
            Self::Length { what, length } => write!(f, "it says {length} bytes of {what}"),
            Self::NoSize => write!(f, "it did not say how large its export is"),
            Self::Small { size, wanted } => write!(f, "its export has {size} bytes, and the disk {wanted}"),
            Self::ReadOnly => write!(f, "its export cannot be written; serve it so, or let the disk be read-only"),
            Self::Blocks { smallest, wanted } => {
                write!(f, "its export has blocks of {smallest} bytes, and the disk of {wanted}")
            }
            Self::Reply(came) => write!(f, "instead of a reply came {}", Bytes(came)),
            Self::Cookie(cookie) => write!(f, "it replied to request {cookie:#x}, which it does not have"),
        }
    }
}

impl core::error::Error for Broken {}

/// Bytes as they are shown: as text where they are, else by number.
struct Bytes<'a>(&'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            write!(f, "\"{}\"", core::str::from_utf8(self.0).unwrap_or_default())
        } else {
            self.0.iter().enumerate().try_for_each(|(place, byte)| {
                let space = if place == 0 { "" } else { " " };
                write!(f, "{space}{byte:02x}")
            })
        }
    }
}
