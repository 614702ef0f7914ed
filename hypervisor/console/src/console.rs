//! From the line buffers to the board's UART.

use portcullis_abi::map::MAX_VMS;

use super::cooked::Cooked;
use super::escape::Terminal;
use super::keys::Keys;
use super::line::LineBuffer;
use super::ring::{HYPERVISOR, HYPERVISOR_SHARE};
use super::screen::{RECORD_MAX, RESUME, Screen};
use super::vm::{Guest, Guests};

/// How much of a line buffer to take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    /// Finished lines, and a full buffer.
    Lines,
    /// An unfinished line too, unless a VM is attached.
    Partial,
    /// Everything, and the line ends there.
    All,
}

/// The console of the machine. All zeros when new, so that a static one costs no room in the image. What it keeps of a VM it takes
/// from the heap when the VM is added.
#[derive(Debug)]
pub struct Console {
    pub(super) screen: Screen,
    pub(super) guests: Guests,
    pub(super) attached: Option<u8>,
    pub(super) keys: Keys,
    pub(super) dropped: usize,
    stalled: u32,
    pub(super) ready: u32,
}

impl Console {
    /// A console without VMs.
    pub const fn new() -> Self {
        Self {
            screen: Screen::new(),
            guests: Guests::new(),
            attached: None,
            keys: Keys::new(),
            dropped: 0,
            stalled: 0,
            ready: 0,
        }
    }

    /// Adds the next VM, numbered from 0 in the order of the calls; none if there are [`MAX_VMS`] already.
    pub fn add_vm(&mut self, name: &str) -> Option<usize> {
        let vm = self.guests.add(name)?;
        self.screen.ring.grow();
        Some(vm)
    }

    /// Number of the VM that has the terminal.
    pub fn attached(&self) -> Option<usize> {
        self.attached.map(usize::from)
    }

    /// Takes what a VM's buffer has to show: everything if the VM is attached, else finished lines, and all of a full
    /// buffer. False if the ring lacked room for it; the VM then turns up in [`Self::take_ready`] when there is some.
    pub fn submit(&mut self, vm: usize, line: &mut LineBuffer) -> bool {
        self.deliver(vm, line, Take::Lines)
    }

    /// As [`Self::submit`], and shows an unfinished line too, as it has stood for a while. While another VM is
    /// attached it stays where it is.
    pub fn submit_partial(&mut self, vm: usize, line: &mut LineBuffer) -> bool {
        self.deliver(vm, line, Take::Partial)
    }

    /// The VM has stopped: takes everything and ends its line, so that its last words stand before what comes next. False if
    /// the ring lacked room; to be called again at a later tick.
    pub fn finish(&mut self, vm: usize, line: &mut LineBuffer) -> bool {
        self.deliver(vm, line, Take::All)
    }

    /// Whether there is nothing for the board's UART.
    pub const fn is_empty(&self) -> bool {
        self.screen.ring.is_empty()
    }

    /// Takes the next character for the board's UART.
    pub fn pop(&mut self) -> Option<u8> {
        let (owner, byte) = self.screen.ring.pop()?;
        if owner == HYPERVISOR {
            if self.dropped != 0 && self.screen.ring.used(HYPERVISOR) <= HYPERVISOR_SHARE / 2 {
                self.note_dropped();
            }
        } else if owner < HYPERVISOR && self.stalled & bit(owner) != 0 && self.screen.ring.used(owner) <= RESUME {
            self.stalled &= !bit(owner);
            self.ready |= bit(owner);
        }
        Some(byte)
    }

    /// Whether [`Self::take_ready`] has something to say.
    pub const fn has_ready(&self) -> bool {
        self.ready != 0
    }

    /// VMs, one bit each by number, whose buffers are to be submitted again since the last call: they had stalled and there
    /// is room now, or they were just attached.
    pub fn take_ready(&mut self) -> u32 {
        core::mem::take(&mut self.ready)
    }

    fn deliver(&mut self, vm: usize, line: &mut LineBuffer, take: Take) -> bool {
        let Some(owner) = u8::try_from(vm).ok().filter(|_| vm < self.guests.count()) else {
            line.consume(usize::MAX);
            return true;
        };
        let done =
            if self.attached == Some(owner) { self.raw(owner, line, take) } else { self.cooked(owner, line, take) };
        if !done {
            self.stalled |= bit(owner);
        }
        done
    }

    fn raw(&mut self, vm: u8, line: &mut LineBuffer, take: Take) -> bool {
        if !line.is_empty() && self.screen.open == Some(HYPERVISOR) {
            // A VM is being chosen: this one's line comes after that.
            self.screen.newline(HYPERVISOR);
            self.restore(HYPERVISOR);
        }
        let count = self.screen.ring.room(vm).min(line.bytes().len());
        let Some(guest) = self.guests.get_mut(usize::from(vm)) else { return true };
        for &byte in line.bytes().iter().take(count) {
            self.screen.put(vm, &[byte]);
            guest.follow(byte);
            self.screen.open = if byte == b'\n' { None } else { Some(vm) };
        }
        line.consume(count);
        if take != Take::All || !line.is_empty() || self.screen.open != Some(vm) {
            return line.is_empty();
        }
        if self.screen.ring.room(vm) < 2 {
            return false;
        }
        self.screen.newline(vm);
        guest.follow(b'\n');
        true
    }

    fn cooked(&mut self, vm: u8, line: &mut LineBuffer, take: Take) -> bool {
        loop {
            let newline = line.first_line();
            let partial = !line.is_empty() && take == Take::Partial && self.attached.is_none();
            let last = newline.is_none() && take == Take::All && (!line.is_empty() || self.screen.open == Some(vm));
            if newline.is_none() && !line.is_full() && !partial && !last {
                return true;
            }
            if self.screen.ring.room(vm) < RECORD_MAX {
                return false;
            }
            if last && self.screen.open != Some(vm) {
                // Bytes that show nothing make no line.
                self.screen.remember_torn(vm);
            }
            let text = line.bytes();
            self.show(vm, text.get(..newline.unwrap_or(text.len())).unwrap_or_default(), newline.is_some() || last);
            line.consume(newline.map_or(usize::MAX, |len| len.saturating_add(1)));
        }
    }

    /// Puts a line, or a part of one, of a VM that is not attached on the screen.
    fn show(&mut self, vm: u8, text: &[u8], finished: bool) {
        let cancel = self.attached_in_sequence();
        let Self { screen, guests, .. } = self;
        let Some(Guest { name, terminal, tail, .. }) = guests.get_mut(usize::from(vm)) else { return };
        let (name, before) = (name.as_str(), screen.ring.used(vm));
        screen.begin_record();
        let mut cooked = Cooked::new(screen, tail, vm, name, cancel);
        for &byte in text.iter().chain(finished.then_some(&b'\n')) {
            terminal.feed(byte, |event| cooked.apply(event));
        }
        cooked.finish();
        if self.attached.is_some() && screen.ring.used(vm) != before {
            screen.tear(vm);
            self.restore(vm);
        }
    }

    /// Whether the attached VM has begun a sequence that would swallow what comes next.
    pub(super) fn attached_in_sequence(&self) -> bool {
        self.attached_guest().is_some_and(|guest| guest.terminal.is_in_sequence())
    }

    /// After another's line: shows the attached VM's unfinished line again, on `owner`'s account.
    pub(super) fn restore(&mut self, owner: u8) {
        let Self { screen, guests, attached, .. } = self;
        let Some((vm, guest)) = attached.and_then(|vm| Some((vm, guests.get_mut(usize::from(vm))?))) else { return };
        guest.terminal = Terminal::new();
        if guest.tail.bytes().is_empty() {
            return;
        }
        screen.put(owner, guest.tail.bytes());
        if guest.tail.is_returned() {
            screen.put(owner, b"\r");
        }
        screen.open = Some(vm);
    }

    fn attached_guest(&self) -> Option<&Guest> {
        self.guests.get(self.attached()?)
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// The bit of a VM.
pub(super) const fn bit(vm: u8) -> u32 {
    1 << (vm & 31)
}

const _: () = assert!(MAX_VMS <= u32::BITS as usize, "a VM's bit fits the mask");
