//! The ring between the console and the board's UART.
#![expect(clippy::indexing_slicing, reason = "every index is kept below the length of its array")]

use portcullis_abi::map::MAX_VMS;

/// Owner of the hypervisor's own characters; VMs own theirs by number.
pub const HYPERVISOR: u8 = MAX_VMS as u8;

/// Owner of what brings the terminal back from an attached guest, which must have room whatever else waits.
pub const RESETS: u8 = HYPERVISOR + 1;

/// Owner of the hypervisor's lines about VM `vm`.
pub const fn log_of(vm: u8) -> u8 {
    RESETS.saturating_add(1).saturating_add(vm)
}

/// Characters that one VM may have in the ring.
pub const GUEST_SHARE: usize = 1024;
/// Characters that the hypervisor may have in the ring.
pub const HYPERVISOR_SHARE: usize = 4096;
/// Characters that the hypervisor's lines about one VM may have in the ring.
const LOG_SHARE: usize = 1024;
/// Characters of resets: of a few changes from one VM to another.
const RESETS_SHARE: usize = 1024;
/// Every owner's share has its place: nobody's output takes another's.
const CAPACITY: usize = (GUEST_SHARE + LOG_SHARE) * MAX_VMS + HYPERVISOR_SHARE + RESETS_SHARE;
const OWNERS: usize = 2 * MAX_VMS + 2;

/// Characters in the order in which they go out, each with its owner. All zeros when empty, so that it costs no room in
/// the image.
#[derive(Debug)]
pub struct Ring {
    cells: [(u8, u8); CAPACITY],
    head: usize,
    len: usize,
    used: [usize; OWNERS],
}

impl Ring {
    pub const fn new() -> Self {
        Self { cells: [(0, 0); CAPACITY], head: 0, len: 0, used: [0; OWNERS] }
    }

    /// Characters that `owner` may still append.
    pub fn room(&self, owner: u8) -> usize {
        let share = match owner {
            HYPERVISOR => HYPERVISOR_SHARE,
            ..HYPERVISOR => GUEST_SHARE,
            RESETS => RESETS_SHARE,
            _ => LOG_SHARE,
        };
        share.saturating_sub(self.used(owner))
    }

    /// Characters of `owner` that have not gone out.
    pub fn used(&self, owner: u8) -> usize {
        self.used.get(usize::from(owner)).copied().unwrap_or(usize::MAX)
    }

    /// Appends characters; those that there is no room for are ignored, which callers rule out by [`Self::room`].
    #[inline]
    pub fn append(&mut self, owner: u8, bytes: &[u8]) {
        let room = self.room(owner).min(CAPACITY.saturating_sub(self.len));
        let count = bytes.len().min(room);
        let Some(used) = self.used.get_mut(usize::from(owner)) else { return };
        *used = used.wrapping_add(count);
        let mut at = self.head.wrapping_add(self.len) % CAPACITY;
        for &byte in bytes.iter().take(count) {
            self.cells[at] = (owner, byte);
            at = if at == CAPACITY - 1 { 0 } else { at.wrapping_add(1) };
        }
        self.len = self.len.wrapping_add(count);
    }

    /// Whether there are no characters.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the next character and its owner.
    pub fn pop(&mut self) -> Option<(u8, u8)> {
        self.len = self.len.checked_sub(1)?;
        let &(owner, byte) = self.cells.get(self.head)?;
        self.head = if self.head == CAPACITY - 1 { 0 } else { self.head.wrapping_add(1) };
        if let Some(used) = self.used.get_mut(usize::from(owner)) {
            *used = used.saturating_sub(1);
        }
        Some((owner, byte))
    }
}
