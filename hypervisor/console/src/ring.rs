//! The ring between the console and the board's UART.

use alloc::boxed::Box;
use alloc::vec;

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
/// Cells that are there before any VM is. Every owner's share has its place: nobody's output takes another's.
const FIRST: usize = HYPERVISOR_SHARE + RESETS_SHARE;
/// Cells that come with each VM.
const PART: usize = GUEST_SHARE + LOG_SHARE;
const OWNERS: usize = 2 * MAX_VMS + 2;
const _: () = assert!(OWNERS <= u8::MAX as usize && HYPERVISOR_SHARE <= u16::MAX as usize);

/// A character and its owner.
type Cell = (u8, u8);

/// Characters in the order in which they go out, each with its owner. All zeros when new, so that it costs no room in the image;
/// what belongs to a VM is of the heap, and comes with it.
#[derive(Debug)]
pub struct Ring {
    first: [Cell; FIRST],
    parts: [Option<Box<[Cell]>>; MAX_VMS],
    /// Parts that are there.
    count: usize,
    head: usize,
    len: usize,
    used: [u16; OWNERS],
}

impl Ring {
    pub const fn new() -> Self {
        Self { first: [(0, 0); FIRST], parts: [const { None }; MAX_VMS], count: 0, head: 0, len: 0, used: [0; OWNERS] }
    }

    /// Cells that there are.
    const fn capacity(&self) -> usize {
        FIRST.saturating_add(PART.saturating_mul(self.count))
    }

    /// Makes room for one more VM, if it is no more than [`MAX_VMS`].
    pub fn grow(&mut self) {
        let end = self.capacity();
        let Some(part) = self.parts.get_mut(self.count) else { return };
        *part = Some(vec![(0, 0); PART].into_boxed_slice());
        self.count = self.count.wrapping_add(1);
        // What is wrapped around goes on at the new end.
        if self.head.saturating_add(self.len) > end {
            for at in (self.head..end).rev() {
                let cell = self.run(at).first().copied().unwrap_or_default();
                if let Some(place) = self.run(at.saturating_add(PART)).first_mut() {
                    *place = cell;
                }
            }
            self.head = self.head.saturating_add(PART);
        }
    }

    /// The cells from `at` on that lie side by side.
    fn run(&mut self, at: usize) -> &mut [Cell] {
        match at.checked_sub(FIRST) {
            None => self.first.get_mut(at..).unwrap_or_default(),
            Some(at) => {
                let part = self.parts.get_mut(at / PART).and_then(Option::as_mut);
                part.and_then(|part| part.get_mut(at % PART..)).unwrap_or_default()
            }
        }
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
        self.used.get(usize::from(owner)).map_or(usize::MAX, |used| usize::from(*used))
    }

    /// Appends characters; those that there is no room for are ignored, which callers rule out by [`Self::room`].
    #[inline]
    pub fn append(&mut self, owner: u8, bytes: &[u8]) {
        let end = self.capacity();
        let room = self.room(owner).min(end.saturating_sub(self.len));
        let (mut bytes, _) = bytes.split_at(bytes.len().min(room));
        let Some(used) = self.used.get_mut(usize::from(owner)) else { return };
        *used = used.wrapping_add(bytes.len() as u16);
        let mut at = self.head.wrapping_add(self.len);
        self.len = self.len.wrapping_add(bytes.len());
        if at >= end {
            at = at.wrapping_sub(end);
        }
        while !bytes.is_empty() {
            let run = self.run(at);
            let (now, rest) = bytes.split_at(bytes.len().min(run.len()));
            if now.is_empty() {
                return;
            }
            for (cell, byte) in run.iter_mut().zip(now) {
                *cell = (owner, *byte);
            }
            bytes = rest;
            at = at.wrapping_add(now.len());
            if at == end {
                at = 0;
            }
        }
    }

    /// Whether there are no characters.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the next character and its owner.
    pub fn pop(&mut self) -> Option<(u8, u8)> {
        self.len = self.len.checked_sub(1)?;
        let &(owner, byte) = self.run(self.head).first()?;
        let next = self.head.wrapping_add(1);
        self.head = if next == self.capacity() { 0 } else { next };
        if let Some(used) = self.used.get_mut(usize::from(owner)) {
            *used = used.saturating_sub(1);
        }
        Some((owner, byte))
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    fn taken(ring: &mut Ring, count: usize) -> Vec<(u8, u8)> {
        (0..count).map_while(|_| ring.pop()).collect()
    }

    #[test]
    fn what_is_in_it_stays_in_order_when_a_vm_comes() {
        // The head anywhere, the content wrapped around or not.
        for head in [0, 1, 1000, FIRST - 300, FIRST - 1] {
            let mut ring = Ring::new();
            for _ in 0..head {
                ring.append(HYPERVISOR, b".");
                ring.pop();
            }
            let mut expected = Vec::new();
            for vm in 0..3u8 {
                let text: Vec<u8> = (0..200).map(|n| b'a' + (n + vm) % 26).collect();
                ring.append(HYPERVISOR, &text);
                expected.extend(text.iter().map(|&byte| (HYPERVISOR, byte)));
                ring.grow();
                ring.append(vm, &text);
                expected.extend(text.iter().map(|&byte| (vm, byte)));
            }
            assert_eq!(taken(&mut ring, 10_000), expected, "head at {head}");
            assert!(ring.is_empty());
        }
    }

    #[test]
    fn every_share_has_its_place_with_any_number_of_vms() {
        for vms in [0, 1, 8, 9, MAX_VMS] {
            let mut ring = Ring::new();
            (0..vms).for_each(|_| ring.grow());
            let guests = (0..vms as u8).flat_map(|vm| [vm, log_of(vm)]);
            let owners: Vec<u8> = [HYPERVISOR, RESETS].into_iter().chain(guests).collect();
            let mut total = 0;
            for &owner in &owners {
                let room = ring.room(owner);
                ring.append(owner, &vec![b'x'; room + 1]);
                assert_eq!((ring.room(owner), ring.used(owner)), (0, room), "owner {owner} of {vms} VMs");
                total += room;
            }
            assert_eq!((total, ring.len), (ring.capacity(), ring.capacity()));
            let all = taken(&mut ring, total);
            assert!(all.is_sorted_by_key(|(owner, _)| owners.iter().position(|other| other == owner)));
            assert_eq!((all.len(), ring.pop()), (total, None));
        }
    }

    #[test]
    fn one_vm_more_than_there_can_be_changes_nothing() {
        let mut ring = Ring::new();
        (0..=MAX_VMS).for_each(|_| ring.grow());
        assert_eq!((ring.count, ring.capacity()), (MAX_VMS, FIRST + PART * MAX_VMS));
    }

    #[test]
    fn it_is_a_queue_whatever_is_put_in() {
        let mut random = Rng::with_seed(7);
        let mut ring = Ring::new();
        let mut model = std::collections::VecDeque::new();
        for step in 0..if cfg!(miri) { 50 } else { 20_000 } {
            if step % 500 == 7 {
                ring.grow();
            }
            let owner = random.usize(..OWNERS) as u8;
            let text: Vec<u8> = (0..random.usize(..300)).map(|_| random.usize(..256) as u8).collect();
            let is_there = usize::from(owner) < ring.count
                || matches!(owner, HYPERVISOR | RESETS)
                || owner > RESETS && usize::from(owner - RESETS - 1) < ring.count;
            if is_there {
                let fits = text.len().min(ring.room(owner));
                ring.append(owner, &text);
                model.extend(text.iter().take(fits).map(|&byte| (owner, byte)));
            }
            for _ in 0..random.usize(..200) {
                assert_eq!(ring.pop(), model.pop_front());
            }
        }
        assert_eq!(ring.len, model.len());
    }
}
