//! The state of the terminal's current line, and the only way into the ring.

use portcullis_abi::bundle::NAME_MAX;

use super::columns::{self, TAB, USED};
use super::line;
use super::ring::{GUEST_SHARE, HYPERVISOR, Ring};
use super::tail;

/// Most bytes of a prefix: `[name]> `.
const PREFIX_MAX: usize = NAME_MAX + 4;
/// Bytes that tabs of what is shown at once may take more than one each; beyond these a tab is a space.
const TAB_SPARE: usize = 14 * (TAB - 1);
/// Most columns, and bytes, of the text that comes of one line buffer: each byte at the most once, three held back from an
/// unfinished character, and what tabs take.
const TEXT_MAX: usize = line::CAPACITY + 3 + TAB_SPARE;
/// Most rows that begin in that: a row may lack one column of being full, and the first one may have been begun before.
const ROWS_MAX: usize = TEXT_MAX / (USED - PREFIX_MAX - 1) + 2;
/// Most bytes that the screen adds around lines: CAN, a fresh line, and the attached guest's line shown again with a
/// carriage return.
pub const FRAME_MAX: usize = 1 + 2 + tail::CAPACITY + 1;
/// Most bytes that come of one line buffer.
pub const RECORD_MAX: usize = FRAME_MAX + TEXT_MAX + ROWS_MAX * (PREFIX_MAX + 2);
/// A VM that stalled may go on when it has no more than this in the ring.
pub const RESUME: usize = GUEST_SHARE * 3 / 8;
const _: () = assert!(RESUME + RECORD_MAX <= GUEST_SHARE, "a VM that may go on has room for a whole line");

/// What stands behind a name at the start of a line, and of a row that goes on with one.
const LINE: &[u8] = b"] ";
const MORE: &[u8] = b"]> ";

/// CANCEL ends any sequence that the terminal is in.
const CAN: u8 = 0x18;

/// The terminal as far as the console has to know it.
#[derive(Debug)]
pub struct Screen {
    /// What goes out.
    pub ring: Ring,
    /// Whose unfinished line the cursor stands in; none at the start of a line.
    pub open: Option<u8>,
    /// Columns of that row that are taken, by its prefix too.
    column: usize,
    /// Columns of its prefix.
    prefix: usize,
    /// Bytes that tabs may still take beyond one each.
    tab_spare: usize,
    /// VMs whose unfinished line was ended for the sake of another's.
    torn: u64,
}

impl Screen {
    pub const fn new() -> Self {
        Self { ring: Ring::new(), open: None, column: 0, prefix: 0, tab_spare: 0, torn: 0 }
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

    /// Begins a row of a VM's text; `after` stands behind its name.
    fn begin(&mut self, vm: u8, name: &str, after: &[u8], cancel: bool) {
        self.fresh(vm, cancel);
        self.put(vm, b"[");
        self.put(vm, name.as_bytes());
        self.put(vm, after);
        self.open = Some(vm);
        self.prefix = name.len().saturating_add(1).saturating_add(after.len());
        self.column = self.prefix;
        self.forget_torn(vm);
    }

    /// What a VM's buffer has to show comes next: its tabs have room again.
    pub const fn begin_record(&mut self) {
        self.tab_spare = TAB_SPARE;
    }

    /// Puts glyphs on the VM's line, which begins or is continued. What a row has no room for goes to another one.
    pub fn text(&mut self, vm: u8, name: &str, mut text: &[u8], cancel: bool) {
        if self.open != Some(vm) {
            self.begin(vm, name, LINE, cancel);
        }
        loop {
            let (length, columns) = columns::fitting(text, USED.saturating_sub(self.column));
            let (fits, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
            self.put(vm, fits);
            self.column = self.column.saturating_add(columns);
            text = match rest.split_first() {
                None => return,
                Some((b'\t', rest)) if self.column < USED => {
                    self.tab(vm);
                    rest
                }
                Some((first, after_tab)) => {
                    self.newline(vm);
                    self.begin(vm, name, MORE, false);
                    if *first == b'\t' { after_tab } else { rest }
                }
            };
        }
    }

    /// Goes to the next tab stop by spaces: the terminal's own stops may be anywhere.
    fn tab(&mut self, vm: u8) {
        let stop = TAB.saturating_sub(self.column.saturating_sub(self.prefix) % TAB);
        let wanted = stop.min(USED.saturating_sub(self.column));
        let count = wanted.min(self.tab_spare.saturating_add(1));
        self.tab_spare = self.tab_spare.saturating_sub(count.saturating_sub(1));
        self.put(vm, [b' '; TAB].get(..count).unwrap_or_default());
        self.column = self.column.saturating_add(count);
    }

    /// Ends the VM's line. An empty one is shown, unless it is only the end of a line that was torn.
    pub fn end(&mut self, vm: u8, name: &str, cancel: bool) {
        if self.open != Some(vm) {
            if self.torn & mask(vm) != 0 {
                return self.forget_torn(vm);
            }
            self.begin(vm, name, LINE, cancel);
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

fn mask(owner: u8) -> u64 {
    1 << (owner & 63)
}

const _: () = assert!(HYPERVISOR < 64);
