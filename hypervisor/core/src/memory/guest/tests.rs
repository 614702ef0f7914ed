use alloc::vec::Vec;

use portcullis_arch::fake::{self, Event};
use portcullis_devices::Memory;
use portcullis_virtio::Shared;

use super::slots::OF_CORE;
use super::*;
use crate::memory::stage1;

/// The guest's address of its RAM.
pub const RAM: u64 = 0x4000_0000;

/// RAM of a VM, in whole blocks.
pub struct Ram {
    bytes: Vec<u8>,
    start: u64,
    size: usize,
}

impl Ram {
    pub fn blocks(count: usize) -> Self {
        let size = count * SLOT as usize;
        let mut bytes = vec![0u8; size + SLOT as usize];
        let start = (bytes.as_mut_ptr() as u64).next_multiple_of(SLOT);
        Self { bytes, start, size }
    }

    /// As core `core` reaches it; each test has a core of its own.
    pub fn on(&self, core: usize) -> GuestMemory {
        // SAFETY: it is this test's own, and the core's slots are used by its thread alone.
        unsafe { GuestMemory::new(core, RAM, Range::sized(self.start, self.size as u64)) }.unwrap()
    }

    /// Whether all of it is zero; Miri looks at some of it.
    fn is_zero(&mut self) -> bool {
        (0..self.size).step_by(if cfg!(miri) { 65_521 } else { 1 }).all(|offset| *self.byte(offset) == 0)
    }

    pub fn byte(&mut self, offset: usize) -> &mut u8 {
        let at = (self.start - self.bytes.as_ptr() as u64) as usize + offset;
        &mut self.bytes[at]
    }
}

/// Which blocks core `core` keeps.
fn kept(core: usize) -> [u64; OF_CORE] {
    let mut slots = slots::of(core);
    core::array::from_fn(|_| window::shown(slots.next().unwrap()))
}

#[test]
fn what_is_copied_out_is_copied_in_across_blocks() {
    let mut ram = Ram::blocks(3);
    let mut memory = ram.on(10);
    let bytes: Vec<u8> = (0..300u32).map(|n| (n * 7) as u8).collect();
    for address in [RAM, RAM + SLOT - 1, RAM + SLOT - 150, RAM + 3 * SLOT - 300, RAM + 4097] {
        memory.copy_out(address, &bytes).unwrap();
        let mut back = [0; 300];
        memory.copy_in(address, &mut back).unwrap();
        assert_eq!(back, *bytes);
        assert_eq!(*ram.byte((address - RAM) as usize + 299), bytes[299]);
        memory = ram.on(10);
    }
}

#[test]
fn bytes_are_set_and_bits_are_cleared_across_blocks() {
    let mut ram = Ram::blocks(2);
    let mut memory = ram.on(13);
    let edge = SLOT as usize;
    memory.fill(RAM + SLOT - 2, 4, 0xf5).unwrap();
    memory.mask(RAM + SLOT - 1, &[0x0f, 0xff]).unwrap();
    assert_eq!([-3, -2, -1, 0, 1, 2].map(|at| *ram.byte(edge.wrapping_add_signed(at))), [0, 0xf5, 0x05, 0xf5, 0xf5, 0]);
    assert_eq!(kept(13), [0; OF_CORE]);
    let refused = Err(OutOfReach { address: RAM + 2 * SLOT - 1, length: 2 });
    assert_eq!((memory.fill(RAM + 2 * SLOT - 1, 2, 1), memory.mask(RAM + 2 * SLOT - 1, &[0; 2])), (refused, refused));
}

#[test]
fn what_is_not_all_ram_is_refused_whole() {
    let mut ram = Ram::blocks(1);
    let mut memory = ram.on(11);
    let ends =
        [(RAM - 1, 2), (RAM + SLOT - 1, 2), (RAM + SLOT, 1), (0, 1), (u64::MAX, 1), (u64::MAX, 16), (RAM - 1, 0)];
    for (address, length) in ends {
        let refused = Err(OutOfReach { address, length });
        assert_eq!(memory.copy_out(address, &[0xff; 16][..length]), refused);
        assert_eq!(memory.copy_in(address, &mut [0; 16][..length]), refused);
        assert_eq!(memory.place(address, &[0xff; 16][..length]), refused);
        assert_eq!(memory.store(address, &[0xff; 16][..length]), refused);
        assert_eq!((memory.clear(address, length), memory.forget_cached(address, length)), (refused, refused));
    }
    assert_eq!((memory.peek(RAM - 8), memory.peek(RAM + SLOT)), (None, None));
    assert_eq!((memory.copy_out(RAM + SLOT, &[]), memory.copy_in(RAM, &mut [])), (Ok(()), Ok(())));
    assert_eq!(memory.clear(RAM, SLOT as usize + 1), Err(OutOfReach { address: RAM, length: SLOT as usize + 1 }));
    assert!(ram.is_zero(), "nothing was written");
    assert_eq!(kept(11), [0; OF_CORE], "nothing was mapped");
}

#[test]
fn a_core_keeps_the_blocks_that_it_had_to_show_last_and_tells_nobody() {
    let ram = Ram::blocks(OF_CORE + 2);
    let mut memory = ram.on(12);
    let block = |n: usize| stage1::block(ram.start + n as u64 * SLOT, Use::Data);
    let mut touch = |n: usize| memory.copy_in(RAM + n as u64 * SLOT, &mut [0]).unwrap();
    (0..OF_CORE).for_each(&mut touch);
    let mut all = kept(12);
    all.sort();
    assert_eq!(all, core::array::from_fn(block));
    fake::record();
    for n in (0..OF_CORE).chain([1, 1, 0, OF_CORE - 1, 0]) {
        touch(n);
    }
    assert_eq!(fake::recorded(), [], "what is kept costs nothing");
    touch(OF_CORE);
    assert!(kept(12).contains(&block(OF_CORE)));
    fake::record();
    touch(OF_CORE + 1);
    let events = fake::recorded();
    // The one that was asked for last stays, whoever's turn it is.
    assert!(kept(12).contains(&block(OF_CORE)) && kept(12).contains(&block(OF_CORE + 1)));
    assert!(
        events.iter().all(|event| !matches!(event, Event::Instruction(name) if name.contains("is"))
            || matches!(event, Event::Instruction("isb" | "dsb ishst"))),
        "{events:?}"
    );
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Maintain("tlbi vae2", ..))).count(), 1);
}

/// More blocks than a core has slots, of two VMs, whose places among what is remembered are the same: both ends of a copy are there
/// at once, whatever was there before.
#[test]
fn both_ends_of_a_copy_are_shown_at_once() {
    let (mut one, mut two) = (Ram::blocks(OF_CORE + 1), Ram::blocks(OF_CORE + 1));
    let (mut from, mut to) = (one.on(19), two.on(19));
    for round in 0..3 * OF_CORE {
        let [source, target] = [round * 5 % (OF_CORE + 1), round * 3 % (OF_CORE + 1)];
        let [source, target] = [source, target].map(|block| block * SLOT as usize + round);
        *one.byte(source) = round as u8 + 1;
        from.copy_across(RAM + source as u64, &mut to, RAM + target as u64, 1).unwrap();
        assert_eq!(*two.byte(target), round as u8 + 1);
        let shown = |ram: &Ram, at: usize| stage1::block(ram.start + (at as u64 & !(SLOT - 1)), Use::Data);
        assert!(kept(19).contains(&shown(&one, source)) && kept(19).contains(&shown(&two, target)), "{round}");
    }
}

/// What a core remembers of a slot does not count any more when that shows something else.
#[test]
fn what_is_remembered_counts_while_it_is_shown() {
    let (mut ram, other) = (Ram::blocks(1), Ram::blocks(OF_CORE));
    let (mut memory, mut others) = (ram.on(20), other.on(20));
    memory.store_u64(RAM + 8, 5).unwrap();
    (0..OF_CORE as u64).for_each(|n| others.copy_in(RAM + n * SLOT, &mut [0]).unwrap());
    assert!(!kept(20).contains(&stage1::block(ram.start, Use::Data)));
    assert_eq!((memory.load(RAM + 8), memory.load_pair(RAM), *ram.byte(8)), (Ok(5), Ok([0, 5]), 5));
    assert!(kept(20).contains(&stage1::block(ram.start, Use::Data)));
    memory.forget_shown();
    assert_eq!(memory.load_pair(RAM + 3), Ok([5 << 40, 0]), "at any address");
    assert!(kept(20).contains(&stage1::block(ram.start, Use::Data)));
}

#[test]
fn what_a_guest_has_with_its_caches_off_is_reached_past_them_and_stays_unmapped() {
    let mut ram = Ram::blocks(2);
    let mut memory = ram.on(13);
    *ram.byte(SLOT as usize) = 0x5a;
    fake::record();
    assert_eq!(memory.peek(RAM + SLOT + 3), Some(0x5a));
    let cleaned = Event::Maintain("dc civac", ram.start as usize + SLOT as usize, 8);
    let events = fake::recorded();
    assert_eq!(events.iter().filter(|event| **event == cleaned).count(), 1, "before it is read");
    let uncached = stage1::block(ram.start + SLOT, Use::Uncached);
    assert!(events.iter().all(|event| !matches!(event, Event::Map(_, shown) if ![0, uncached].contains(shown))));
    assert_eq!(kept(13), [0; OF_CORE]);

    memory.place(RAM + SLOT - 2, &[1, 2, 3, 4]).unwrap();
    let placed = [-2i64, -1, 0, 1].map(|offset| *ram.byte((SLOT as i64 + offset) as usize));
    assert_eq!((placed, kept(13)), ([1, 2, 3, 4], [0; OF_CORE]));

    fake::record();
    memory.clear(RAM + 8, 2 * SLOT as usize - 8).unwrap();
    let lengths: Vec<usize> = fake::recorded()
        .iter()
        .filter_map(|event| match event {
            Event::Maintain("dc civac", _, length) => Some(*length),
            _ => None,
        })
        .collect();
    assert_eq!(lengths, [SLOT as usize - 8, SLOT as usize], "block by block");
    assert!(ram.is_zero());
    assert_eq!(kept(13), [0; OF_CORE]);
}

/// A write-back alias beside the other one would let its lines into the caches again (Arm ARM, B2.16).
#[test]
fn a_block_is_shown_in_one_way_at_a_time_and_not_at_all_when_its_vm_leaves() {
    let (ram, other) = (Ram::blocks(2), Ram::blocks(1));
    let mut memory = ram.on(15);
    memory.copy_in(RAM, &mut [0]).unwrap();
    memory.copy_in(RAM + SLOT, &mut [0]).unwrap();
    fake::record();
    assert_eq!(memory.peek(RAM), Some(0));
    let shows = |event: &Event| match event {
        Event::Map(_, descriptor) => Some(*descriptor),
        _ => None,
    };
    let shown: Vec<u64> = fake::recorded().iter().filter_map(shows).collect();
    assert_eq!(shown, [0, stage1::block(ram.start, Use::Uncached), 0], "broken, made, broken");
    assert_eq!(kept(15).iter().sum::<u64>(), stage1::block(ram.start + SLOT, Use::Data), "the other one stays");
    other.on(15).copy_in(RAM, &mut [0]).unwrap();
    memory.forget_shown();
    assert_eq!(kept(15).iter().sum::<u64>(), stage1::block(other.start, Use::Data), "another VM's stays");
    other.on(15).forget_shown();
    assert_eq!(kept(15), [0; OF_CORE]);
}

#[test]
fn what_others_may_have_mapped_is_cleaned_behind_what_is_written() {
    let mut ram = Ram::blocks(1);
    fake::record();
    ram.on(16).store(RAM + 5, &[1, 2, 3]).unwrap();
    let at = ram.start as usize + 5;
    let touched = |event: &Event| matches!(event, Event::Store(..) | Event::Maintain("dc civac", ..));
    let events: Vec<Event> = fake::recorded().into_iter().filter(touched).collect();
    assert_eq!(events, [Event::Store(at, 3), Event::Maintain("dc civac", at, 3)]);
    assert_eq!(([5, 6, 7].map(|at| *ram.byte(at)), kept(16)), ([1, 2, 3], [0; OF_CORE]));
}

#[test]
fn random_copies_are_those_of_a_plain_array() {
    let ram = Ram::blocks(3);
    let mut memory = ram.on(14);
    let mut model = vec![0u8; ram.size];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % limit
    };
    for _ in 0..if cfg!(miri) { 20 } else { 2000 } {
        // Often across the end of a block, or of the RAM.
        let address = below(4) * SLOT as usize + below(200);
        let (address, length) = (address.saturating_sub(100), below(300));
        let inside = address + length <= ram.size;
        let bytes: Vec<u8> = (0..length).map(|_| below(256) as u8).collect();
        let (at, refused) = (RAM + address as u64, OutOfReach { address: RAM + address as u64, length });
        if below(2) == 0 {
            assert_eq!(memory.copy_out(at, &bytes), if inside { Ok(()) } else { Err(refused) });
            if inside {
                model[address..address + length].copy_from_slice(&bytes);
            }
        } else {
            let mut found = bytes.clone();
            assert_eq!(memory.copy_in(at, &mut found), if inside { Ok(()) } else { Err(refused) });
            assert_eq!(found, if inside { model[address..address + length].to_vec() } else { bytes });
        }
    }
}

#[test]
fn a_core_beyond_the_window_reaches_nothing() {
    // SAFETY: nothing is used.
    assert!(unsafe { GuestMemory::new(CORES, RAM, Range::sized(0, SLOT)) }.is_none());
    assert!(slots::of(CORES - 1).eq(window::SLOTS - OF_CORE..window::SLOTS));
}

/// What is held is reached to the same end as what is not, wherever it is; and whatever else a core has to show, it stays.
#[test]
fn what_is_held_is_as_what_is_not() {
    let (mut held, mut other, rings) = (Ram::blocks(3), Ram::blocks(3), RAM + SLOT + 64);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let (mut near, mut far) = (held.on(42), other.on(43));
    near.hold(Hold::First, rings);
    for round in 0..if cfg!(miri) { 40 } else { 4000_u64 } {
        // At the edges of blocks, in front of the RAM and behind it, and somewhere in the block that is held.
        let edge = (RAM + next(4) * SLOT).wrapping_add(next(96)).wrapping_sub(48);
        let address = if round % 3 == 0 { RAM + SLOT + next(SLOT) } else { edge };
        let length = next(70) as usize;
        match next(8) {
            0 => assert_eq!(near.load(address), far.load(address)),
            1 => assert_eq!(
                Shared::store(&mut near, address, round as u16),
                Shared::store(&mut far, address, round as u16)
            ),
            2 => assert_eq!(near.load_pair(address), far.load_pair(address)),
            3 => assert_eq!(near.load_three(address), far.load_three(address)),
            4 => assert_eq!(near.store_three(address, [round; 3]), far.store_three(address, [round; 3])),
            5 => assert_eq!(near.store_u64(address, round << 9), far.store_u64(address, round << 9)),
            6 => {
                let bytes = [round as u8; 70];
                assert_eq!(near.copy_out(address, &bytes[..length]), far.copy_out(address, &bytes[..length]));
            }
            _ => {
                let [mut one, mut two] = [[0; 70]; 2];
                let copied = (near.copy_in(address, &mut one[..length]), far.copy_in(address, &mut two[..length]));
                assert_eq!((copied.0, one), (copied.1, two));
            }
        }
        assert!(kept(42).iter().any(|shown| shown & slots::BLOCK == held.start + SLOT), "it stays");
    }
    assert!((SLOT as usize - 64..SLOT as usize + 256).all(|at| *held.byte(at) == *other.byte(at)));
}

#[test]
fn two_blocks_are_held_while_others_come_and_go_and_are_let_go_with_the_next_piece() {
    let (first, second, others) = (Ram::blocks(1), Ram::blocks(1), Ram::blocks(6));
    let (mut one, mut two, mut other) = (first.on(44), second.on(44), others.on(44));
    one.hold(Hold::First, RAM);
    two.hold(Hold::Second, RAM);
    let touch = |other: &mut GuestMemory| {
        for block in 0..6 {
            other.copy_in(RAM + block * SLOT, &mut [0; 8]).unwrap();
        }
        other.copy_in(RAM + SLOT - 4, &mut [0; 8]).unwrap();
    };
    let is_kept = |ram: &Ram| kept(44).iter().any(|shown| shown & slots::BLOCK == ram.start);
    touch(&mut other);
    assert!(is_kept(&first) && is_kept(&second));
    // Another piece has the one's place: the first is as any other, until it is held again.
    one.let_go();
    other.hold(Hold::First, RAM + 5 * SLOT);
    touch(&mut other);
    assert!(!is_kept(&first) && is_kept(&second));
    other.let_go();
    one.hold(Hold::First, RAM);
    touch(&mut other);
    assert!(is_kept(&first) && is_kept(&second) && one.load(RAM) == Ok(0));
    // What has no RAM is not held.
    two.hold(Hold::Second, RAM + SLOT);
    assert!(two.load(RAM + SLOT).is_err() && two.load(RAM) == Ok(0));
}
