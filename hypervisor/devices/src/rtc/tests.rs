//! The clock against Linux's rtc-pl031 driver, against the datasheet's rules, and against hostile register traffic.

use portcullis_abi::state;

use super::{Pl031, registers::*};
use crate::{Device, Unfit};

/// A Sunday in 2026.
const NOW: u32 = 1_795_970_000;

#[test]
fn identification_matches_the_amba_driver() {
    let mut clock = Pl031::new();
    let mut word = |base: u64| (0..4).fold(0, |word, i| word | clock.read(NOW, base + i * 4) << (8 * i));
    assert_eq!(word(0xff0), 0xb105_f00d);
    assert_eq!(word(0xfe0) & 0x000f_ffff, 0x0004_1031, "id and mask of the Linux driver");
    assert_eq!(word(0xfe0), 0x0014_1031, "as on QEMU virt");
}

#[test]
fn shows_the_time_of_day_and_runs() {
    let mut clock = Pl031::new();
    assert_eq!((clock.read(NOW, DR), clock.read(NOW + 7, DR), clock.read(NOW, CR)), (NOW, NOW + 7, 1));
    clock.write(NOW, CR, 0);
    assert_eq!((clock.read(NOW + 8, DR), clock.read(NOW, CR)), (NOW + 8, 1), "it cannot be stopped");
    assert_eq!(clock.read(u32::MAX, DR).wrapping_add(1), clock.read(0, DR), "in 2106 it begins anew");
}

#[test]
fn what_the_guest_sets_stays_its_own() {
    let mut clock = Pl031::new();
    clock.write(NOW, LR, 1000);
    assert_eq!((clock.read(NOW, DR), clock.read(NOW + 5, DR), clock.read(NOW + 5, LR)), (1000, 1005, 1000));
    clock.write(NOW + 5, IMSC, 1);
    clock.write(NOW + 5, MR, 1006);
    clock.look(NOW + 6);
    assert!(clock.irq_level());
    clock.reset();
    let registers = [DR, LR, MR, IMSC, RIS, MIS].map(|register| clock.read(NOW + 9, register));
    assert_eq!(registers, [1009, 1000, 0, 0, 0, 0], "a reset leaves the clock as it was set, and no alarm");
}

/// pl031_set_alarm, pl031_alarm_irq_enable and pl031_interrupt of Linux 6.12.
#[test]
fn an_alarm_goes_off_when_its_second_comes() {
    let mut clock = Pl031::new();
    clock.write(NOW, MR, NOW + 3);
    assert_eq!(clock.due(NOW), None, "nobody is to be told");
    clock.write(NOW, IMSC, 1);
    assert_eq!((clock.due(NOW), clock.due(NOW + 1)), (Some(3), Some(2)));
    clock.look(NOW + 2);
    assert_eq!((clock.irq_level(), clock.read(NOW + 2, RIS)), (false, 0));
    clock.look(NOW + 3);
    assert_eq!((clock.irq_level(), clock.due(NOW + 3)), (true, None));
    assert_eq!((clock.read(NOW + 3, RIS), clock.read(NOW + 3, MIS)), (1, 1));
    clock.write(NOW + 3, ICR, 0);
    assert!(clock.irq_level());
    clock.write(NOW + 3, ICR, 1);
    assert_eq!((clock.irq_level(), clock.read(NOW + 60, RIS)), (false, 0), "once");
}

#[test]
fn a_masked_alarm_is_seen_by_who_asks() {
    let mut clock = Pl031::new();
    clock.write(NOW, MR, NOW + 3);
    assert_eq!((clock.read(NOW + 2, RIS), clock.read(NOW + 90, RIS), clock.read(NOW + 90, MIS)), (0, 1, 0));
    clock.write(NOW + 90, IMSC, 1);
    assert!(clock.irq_level());
}

#[test]
fn a_missed_second_does_not_lose_the_alarm() {
    let mut clock = Pl031::new();
    clock.write(NOW, IMSC, 1);
    clock.write(NOW, MR, NOW + 3);
    clock.look(NOW + 100_000);
    assert!(clock.irq_level());
}

#[test]
fn now_is_at_once_and_the_past_is_not() {
    let mut clock = Pl031::new();
    clock.write(NOW, IMSC, 1);
    clock.write(NOW, MR, NOW - 1);
    assert_eq!((clock.irq_level(), clock.due(NOW)), (false, None));
    clock.write(NOW, MR, NOW);
    assert!(clock.irq_level());
    clock.write(NOW, ICR, 1);
    clock.write(NOW, MR, 5);
    clock.write(NOW, LR, 5);
    assert!(clock.irq_level(), "what is loaded is what was to come");
}

#[test]
fn a_clock_that_is_set_back_comes_by_again() {
    let mut clock = Pl031::new();
    clock.write(NOW, IMSC, 1);
    clock.write(NOW, MR, NOW + 3);
    clock.look(NOW + 3);
    clock.write(NOW + 3, ICR, 1);
    clock.look(NOW - 10);
    assert_eq!(clock.due(NOW - 10), Some(13), "the owner of the board has set the time back");
    clock.look(NOW + 3);
    assert!(clock.irq_level());
}

#[test]
fn unknown_unaligned_and_read_only_offsets() {
    let mut clock = Pl031::new();
    for offset in (0..0x2000).step_by(if cfg!(miri) { 509 } else { 1 }).chain([u64::MAX, u64::MAX - 3, 1 << 32]) {
        if ![MR, LR, IMSC, ICR].contains(&offset) {
            clock.write(NOW, offset, u32::MAX);
            assert_eq!(clock, Pl031::new(), "write at {offset:#x}");
        }
        let known = [DR, CR].contains(&offset) || (ID..=0xffc).contains(&offset) && offset % 4 == 0;
        assert!(known || clock.read(NOW, offset) == 0, "read at {offset:#x}");
    }
}

/// A second opinion: a clock that counts second by second, as the hardware does, and compares at each.
#[derive(Default)]
struct Counter {
    shown: u32,
    alarm: u32,
    enabled: bool,
    raised: bool,
}

#[test]
fn agrees_with_a_clock_that_counts() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for begin in [NOW, u32::MAX - 300, (1 << 31) - 300, 0] {
        let (mut clock, mut counter) = (Pl031::new(), Counter { shown: begin, ..Counter::default() });
        let mut now = begin;
        for _ in 0..if cfg!(miri) { 100 } else { 5000 } {
            for _ in 0..random(4) {
                let due = clock.due(now);
                now = now.wrapping_add(1);
                counter.shown = counter.shown.wrapping_add(1);
                counter.raised |= counter.shown == counter.alarm;
                // It looks when it said that it had to, and now and then.
                if due == Some(1) || random(8) == 0 {
                    clock.look(now);
                }
                assert_eq!(clock.irq_level(), counter.raised && counter.enabled, "at {now:#x}: {clock:?}");
            }
            let near = |at: u32, by: u64| at.wrapping_add(by as u32).wrapping_sub(3);
            match random(6) {
                0 => {
                    counter.alarm = near(counter.shown, random(12));
                    clock.write(now, MR, counter.alarm);
                    counter.raised |= counter.shown == counter.alarm;
                }
                1 => {
                    counter.shown = near(counter.shown, random(8));
                    clock.write(now, LR, counter.shown);
                    counter.raised |= counter.shown == counter.alarm;
                }
                2 => {
                    counter.enabled = random(4) != 0;
                    clock.write(now, IMSC, u32::from(counter.enabled));
                }
                3 => {
                    counter.raised = false;
                    clock.write(now, ICR, 1);
                }
                _ => assert_eq!((clock.read(now, DR), clock.read(now, RIS)), (counter.shown, counter.raised.into())),
            }
        }
    }
}

#[test]
fn what_was_saved_goes_on_as_before() {
    let mut clock = Pl031::new();
    clock.write(NOW, LR, 77);
    clock.write(NOW, MR, 80);
    clock.write(NOW, IMSC, 1);
    let mut restored = Pl031::new();
    restored.restore(&clock.save()).unwrap();
    assert_eq!(restored, clock);
    assert_eq!(restored.due(NOW), Some(3));
    let good = clock.save();
    let damaged = [
        (state::Pl031 { version: 0, ..good }, Unfit::Version { saved: 0, known: 1 }),
        (state::Pl031 { mask: 2, ..good }, Unfit::Value("RTCIMSC")),
        (state::Pl031 { raw: 2, ..good }, Unfit::Value("RTCRIS")),
        (state::Pl031 { ahead: 2, ..good }, Unfit::Value("the alarm's mark")),
    ];
    for (state, unfit) in damaged {
        assert_eq!((restored.restore(&state), &restored), (Err(unfit), &clock));
    }
}
