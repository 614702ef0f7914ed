//! What comes in, and its interrupts.

use super::*;

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
    for _ in 0..if cfg!(miri) { 1 } else { 300 } {
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
