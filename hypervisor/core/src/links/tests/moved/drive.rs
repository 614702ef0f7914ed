//! A driver of a disk that has several requests under way, and what the disk holds.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::links::tests::disk::{IN, OK, OUT, header};
use crate::links::tests::guest::{Area, Guest, Random};
use crate::tests::rig::Rig;

/// Bytes of a sector.
const SECTOR: usize = 512;
/// Requests that are under way at the most.
const REQUESTS: usize = 5;

struct Request {
    kind: u32,
    sectors: Range<usize>,
    /// Where what is read is to be, and the status.
    room: Vec<u64>,
}

/// See the module.
pub struct Drive {
    guest: Guest,
    content: Vec<u8>,
    /// Those that are under way, by the head of their chains.
    requests: BTreeMap<u16, Request>,
    /// How many were made.
    made: usize,
    is_read_only: bool,
}

impl Drive {
    /// That of the disk in slot `slot` of a VM on the core of its number, which holds this.
    pub fn new(rig: &Rig, vm: usize, slot: usize, features: u64, content: Vec<u8>) -> Self {
        let place = slot as u64 - 4;
        let area =
            Area { rings: 0xb_0000 + 0x4000 * place, buffers: 0x10_0000 + 0x1_0000 * place, length: 0x400, count: 32 };
        let mut guest = Guest::new(vm, vm, slot).within(area);
        guest.begin(rig, features, &[128]);
        Self { guest, content, requests: BTreeMap::new(), made: 0, is_read_only: slot == 4 }
    }

    /// Makes a request of one or two sectors that no other one is about, and may notify.
    pub fn ask(&mut self, rig: &Rig, random: &mut Random) {
        if self.requests.len() == REQUESTS {
            return;
        }
        let count = 1 + random.below(2) as usize;
        let first = random.below((self.content.len() / SECTOR - count) as u64) as usize;
        let sectors = first..first + count;
        if self.requests.values().any(|other| other.sectors.start < sectors.end && sectors.start < other.sectors.end) {
            return;
        }
        self.made += 1;
        let bytes = sectors.start * SECTOR..sectors.end * SECTOR;
        let kind = if self.is_read_only || random.below(2) == 0 { IN } else { OUT };
        let head = self.guest.queues[0].free;
        let header = header(kind, first as u64);
        let room = if kind == OUT {
            let content = &mut self.content[bytes];
            (0..).zip(content.iter_mut()).for_each(|(at, byte): (usize, _)| *byte = (self.made + at / 3) as u8);
            self.guest.ask(rig, 0, &[&header, content], &[1])
        } else {
            self.guest.ask(rig, 0, &[&header], &[bytes.len() as u32, 1])
        };
        assert!(self.requests.insert(head, Request { kind, sectors, room }).is_none());
        if random.below(3) > 0 {
            self.notify(rig);
        }
    }

    pub fn notify(&self, rig: &Rig) {
        self.guest.notify(rig, 0);
    }

    /// Looks at what was answered: each request once, and well.
    pub fn look(&mut self, rig: &Rig) {
        for (head, written) in self.guest.used(rig, 0) {
            let Request { kind, sectors, room } = self.requests.remove(&head).expect("it is under way");
            let bytes = sectors.start * SECTOR..sectors.end * SECTOR;
            assert_eq!(self.guest.bytes(rig, *room.last().unwrap(), 1), [OK]);
            if kind == IN {
                assert_eq!(written as usize, bytes.len() + 1);
                assert!(self.guest.bytes(rig, room[0], bytes.len()) == self.content[bytes], "sectors {sectors:?}");
            }
        }
    }

    pub fn is_idle(&self) -> bool {
        self.requests.is_empty()
    }
}
