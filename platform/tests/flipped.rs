//! Device trees one number of which is another one, each number in turn: what is read of them is used as far as a host can, and
//! nothing panics, whatever it says.

use portcullis_board::{Range, Regions};
use portcullis_platform::assemble::{firmware_memory, is_taken, ranges};
use portcullis_platform::console::{Hardware, Ports, choose, status_register};
use portcullis_platform::driver::DrivenDevice;
use portcullis_platform::facts::{Facts, Gic};

const VIRT_V3: &[u8] = include_bytes!("data/qemu-virt-gicv3.dtb");
const VIRT_V2: &[u8] = include_bytes!("data/qemu-virt-gicv2.dtb");
const PI_4: &[u8] = include_bytes!("data/raspberry-pi-4.dtb");

/// A board on which the second serial port is there alone.
struct Second;

impl Hardware for Second {
    fn wired(&self, _facts: &Facts, told: u64) -> Option<u64> {
        Some(told ^ 0x1_4040)
    }
    fn answers(&self, port: &DrivenDevice) -> bool {
        status_register(port).is_some_and(|address| address % 8 == 0)
    }
}

/// Does with a tree what the boot does, as far as no hardware is asked. Whether it is understood.
fn boots(tree: &[u8]) -> bool {
    let mut names = 0;
    let mut ports = Ports::default();
    let mut facts = match Facts::read(tree, |failed| names = failed.len(), |port| _ = ports.push(Some(port))) {
        Ok(facts) => facts,
        Err(error) => {
            assert!(names <= 4 && !error.to_string().is_empty());
            return false;
        }
    };
    if let Err(error) = facts.timer.check(62_500_000) {
        assert!(!error.to_string().is_empty());
    }
    if let Err(error) = choose(&mut facts, &ports, None, &Second) {
        assert!(!error.to_string().is_empty());
    }
    _ = facts.left_out.to_string();
    let mut free = Regions::new();
    facts.memory.iter().for_each(|memory| _ = free.add(*memory));
    for range in facts.reserved.iter().chain(&facts.bundle).chain(firmware_memory(&facts)) {
        _ = free.remove(Range { start: range.start & !0xfff, end: range.end.saturating_add(0xfff) & !0xfff });
    }
    for range in ranges(&facts) {
        assert!(is_taken(&facts, &range) || range.size() == 0, "{range:x?}");
    }
    if let Gic::V3 { redistributors, .. } = &facts.gic {
        assert!(!redistributors.is_empty());
    }
    true
}

/// What the values of a number become: its lowest and highest bit the other way round, all of them, none, and every one set.
fn others(value: u32) -> impl Iterator<Item = u32> {
    [value ^ 1, value ^ 1 << 31, value ^ 0x1000, !value, 0, u32::MAX].into_iter().filter(move |other| *other != value)
}

fn flip(tree: &[u8]) {
    assert!(boots(tree));
    let mut understood = 0;
    // Under Miri each takes a second.
    let step = if cfg!(miri) { (tree.len() / 16) & !3 } else { 4 };
    for at in (0..tree.len() & !3).step_by(step) {
        let mut tree = tree.to_vec();
        let value = u32::from_be_bytes(*tree[at..].first_chunk().unwrap());
        for other in others(value) {
            *tree[at..].first_chunk_mut().unwrap() = other.to_be_bytes();
            understood += usize::from(boots(&tree));
        }
    }
    // Most numbers are nobody's business here.
    assert!(cfg!(miri) || understood > tree.len() / 4, "{understood}");
}

#[test]
fn qemu_virt_with_gicv3() {
    flip(VIRT_V3);
}

#[test]
fn qemu_virt_with_gicv2() {
    flip(VIRT_V2);
}

#[test]
fn raspberry_pi_4() {
    flip(PI_4);
}
