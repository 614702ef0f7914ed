//! The UART against sequences of Linux's amba-pl011 driver, and against hostile register traffic.

use super::Pl011;
use super::registers::*;

fn drain(uart: &mut Pl011) -> Vec<u8> {
    core::iter::from_fn(|| uart.transmitted()).collect()
}

#[test]
fn identification_matches_the_amba_driver() {
    let mut uart = Pl011::new();
    let word = |uart: &mut Pl011, base: u64| (0..4).fold(0, |word, i| word | uart.read(base + i * 4) << (8 * i));
    assert_eq!(word(&mut uart, 0xff0), 0xb105_f00d);
    let periph = word(&mut uart, 0xfe0);
    assert_eq!(periph, 0x0034_1011);
    assert_eq!(periph & 0x000f_ffff, 0x0004_1011, "id and mask of the Linux driver");
    assert!(periph >> 20 & 0xf >= 3, "revision from which Linux takes FIFOs to be 32 deep");
}

#[test]
fn wakes_up_ready_to_send_and_receive() {
    let mut uart = Pl011::new();
    assert_eq!(
        uart.read(FR),
        FR::TXFE::SET.value | FR::RXFE::SET.value | FR::CTS::SET.value | FR::DSR::SET.value | FR::DCD::SET.value
    );
    assert_eq!(uart.read(CR), 0x301);
    let (ibrd, fbrd) = (uart.read(IBRD), uart.read(FBRD));
    assert_eq!(24_000_000 * 4 / (64 * ibrd + fbrd) / 1000, 115, "baud rate that Linux computes from a running UART");
    uart.write(DR, u32::from(b'x'));
    assert_eq!(drain(&mut uart), b"x");
    assert!(uart.receive(b'y'));
    assert_eq!(uart.read(DR), u32::from(b'y'));
}

#[test]
fn earlycon_and_console_write_poll_the_flags() {
    let mut uart = Pl011::new();
    let mut out = Vec::new();
    for &byte in b"Booting Linux\r\n" {
        assert_eq!(uart.read(FR) & FR::TXFF::SET.value, 0);
        uart.write(DR, u32::from(byte));
        assert_ne!(uart.read(FR) & FR::BUSY::SET.value, 0);
        out.extend(drain(&mut uart));
        assert_eq!(uart.read(FR) & FR::BUSY::SET.value, 0);
    }
    // pl011_console_write: CR is widened for the time of the write, then put back.
    let old = uart.read(CR);
    uart.write(CR, (old & !(1 << 15)) | CR::UARTEN::SET.value | CR::TXE::SET.value);
    uart.write(DR, u32::from(b'!'));
    out.extend(drain(&mut uart));
    uart.write(CR, old);
    assert_eq!(out, b"Booting Linux\r\n!");
}

/// pl011_startup of Linux 6.1 and 6.12.
fn startup(uart: &mut Pl011) {
    uart.write(
        ICR,
        INT::OE::SET.value | INT::BE::SET.value | 1 << 8 | 1 << 7 | INT::RT::SET.value | INT::RX::SET.value,
    );
    uart.write(IMSC, INT::RT::SET.value | INT::RX::SET.value);
    uart.write(IFLS, 0x12);
    uart.write(CR, CR::UARTEN::SET.value | CR::RXE::SET.value | CR::TXE::SET.value);
    uart.write(ICR, INT::RT::SET.value | INT::RX::SET.value);
    for _ in 0..64 {
        if uart.read(FR) & FR::RXFE::SET.value != 0 {
            break;
        }
        uart.read(DR);
    }
    uart.write(IMSC, INT::RT::SET.value | INT::RX::SET.value);
}

/// pl011_tx_chars: from the interrupt 16 characters are written without a look at TXFF.
fn tx_chars(uart: &mut Pl011, queue: &mut Vec<u8>, from_irq: bool) {
    let mut count = 16;
    while !queue.is_empty() {
        if from_irq && count == 0 || !from_irq && uart.read(FR) & FR::TXFF::SET.value != 0 {
            break;
        }
        count -= i32::from(from_irq);
        uart.write(DR, u32::from(queue.remove(0)));
    }
    let mask = uart.read(IMSC);
    uart.write(IMSC, if queue.is_empty() { mask & !INT::TX::SET.value } else { mask | INT::TX::SET.value });
}

#[test]
fn linux_sends_by_interrupt_over_a_slow_line() {
    let mut uart = Pl011::new();
    startup(&mut uart);
    let text: Vec<u8> = (0..1000u32).map(|i| (i % 95 + 32) as u8).collect();
    let (mut queue, mut out, mut interrupts) = (text.clone(), Vec::new(), 0);
    tx_chars(&mut uart, &mut queue, false);
    assert_eq!(queue.len(), 1000 - 32, "the FIFO took 32 characters");
    assert!(!uart.irq_level(), "no interrupt before the level has sunk to the trigger");
    for _ in 0..2000 {
        out.extend(uart.transmitted());
        if uart.irq_level() {
            assert_ne!(uart.read(RIS) & uart.read(IMSC) & INT::TX::SET.value, 0);
            interrupts += 1;
            tx_chars(&mut uart, &mut queue, true);
        }
    }
    assert_eq!(out, text);
    assert_eq!(interrupts, (1000 - 32_u32).div_ceil(16));
    assert!(!uart.irq_level());
}

#[test]
fn linux_sends_by_interrupt_over_an_instant_line() {
    let mut uart = Pl011::new();
    startup(&mut uart);
    let (mut queue, mut out) = (vec![b'a'; 500], Vec::new());
    tx_chars(&mut uart, &mut queue, false);
    for _ in 0..64 {
        out.extend(drain(&mut uart));
        if uart.irq_level() {
            tx_chars(&mut uart, &mut queue, true);
        }
    }
    assert_eq!(out, vec![b'a'; 500]);
}

#[test]
fn transmit_trigger_levels() {
    for (select, level) in [(0, 4), (1, 8), (2, 16), (3, 24), (4, 28), (7, 16)] {
        let mut uart = Pl011::new();
        uart.write(IFLS, select);
        for _ in 0..32 {
            uart.write(DR, 0x41);
        }
        assert_ne!(uart.read(FR) & FR::TXFF::SET.value, 0);
        let sent = (1..=32).find(|_| {
            uart.transmitted();
            uart.read(RIS) & INT::TX::SET.value != 0
        });
        assert_eq!(sent, Some(32 - level), "IFLS {select}");
        uart.write(ICR, INT::TX::SET.value);
        assert_eq!(uart.read(RIS) & INT::TX::SET.value, 0);
    }
}

#[test]
fn filling_past_the_trigger_ends_the_transmit_interrupt() {
    let mut uart = Pl011::new();
    uart.write(IMSC, INT::TX::SET.value);
    assert!(!uart.irq_level(), "nothing sent yet");
    uart.write(DR, 0x41);
    assert_eq!(uart.transmitted(), Some(0x41));
    assert!(uart.irq_level());
    for _ in 0..16 {
        uart.write(DR, 0x41);
        assert!(uart.irq_level());
    }
    uart.write(DR, 0x41);
    assert!(!uart.irq_level());
}

#[test]
fn receive_timeout_and_trigger() {
    let mut uart = Pl011::new();
    startup(&mut uart);
    assert!(uart.receive(b'a'));
    assert_eq!(uart.read(MIS), INT::RT::SET.value, "one character below the trigger is announced at once");
    for _ in 1..16 {
        uart.receive(b'a');
    }
    assert_ne!(uart.read(MIS) & INT::RX::SET.value, 0);
    uart.read(DR);
    assert_eq!(uart.read(MIS), INT::RT::SET.value, "below the trigger again, still not empty");
    for _ in 1..16 {
        assert!(uart.irq_level());
        uart.read(DR);
    }
    assert!(!uart.irq_level());
    assert_ne!(uart.read(FR) & FR::RXFE::SET.value, 0);
}

#[test]
fn overrun_is_reported_and_keeps_what_was_there() {
    let mut uart = Pl011::new();
    for byte in 0..32 {
        assert!(uart.can_receive());
        assert!(uart.receive(byte));
    }
    assert!(!uart.can_receive());
    assert_ne!(uart.read(FR) & FR::RXFF::SET.value, 0);
    assert!(!uart.receive(99));
    assert_eq!(uart.read(RSR), RSR::OE::SET.value);
    assert_ne!(uart.read(RIS) & INT::OE::SET.value, 0);
    assert_eq!(uart.read(DR), DR::OE::SET.value, "the first character, with the overrun mark");
    for byte in 1..32 {
        assert_eq!(uart.read(DR), byte);
    }
    assert_eq!(uart.read(RSR), RSR::OE::SET.value);
    uart.write(RSR, 0);
    assert_eq!(uart.read(RSR), 0);
    uart.write(ICR, INT::OE::SET.value);
    assert_eq!(uart.read(RIS), 0);
}

#[test]
fn character_mode_is_one_deep() {
    let mut uart = Pl011::new();
    uart.write(LCR_H, 0x60);
    assert!(uart.receive(1));
    assert_eq!(uart.read(RIS), INT::RX::SET.value);
    assert!(!uart.receive(2));
    assert_eq!(uart.read(DR) & 0xff, 1);
    assert_eq!(uart.read(RIS) & INT::RX::SET.value, 0);
    uart.write(DR, 7);
    assert_ne!(uart.read(FR) & FR::TXFF::SET.value, 0);
    uart.write(DR, 8);
    assert_eq!(drain(&mut uart), [7]);
    assert_ne!(uart.read(RIS) & INT::TX::SET.value, 0);
}

#[test]
fn enable_bits_hold_characters_back() {
    let mut uart = Pl011::new();
    for cr in [0, CR::UARTEN::SET.value, CR::TXE::SET.value] {
        uart.write(CR, cr);
        uart.write(DR, u32::from(b'h'));
        assert_eq!(uart.transmitted(), None);
        assert!(!uart.receive(b'x'));
    }
    assert_ne!(uart.read(FR) & FR::BUSY::SET.value, 0);
    uart.write(CR, CR::UARTEN::SET.value | CR::TXE::SET.value);
    assert_eq!(drain(&mut uart), b"hhh");
    assert_ne!(uart.read(FR) & FR::RXFE::SET.value, 0);
}

#[test]
fn loopback_of_characters_modem_lines_and_break() {
    let mut uart = Pl011::new();
    let base = CR::UARTEN::SET.value | CR::TXE::SET.value | CR::RXE::SET.value | CR::LBE::SET.value;
    uart.write(CR, base | CR::RTS::SET.value | CR::OUT2::SET.value);
    assert_eq!(uart.read(FR) & 0x107, FR::CTS::SET.value | FR::RI::SET.value);
    assert_eq!(uart.read(RIS), INT::RI::SET.value | INT::DSR::SET.value | INT::DCD::SET.value);
    uart.write(DR, 0x55);
    assert_eq!(uart.transmitted(), None);
    assert!(!uart.receive(1), "the line is cut off");
    assert_eq!(uart.read(DR), 0x55);
    uart.write(LCR_H, LCR_8N1_FIFO | LCR_H::BRK::SET.value);
    assert_ne!(uart.read(RIS) & INT::BE::SET.value, 0);
    assert_eq!(uart.read(DR), DR::BE::SET.value);
    assert_eq!(uart.read(RSR), RSR::BE::SET.value);
    uart.write(CR, CR::UARTEN::SET.value | CR::TXE::SET.value | CR::RXE::SET.value);
    assert!(uart.receive(1));
}

#[test]
fn reset_keeps_the_last_words() {
    let mut uart = Pl011::new();
    uart.write(IMSC, exists::INT);
    uart.receive(1);
    uart.write(DR, u32::from(b'!'));
    uart.reset();
    assert!(!uart.irq_level());
    assert_eq!((uart.read(IMSC), uart.read(FR) & FR::RXFE::SET.value), (0, FR::RXFE::SET.value));
    assert_eq!(drain(&mut uart), b"!");
}

#[test]
fn unknown_unaligned_and_read_only_offsets() {
    let mut uart = Pl011::new();
    let before = format!("{uart:?}");
    for offset in (0..0x2000).chain([u64::MAX, u64::MAX - 3, 1 << 32]) {
        let known = [DR, RSR, ILPR, IBRD, FBRD, LCR_H, CR, IFLS, IMSC, ICR, DMACR].contains(&offset);
        let readable = (FR..=MIS).contains(&offset) && offset % 4 == 0 || (ID..=0xffc).contains(&offset);
        if !known {
            uart.write(offset, u32::MAX);
            assert_eq!(format!("{uart:?}"), before, "write at {offset:#x}");
        }
        if !known && (!readable || offset % 4 != 0) {
            assert_eq!(uart.read(offset), 0, "read at {offset:#x}");
        }
    }
}

#[test]
fn hostile_traffic_keeps_the_flags_true() {
    let mut uart = Pl011::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..if cfg!(miri) { 2_000 } else { 300_000 } {
        let (kind, value) = (random() % 16, random() as u32);
        let offset = if kind == 0 { random() } else { random() % 0x13 * 4 };
        match kind % 5 {
            0 | 1 => uart.write(offset, value),
            2 => assert!(uart.read(offset) <= 0xffff),
            3 => _ = uart.receive(value as u8),
            _ => _ = uart.transmitted(),
        }
        let (can_receive, flags) = (uart.can_receive(), uart.read(FR));
        assert_eq!(flags & FR::TXFE::SET.value == 0, flags & FR::BUSY::SET.value != 0);
        assert_ne!(flags & (FR::TXFE::SET.value | FR::TXFF::SET.value), FR::TXFE::SET.value | FR::TXFF::SET.value);
        assert_ne!(flags & (FR::RXFE::SET.value | FR::RXFF::SET.value), FR::RXFE::SET.value | FR::RXFF::SET.value);
        assert!(!can_receive || flags & FR::RXFF::SET.value == 0);
        assert_eq!(uart.irq_level(), uart.read(MIS) != 0);
        let mut probe = uart.clone();
        if can_receive {
            assert!(probe.receive(1));
        }
    }
}

/// What a driver hears of: something is left to read, and an interrupt pends for it.
fn announces_what_it_holds(uart: &mut Pl011) {
    let waits = uart.read(FR) & FR::RXFE::SET.value == 0;
    assert_eq!(uart.read(RIS) & (INT::RX::SET.value | INT::RT::SET.value) != 0, waits, "{uart:?}");
}

#[test]
fn clearing_after_draining_does_not_silence_what_came_in_between() {
    let mut uart = Pl011::new();
    startup(&mut uart);
    for byte in 0..32 {
        assert!(uart.receive(byte));
    }
    while uart.read(FR) & FR::RXFE::SET.value == 0 {
        uart.read(DR);
    }
    assert!(uart.receive(b'a'));
    uart.write(ICR, INT::RX::SET.value | INT::RT::SET.value);
    assert_eq!(uart.read(MIS), INT::RT::SET.value, "one character, nothing after it");
    for byte in 1..32 {
        assert!(uart.receive(byte));
    }
    uart.write(ICR, exists::INT);
    assert_eq!(uart.read(MIS), INT::RX::SET.value | INT::RT::SET.value, "a full FIFO is above its trigger level");
    while uart.read(FR) & FR::RXFE::SET.value == 0 {
        uart.read(DR);
    }
    uart.write(ICR, INT::RX::SET.value | INT::RT::SET.value);
    assert!(!uart.irq_level());
    uart.write(LCR_H, LCR_8N1_FIFO & !LCR_H::FEN::SET.value);
    assert!(uart.receive(b'b'));
    uart.write(ICR, exists::INT);
    assert_eq!(uart.read(RIS), INT::RX::SET.value, "without FIFOs there is no timeout, the one character counts");
}

#[test]
fn what_else_icr_clears_is_an_event() {
    let mut uart = Pl011::new();
    uart.write(IMSC, exists::INT);
    uart.write(DR, 0x41);
    assert_eq!(uart.transmitted(), Some(0x41));
    assert_eq!(uart.read(RIS), INT::TX::SET.value);
    uart.write(ICR, INT::TX::SET.value);
    assert_eq!(uart.read(RIS), 0, "the FIFO is below its trigger level, and has not sunk to it since");
    for byte in 0..=32 {
        uart.receive(byte);
    }
    uart.write(ICR, INT::OE::SET.value);
    assert_eq!(uart.read(RIS), INT::RX::SET.value | INT::RT::SET.value);
    uart.write(CR, CR::UARTEN::SET.value | CR::TXE::SET.value | CR::RXE::SET.value | CR::LBE::SET.value);
    assert_ne!(uart.read(RIS) & (INT::CTS::SET.value | INT::DCD::SET.value | INT::DSR::SET.value), 0);
    uart.write(ICR, exists::INT);
    assert_eq!(uart.read(RIS), INT::RX::SET.value | INT::RT::SET.value);
}

#[test]
fn switching_the_fifos_keeps_what_was_typed() {
    let mut uart = Pl011::new();
    uart.write(CR, CR::UARTEN::SET.value | CR::TXE::SET.value | CR::RXE::SET.value | CR::LBE::SET.value);
    uart.write(DR, 0x55);
    uart.write(CR, CR::UARTEN::SET.value | CR::TXE::SET.value | CR::RXE::SET.value);
    for byte in b'a'..=b'e' {
        assert!(uart.receive(byte));
    }
    uart.write(LCR_H, LCR_8N1_FIFO & !LCR_H::FEN::SET.value);
    assert!(!uart.can_receive());
    assert_eq!(uart.read(RIS) & (INT::RX::SET.value | INT::RT::SET.value), INT::RX::SET.value);
    assert_eq!(uart.read(DR), u32::from(b'a'), "the guest's own character is gone");
    uart.write(LCR_H, LCR_8N1_FIFO);
    assert_eq!(uart.read(RIS) & (INT::RX::SET.value | INT::RT::SET.value), INT::RT::SET.value);
    for byte in b'b'..=b'e' {
        assert_eq!(uart.read(DR), u32::from(byte));
    }
    assert_eq!(uart.read(FR) & FR::RXFE::SET.value, FR::RXFE::SET.value);
}

#[test]
fn a_driver_hears_of_all_input_whatever_its_order() {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut below = |limit: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) % limit
    };
    for _ in 0..300 {
        let mut uart = Pl011::new();
        startup(&mut uart);
        let (mut sent, mut got) = (0u32, 0u32);
        let mut quiet = 0;
        while got < 500 && quiet < 10_000 {
            quiet += 1;
            // The line: characters come whenever there is room, in bursts.
            for _ in 0..below(40) {
                if sent < 500 && uart.can_receive() {
                    assert!(uart.receive(sent as u8));
                    sent += 1;
                }
            }
            announces_what_it_holds(&mut uart);
            // The driver does nothing unless it is interrupted, and then what it has to do in any order, and only in part.
            if !uart.irq_level() {
                continue;
            }
            for _ in 0..1 + below(4) {
                match below(6) {
                    0 | 1 => uart.write(
                        ICR,
                        [INT::RX::SET.value, INT::RT::SET.value, INT::RX::SET.value | INT::RT::SET.value, exists::INT]
                            [below(4) as usize],
                    ),
                    2 => uart.write(IFLS, below(64) as u32),
                    3 => uart.write(LCR_H, [LCR_8N1_FIFO, LCR_8N1_FIFO & !LCR_H::FEN::SET.value][below(2) as usize]),
                    _ => {
                        for _ in 0..below(40) {
                            if uart.read(FR) & FR::RXFE::SET.value != 0 {
                                break;
                            }
                            assert_eq!(uart.read(DR) as u8, got as u8);
                            (got, quiet) = (got + 1, 0);
                        }
                    }
                }
                announces_what_it_holds(&mut uart);
            }
        }
        assert_eq!(got, 500, "the driver waits, and {uart:?}");
    }
}
