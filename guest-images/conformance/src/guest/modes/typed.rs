//! Input by interrupt (Arm DDI 0183): nothing of what is typed is lost, whatever this guest does meanwhile.
//!
//! The text is numbered lines of eight bytes: seven digits and an end of line. So each byte tells where it belongs.

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

use conformance::profile::{Order, Profile};
use guest_runtime::console::{self, DR, FR};
use guest_runtime::{counter, cpu, gic, mmio};
use portcullis_abi::map::{TIMER_VIRTUAL_INTID as TIMER, UART, UART_INTID};
use spin::Once;

use crate::guest::{interrupts, report};

const LCR_H: u64 = UART + 0x2c;
const CR: u64 = UART + 0x30;
const IMSC: u64 = UART + 0x38;
const ICR: u64 = UART + 0x44;
/// Flag: receive FIFO empty.
const FR_RXFE: u32 = 1 << 4;
/// Data: overrun error.
const DR_OE: u32 = 1 << 11;
/// Interrupts: receive, and receive timeout.
const RECEIVE: u32 = 1 << 4 | 1 << 6;
/// Line control: 8 bits, without and with the FIFOs.
const LINE: u32 = 0b11 << 5;
const FIFOS: u32 = 1 << 4;
/// Control: UART, transmitter and receiver enabled.
const ENABLED: u32 = 0x301;

/// Bytes of a line of the text.
const LINE_LENGTH: u64 = 8;
/// Work with one byte, in microseconds, and between draining and clearing.
const WORK: u64 = 100;
const LONG_WORK: u64 = 10_000;
/// A look at what has come, in microseconds.
const NAP: u64 = 50_000;
/// Nothing comes any more after so long, in microseconds: the machine's keyboard may be slow.
const PATIENCE: u64 = 60_000_000;
/// Nothing may come for so long after the last byte, in microseconds. Whoever types turns to another VM meanwhile.
const QUIET: u64 = 3_000_000;

static ORDER: Once<Order> = Once::new();
static RECEIVED: AtomicU64 = AtomicU64::new(0);
static OVERRUNS: AtomicU64 = AtomicU64::new(0);
/// Number of the first byte that is not the one expected there, counted from 1.
static FIRST_WRONG: AtomicU64 = AtomicU64::new(0);

/// Reads the text, and compares it.
pub fn run(profile: &Profile) {
    counter::delay(profile.pause);
    ORDER.call_once(|| profile.order);
    interrupts::set_uart_reader(handle);
    gic::set_edge(UART_INTID, false);
    gic::route(UART_INTID, 0);
    gic::enable(UART_INTID);
    gic::enable(TIMER);
    listen();
    console::line(format_args!("typed: ready"));

    wait_for(profile.bytes / 2);
    console::line(format_args!("typed: half"));
    wait_for(profile.bytes);
    let end = counter::virtual_count() + counter::ticks(QUIET);
    while counter::virtual_count() < end {
        nap();
    }
    mmio::write32(IMSC, 0);
    counter::set_control(0);
    report::equal(format_args!("typed/bytes"), profile.bytes, RECEIVED.load(SeqCst));
    report::equal(format_args!("typed/first wrong byte"), 0, FIRST_WRONG.load(SeqCst));
    report::equal(format_args!("typed/overruns"), 0, OVERRUNS.load(SeqCst));
}

/// Has the UART raise its interrupt for what is typed, as drivers do when they begin: off, without FIFOs, with them, on.
pub fn listen() {
    console::drain();
    mmio::write32(CR, 0);
    mmio::write32(LCR_H, LINE);
    mmio::write32(LCR_H, LINE | FIFOS);
    mmio::write32(CR, ENABLED);
    mmio::write32(ICR, 0x7ff);
    mmio::write32(IMSC, RECEIVE);
}

/// Takes a byte, if one has come, and has the UART be silent again.
pub fn taken() -> Option<u8> {
    mmio::write32(IMSC, 0);
    (mmio::read32(FR) & FR_RXFE == 0).then(|| mmio::read32(DR) as u8)
}

/// Waits until so many bytes have come, or none comes any more.
fn wait_for(bytes: u64) {
    let mut before = (RECEIVED.load(SeqCst), counter::virtual_count());
    while RECEIVED.load(SeqCst) < bytes {
        nap();
        let now = counter::virtual_count();
        if RECEIVED.load(SeqCst) != before.0 {
            before = (RECEIVED.load(SeqCst), now);
        } else if counter::microseconds(now - before.1) > PATIENCE {
            return;
        }
    }
}

/// Waits for the next interrupt, the timer's at the latest, and takes it.
fn nap() {
    counter::arm(counter::ticks(NAP), counter::CONTROL_ENABLE);
    cpu::wait_for_interrupt();
    cpu::with_interrupts(|| {});
}

/// The UART's interrupt.
fn handle() {
    match ORDER.get() {
        Some(Order::One) => {
            take();
            counter::delay(WORK);
        }
        Some(Order::DrainAndClear) => {
            while take() {}
            counter::delay(LONG_WORK);
            mmio::write32(ICR, RECEIVE);
        }
        _ => {
            mmio::write32(ICR, RECEIVE);
            while take() {}
        }
    }
}

/// Takes a byte, if there is one.
fn take() -> bool {
    if mmio::read32(FR) & FR_RXFE != 0 {
        return false;
    }
    let data = mmio::read32(DR);
    let number = RECEIVED.fetch_add(1, SeqCst);
    if data & DR_OE != 0 {
        OVERRUNS.fetch_add(1, SeqCst);
    }
    if data as u8 != expected(number) && FIRST_WRONG.load(SeqCst) == 0 {
        FIRST_WRONG.store(number + 1, SeqCst);
    }
    true
}

/// Byte `number` of the text.
fn expected(number: u64) -> u8 {
    match (number % LINE_LENGTH) as u32 {
        7 => b'\n',
        digit => b'0' + (number / LINE_LENGTH / 10_u64.pow(6 - digit) % 10) as u8,
    }
}
