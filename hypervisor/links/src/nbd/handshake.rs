//! The handshake: until the server has agreed to an export.

use heapless::Vec;

use super::broken::Broken;
use super::numbers::*;
use super::request::Command;

/// Longest name of an export that is asked for.
pub const NAME: usize = 64;
/// Bytes of the longest thing that is sent.
pub(super) const SAID: usize = NAME + 32;
/// Bytes of the longest thing that is waited for as a whole.
pub(super) const HEARD: usize = 20;

/// What a disk needs of its export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    name: Vec<u8, NAME>,
    size: u64,
    block: u32,
    read_only: bool,
}

impl Wanted {
    /// An export by its name, for a disk of `size` bytes in blocks of `block`. None: the name is longer than 64 bytes.
    pub fn new(name: &str, size: u64, block: u32, read_only: bool) -> Option<Self> {
        Some(Self { name: Vec::from_slice(name.as_bytes()).ok()?, size, block, read_only })
    }

    /// The longest request to an export that is of whole blocks of the disk.
    pub(super) const fn longest(&self, export: &Export) -> u32 {
        match export.longest.checked_rem(self.block) {
            Some(rest) => export.longest.saturating_sub(rest),
            None => export.longest,
        }
    }

    /// Checks an export.
    pub(super) fn check(&self, export: &Export) -> Result<(), Broken> {
        if export.size < self.size {
            return Err(Broken::Small { size: export.size, wanted: self.size });
        }
        if export.flags & READ_ONLY != 0 && !self.read_only {
            return Err(Broken::ReadOnly);
        }
        if export.smallest > self.block {
            return Err(Broken::Blocks { smallest: export.smallest, wanted: self.block });
        }
        if export.longest < self.block {
            return Err(Broken::Length { what: "the longest request", length: export.longest });
        }
        Ok(())
    }
}

/// What a server says of its export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its bytes.
    pub size: u64,
    pub(super) flags: u16,
    /// Its smallest block.
    pub(super) smallest: u32,
    /// The longest part of a read or a write that it takes at once; one block of the disk at least.
    pub(super) longest: u32,
}

impl Export {
    const UNKNOWN: Self = Self { size: 0, flags: 0, smallest: 1, longest: LONGEST };

    /// Whether the server knows a command, by what it said.
    pub const fn knows(&self, command: Command) -> bool {
        let flag = match command {
            Command::Read | Command::Write => return true,
            Command::Flush => SEND_FLUSH,
            Command::Trim => SEND_TRIM,
            Command::WriteZeroes(_) => SEND_WRITE_ZEROES,
        };
        self.flags & flag != 0
    }

    /// The longest part of a read or a write that the server takes at once.
    pub const fn longest(&self) -> u32 {
        self.longest
    }
}

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Greeting,
    Reply,
    Info(u32),
    /// What is said of an export by a server that does not know NBD_OPT_GO, and bytes behind it.
    Name,
}

/// A handshake under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    step: Step,
    export: Export,
    sized: bool,
    no_zeroes: bool,
}

/// What becomes of bytes that were heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// More are to come; what is to be said before, and how many bytes of what comes are of no interest.
    More(Vec<u8, SAID>, u32),
    /// The server has agreed; how many bytes that are of no interest come first.
    Agreed(Export, u32),
}

impl Handshake {
    pub(super) const fn new() -> Self {
        Self { step: Step::Greeting, export: Export::UNKNOWN, sized: false, no_zeroes: false }
    }

    /// How many bytes are to come before [`hear`](Self::hear).
    pub(super) const fn wants(&self) -> usize {
        match self.step {
            Step::Greeting => 18,
            Step::Reply => 20,
            // The longest that is of interest; what comes behind it is passed over.
            Step::Info(length) => {
                if length < 14 {
                    length as usize
                } else {
                    14
                }
            }
            Step::Name => 10,
        }
    }

    /// Judges bytes, as many as were [wanted](Self::wants).
    pub(super) fn hear(&mut self, bytes: &[u8], wanted: &Wanted) -> Result<Heard, Broken> {
        match self.step {
            Step::Greeting => self.greeting(bytes, wanted),
            Step::Reply => self.reply(bytes, wanted),
            Step::Info(length) => self.info(bytes, length),
            Step::Name => {
                let (size, bytes) = take_u64(bytes);
                let (flags, _) = take_u16(bytes);
                (self.export.size, self.export.flags) = (size, flags);
                wanted.check(&self.export)?;
                Ok(Heard::Agreed(self.export, if self.no_zeroes { 0 } else { 124 }))
            }
        }
    }

    fn greeting(&mut self, bytes: &[u8], wanted: &Wanted) -> Result<Heard, Broken> {
        let (greeting, bytes) = take_u64(bytes);
        let (style, bytes) = take_u64(bytes);
        let (flags, _) = take_u16(bytes);
        match (greeting, style) {
            (GREETING, NEWSTYLE) if flags & FIXED_NEWSTYLE != 0 => {}
            (GREETING, NEWSTYLE) => return Err(Broken::NotFixed),
            (GREETING, OLDSTYLE) => return Err(Broken::Oldstyle),
            (GREETING, _) => return Err(Broken::Style(style.to_be_bytes())),
            _ => return Err(Broken::Greeting(greeting.to_be_bytes())),
        }
        self.no_zeroes = flags & NO_ZEROES != 0;
        self.step = Step::Reply;
        let mut said = Vec::new();
        let flags = u32::from(flags & (FIXED_NEWSTYLE | NO_ZEROES));
        let name = wanted.name.as_slice();
        say(&mut said, &[&flags.to_be_bytes(), &NEWSTYLE.to_be_bytes(), &OPTION_GO.to_be_bytes()]);
        // The name with its length, and one thing that is asked for.
        let length = name.len() as u32;
        say(&mut said, &[&length.saturating_add(8).to_be_bytes(), &length.to_be_bytes(), name]);
        say(&mut said, &[&1_u16.to_be_bytes(), &INFO_BLOCK_SIZE.to_be_bytes()]);
        Ok(Heard::More(said, 0))
    }

    fn reply(&mut self, bytes: &[u8], wanted: &Wanted) -> Result<Heard, Broken> {
        let (magic, bytes) = take_u64(bytes);
        let (option, bytes) = take_u32(bytes);
        let (kind, bytes) = take_u32(bytes);
        let (length, _) = take_u32(bytes);
        if magic != OPTION_REPLY {
            return Err(Broken::OptionReply(magic.to_be_bytes()));
        }
        if option != OPTION_GO {
            return Err(Broken::OtherOption(option));
        }
        match kind {
            REPLY_ACK if !self.sized => Err(Broken::NoSize),
            REPLY_ACK => {
                wanted.check(&self.export)?;
                Ok(Heard::Agreed(self.export, length))
            }
            REPLY_INFO if length < 2 => Err(Broken::Length { what: "its export", length }),
            REPLY_INFO => {
                self.step = Step::Info(length);
                Ok(Heard::More(Vec::new(), 0))
            }
            REPLY_UNSUPPORTED => {
                self.step = Step::Name;
                let mut said = Vec::new();
                let name = wanted.name.as_slice();
                let length_of_name = name.len() as u32;
                say(&mut said, &[&NEWSTYLE.to_be_bytes(), &OPTION_EXPORT_NAME.to_be_bytes()]);
                say(&mut said, &[&length_of_name.to_be_bytes(), name]);
                Ok(Heard::More(said, length))
            }
            error if error & REPLY_ERROR != 0 => Err(Broken::Refused(error)),
            other => Err(Broken::ReplyType(other)),
        }
    }

    fn info(&mut self, bytes: &[u8], length: u32) -> Result<Heard, Broken> {
        let (kind, bytes) = take_u16(bytes);
        match kind {
            INFO_EXPORT if length != 12 => return Err(Broken::Length { what: "its export's size", length }),
            INFO_EXPORT => {
                let (size, bytes) = take_u64(bytes);
                let (flags, _) = take_u16(bytes);
                (self.export.size, self.export.flags, self.sized) = (size, flags, true);
            }
            INFO_BLOCK_SIZE if length != 14 => return Err(Broken::Length { what: "its block sizes", length }),
            INFO_BLOCK_SIZE => {
                let (smallest, bytes) = take_u32(bytes);
                let (_, bytes) = take_u32(bytes);
                let (longest, _) = take_u32(bytes);
                (self.export.smallest, self.export.longest) = (smallest, longest.min(LONGEST));
            }
            _ => {}
        }
        self.step = Step::Reply;
        Ok(Heard::More(Vec::new(), length.saturating_sub(14)))
    }
}

/// Adds parts to what is said; there is room for the longest.
fn say(said: &mut Vec<u8, SAID>, parts: &[&[u8]]) {
    for part in parts {
        let _ = said.extend_from_slice(part);
    }
}

pub(super) fn take_u16(bytes: &[u8]) -> (u16, &[u8]) {
    bytes.split_first_chunk().map_or((0, bytes), |(first, rest)| (u16::from_be_bytes(*first), rest))
}

pub(super) fn take_u32(bytes: &[u8]) -> (u32, &[u8]) {
    bytes.split_first_chunk().map_or((0, bytes), |(first, rest)| (u32::from_be_bytes(*first), rest))
}

pub(super) fn take_u64(bytes: &[u8]) -> (u64, &[u8]) {
    bytes.split_first_chunk().map_or((0, bytes), |(first, rest)| (u64::from_be_bytes(*first), rest))
}
