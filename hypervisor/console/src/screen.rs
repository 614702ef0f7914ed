//! The state of the terminal's current line, and the only way into the ring.

use portcullis_abi::bundle::NAME_MAX;

use super::line;
use super::ring::{GUEST_SHARE, HYPERVISOR, Ring};
use super::tail;

/// Most bytes of a prefix: `[name] `.
const PREFIX_MAX: usize = NAME_MAX + 3;
/// Bytes of a line after which it is broken.
pub const WIDTH: usize = 256;
const _: () = assert!(line::CAPACITY <= WIDTH, "what is shown at once breaks a line once at the most");
/// Most bytes that the screen adds around lines: CAN, a fresh line, and the attached guest's line shown again with a
/// carriage return.
pub const FRAME_MAX: usize = 1 + 2 + tail::CAPACITY + 1;
/// Most bytes that come of one line buffer: each byte at the most once, three held back from an unfinished character, and
/// a prefix and a newline for the line, for where an earlier part of it fills the line, and where it does so itself.
pub const RECORD_MAX: usize = FRAME_MAX + line::CAPACITY + 3 + 3 * (PREFIX_MAX + 2);
/// A VM that stalled may go on when it has no more than this in the ring.
pub const RESUME: usize = GUEST_SHARE / 2;
const _: () = assert!(RESUME + RECORD_MAX <= GUEST_SHARE, "a VM that may go on has room for a whole line");

/// CANCEL ends any sequence that the terminal is in.
const CAN: u8 = 0x18;

/// The terminal as far as the console has to know it.
#[derive(Debug)]
pub struct Screen {
    /// What goes out.
    pub ring: Ring,
    /// Whose unfinished line the cursor stands in; none at the start of a line.
    pub open: Option<u8>,
    /// Bytes of that line, without prefix.
    width: usize,
    /// VMs whose unfinished line was ended for the sake of another's.
    torn: u16,
}

impl Screen {
    pub const fn new() -> Self {
        Self { ring: Ring::new(), open: None, width: 0, torn: 0 }
    }

    /// Puts bytes on the line as they are.
    pub fn put(&mut self, owner: u8, bytes: &[u8]) {
        self.ring.append(owner, bytes);
    }

    /// Ends the line.
    pub fn newline(&mut self, owner: u8) {
        self.put(owner, b"\r\n");
        self.open = None;
    }

    /// Goes to the start of a line, out of a sequence if `cancel`; remembers whose line that tore.
    pub fn fresh(&mut self, owner: u8, cancel: bool) {
        if cancel {
            self.put(owner, &[CAN]);
        }
        if let Some(torn) = self.open {
            self.remember_torn(torn);
            self.newline(owner);
        }
    }

    /// Begins a line of a VM.
    fn begin(&mut self, vm: u8, name: &str, cancel: bool) {
        self.fresh(vm, cancel);
        self.put(vm, b"[");
        self.put(vm, name.as_bytes());
        self.put(vm, b"] ");
        self.open = Some(vm);
        self.width = 0;
        self.forget_torn(vm);
    }

    /// Puts glyphs, no more than a line's, on the VM's line, which begins or is continued.
    pub fn text(&mut self, vm: u8, name: &str, mut text: &[u8], cancel: bool) {
        if self.open != Some(vm) {
            self.begin(vm, name, cancel);
        }
        let room = WIDTH.saturating_sub(self.width);
        if text.len() > room {
            let (fits, rest) = text.split_at_checked(boundary(text, room)).unwrap_or((text, &[]));
            self.put(vm, fits);
            self.newline(vm);
            self.begin(vm, name, false);
            text = rest;
        }
        self.put(vm, text);
        self.width = self.width.saturating_add(text.len());
    }

    /// Ends the VM's line. An empty one is shown, unless it is only the end of a line that was torn.
    pub fn end(&mut self, vm: u8, name: &str, cancel: bool) {
        if self.open != Some(vm) {
            if self.torn & mask(vm) != 0 {
                return self.forget_torn(vm);
            }
            self.begin(vm, name, cancel);
        }
        self.newline(vm);
    }

    /// Breaks the VM's line if the cursor stands in it; its end, when it comes, is not a line of its own.
    pub fn tear(&mut self, vm: u8) {
        if self.open == Some(vm) {
            self.fresh(vm, false);
        }
    }

    /// If nothing but a newline comes of `owner` next, it is not a line.
    pub fn remember_torn(&mut self, owner: u8) {
        self.torn |= mask(owner);
    }

    /// What comes of `owner` next begins a line of its own.
    pub fn forget_torn(&mut self, owner: u8) {
        self.torn &= !mask(owner);
    }
}

fn mask(owner: u8) -> u16 {
    1 << (owner & 0xf)
}

/// Where the last glyph ends of those in `text` that take no more than `most` bytes.
fn boundary(text: &[u8], most: usize) -> usize {
    let ends = |&at: &usize| text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
    (0..=most).rev().find(ends).unwrap_or(0)
}

const _: () = assert!(HYPERVISOR < 16);
