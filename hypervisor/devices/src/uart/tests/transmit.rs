//! What goes out, and its interrupt.

use super::*;

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
