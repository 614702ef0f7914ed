//! The controller against Linux's gpio-pl061 driver, against the manual's rules, and against hostile register traffic.

use portcullis_abi::state;

use super::{Pl061, registers::*};
use crate::Unfit;

/// The data register of these lines.
const fn data(lines: u8) -> u64 {
    DATA + ((lines as u64) << 2)
}

#[test]
fn identification_matches_the_amba_driver() {
    let gpio = Pl061::new(0);
    let word = |base: u64| (0..4).fold(0, |word, i| word | gpio.read(base + i * 4) << (8 * i));
    assert_eq!(word(0xff0), 0xb105_f00d);
    assert_eq!(word(0xfe0), 0x0004_1061, "id of the Linux driver, and of QEMU virt");
}

#[test]
fn a_line_is_driven_as_pl061_direction_output_does() {
    let mut gpio = Pl061::new(0b0101);
    // The value first, which is not taken, the direction, and the value once more.
    gpio.write(data(1), 1);
    assert_eq!(gpio.outputs(), 0);
    gpio.write(DIR, 0b1);
    gpio.write(data(1), 1);
    assert_eq!((gpio.outputs(), gpio.read(data(1)), gpio.read(data(0xff)), gpio.read(data(0xfe))), (1, 1, 1, 0));
    gpio.write(data(0b100), 0xff);
    assert_eq!(gpio.outputs(), 1, "that line is no output yet");
    gpio.write(DIR, 0xff);
    gpio.write(data(0xff), 0xff);
    assert_eq!((gpio.outputs(), gpio.read(data(0xff))), (0b0101, 0b0101), "others are driven from elsewhere");
    gpio.write(DIR, 0);
    assert_eq!(gpio.outputs(), 0b0101, "the wiring decides who drives");
    gpio.reset();
    assert_eq!((gpio.outputs(), gpio.read(DIR)), (0, 0));
}

#[test]
fn edges_are_those_that_the_guest_asks_for() {
    for (both, event, rising, falling) in
        [(0, 0, false, true), (0, 2, true, false), (2, 0, true, true), (2, 2, true, true)]
    {
        let mut gpio = Pl061::new(1);
        gpio.write(IBE, both);
        gpio.write(IEV, event);
        gpio.write(IE, 2);
        for (level, expected) in [(2, rising), (2, false), (0, falling), (0, false)] {
            gpio.set_inputs(level);
            assert_eq!(gpio.irq_level(), expected, "both {both} event {event} level {level}");
            assert_eq!((gpio.read(RIS), gpio.read(MIS)), (u32::from(expected) * 2, u32::from(expected) * 2));
            gpio.write(IC, 0xfd);
            assert_eq!(gpio.irq_level(), expected);
            gpio.write(IC, 2);
            assert!(!gpio.irq_level());
        }
    }
}

#[test]
fn edges_before_they_are_cleared_are_one_and_wait_for_the_mask() {
    let mut gpio = Pl061::new(0);
    gpio.write(IEV, 0x80);
    for level in [0x80, 0, 0x80, 0] {
        gpio.set_inputs(level);
    }
    assert_eq!((gpio.read(RIS), gpio.read(MIS), gpio.irq_level()), (0x80, 0, false));
    gpio.write(IE, 0x80);
    assert!(gpio.irq_level());
    gpio.write(IC, 0x80);
    assert!(!gpio.irq_level());
}

#[test]
fn levels_interrupt_for_as_long_as_they_last() {
    let mut gpio = Pl061::new(0);
    gpio.write(IS, 3);
    gpio.write(IEV, 1);
    gpio.write(IE, 3);
    assert_eq!(gpio.read(MIS), 2, "one is high-active, the other is low");
    gpio.set_inputs(3);
    assert_eq!(gpio.read(MIS), 1);
    gpio.write(IC, 3);
    assert_eq!((gpio.read(MIS), gpio.irq_level()), (1, true), "only the level ends it");
    gpio.set_inputs(2);
    assert_eq!((gpio.read(MIS), gpio.irq_level()), (0, false));
    gpio.write(IS, 0);
    assert_eq!(gpio.read(RIS), 0, "a level was no edge");
}

#[test]
fn what_it_drives_interrupts_nobody() {
    let mut gpio = Pl061::new(0xff);
    for (register, value) in [(DIR, 0xff), (IBE, 0xff), (IE, 0xff), (IS, 0xf0)] {
        gpio.write(register, value);
    }
    gpio.write(data(0xff), 0xff);
    gpio.set_inputs(0xff);
    gpio.write(data(0xff), 0);
    assert_eq!((gpio.read(RIS), gpio.read(data(0xff))), (0, 0));
}

#[test]
fn unknown_unaligned_and_read_only_offsets() {
    let mut gpio = Pl061::new(0x0f);
    gpio.set_inputs(0x50);
    let before = gpio.clone();
    for offset in (0..0x2000).step_by(if cfg!(miri) { 509 } else { 1 }).chain([u64::MAX, u64::MAX - 3, 1 << 32]) {
        let known = offset < DIR && offset % 4 == 0 || [DIR, IS, IBE, IEV, IE, IC, AFSEL].contains(&offset);
        if !known {
            gpio.write(offset, 0xff);
            assert_eq!(gpio, before, "{offset:#x}");
        }
        let shown = offset < DIR && offset % 4 == 0 || offset >= ID && offset % 4 == 0 && offset < 0x1000;
        assert!(shown || gpio.read(offset) == 0, "{offset:#x}");
    }
    gpio.write(AFSEL, 0x1ff);
    assert_eq!(gpio.read(AFSEL), 0xff, "eight lines");
}

/// A controller after hostile traffic from a seed.
fn used(mut seed: u64) -> Pl061 {
    let mut gpio = Pl061::new(0x0f);
    seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..200 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        match seed % 4 {
            0 => _ = gpio.set_inputs((seed >> 32) as u8),
            1 => gpio.write((seed >> 8) & 0x3fc, (seed >> 32) as u32),
            _ => gpio.write(DIR + (seed >> 8) % 9 * 4, (seed >> 32) as u32),
        }
        assert_eq!(gpio.irq_level(), gpio.read(MIS) != 0);
        assert_eq!(gpio.outputs() & !0x0f, 0);
        assert_eq!(gpio.read(RIS) & 0x0f, 0);
    }
    gpio
}

#[test]
fn what_was_saved_goes_on_as_before() {
    for seed in 0..if cfg!(miri) { 3 } else { 1000 } {
        let gpio = used(seed);
        let mut restored = Pl061::new(0x0f);
        assert_eq!(restored.restore(&gpio.save()), Ok(()));
        assert_eq!(restored, gpio);
    }
}

#[test]
fn a_state_that_no_controller_has_is_refused_and_changes_nothing() {
    let good = Pl061::new(0x0f).save();
    let mut gpio = used(5);
    let before = gpio.clone();
    for damaged in [
        state::Pl061 { version: 2, ..good },
        state::Pl061 { direction: 0x100, ..good },
        state::Pl061 { sense: 0x100, ..good },
        state::Pl061 { both: 0x100, ..good },
        state::Pl061 { event: 0x100, ..good },
        state::Pl061 { mask: 0x100, ..good },
        state::Pl061 { alternate: 0x100, ..good },
        state::Pl061 { data: 0x100, ..good },
        state::Pl061 { edges: 0x100, ..good },
        state::Pl061 { inputs: 0x100, ..good },
        state::Pl061 { edges: 0x10, sense: 0x10, ..good },
    ] {
        assert!(gpio.restore(&damaged).is_err(), "{damaged:?}");
        assert_eq!(gpio, before);
    }
    let driven = state::Pl061 { inputs: 1, ..good };
    assert_eq!(gpio.restore(&driven), Err(Unfit::Absent("GPIO inputs")), "an output here");
}
