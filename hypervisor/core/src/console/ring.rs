//! The ring between the console and the board's UART.
#![expect(clippy::indexing_slicing, reason = "every index is reduced to the length of its array")]

use portcullis_abi::map::MAX_VMS;

/// Owner of the hypervisor's own characters; VMs own theirs by number.
pub const HYPERVISOR: u8 = MAX_VMS as u8;
/// Characters that one VM may have in the ring.
pub const GUEST_SHARE: usize = 1024;
/// Characters that the hypervisor may have in the ring.
pub const HYPERVISOR_SHARE: usize = 4096;
/// Every owner's share has its place: nobody's output takes another's.
const CAPACITY: usize = GUEST_SHARE * MAX_VMS + HYPERVISOR_SHARE;
const OWNERS: usize = MAX_VMS + 1;

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
        let share = if owner == HYPERVISOR { HYPERVISOR_SHARE } else { GUEST_SHARE };
        share.saturating_sub(self.used(owner))
    }

    /// Characters of `owner` that have not gone out.
    pub fn used(&self, owner: u8) -> usize {
        self.used.get(usize::from(owner)).copied().unwrap_or(usize::MAX)
    }

    /// Appends a character; ignored without room, which callers rule out by [`Self::room`].
    pub fn push(&mut self, owner: u8, byte: u8) {
        if self.room(owner) == 0 || self.len >= CAPACITY {
            return;
        }
        let Some(used) = self.used.get_mut(usize::from(owner)) else { return };
        *used = used.wrapping_add(1);
        self.cells[self.head.wrapping_add(self.len) % CAPACITY] = (owner, byte);
        self.len = self.len.wrapping_add(1);
    }

    /// Takes the next character and its owner.
    pub fn pop(&mut self) -> Option<(u8, u8)> {
        self.len = self.len.checked_sub(1)?;
        let (owner, byte) = self.cells[self.head % CAPACITY];
        self.head = self.head.wrapping_add(1) % CAPACITY;
        if let Some(used) = self.used.get_mut(usize::from(owner)) {
            *used = used.saturating_sub(1);
        }
        Some((owner, byte))
    }
}
