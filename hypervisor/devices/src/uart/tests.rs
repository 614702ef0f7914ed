//! The UART against sequences of Linux's amba-pl011 driver, and against hostile register traffic.

mod receive;
mod transmit;

use super::Pl011;
use super::registers::*;

fn drain(uart: &mut Pl011) -> Vec<u8> {
    core::iter::from_fn(|| uart.transmitted()).collect()
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
    for offset in (0..0x2000).step_by(if cfg!(miri) { 509 } else { 1 }).chain([u64::MAX, u64::MAX - 3, 1 << 32]) {
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
