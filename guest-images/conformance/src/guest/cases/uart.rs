//! The PL011 (Arm DDI 0183).

use conformance::profile::Profile;
use guest_runtime::console::{self, DR, FR, FR_BUSY, FR_TXFF};
use guest_runtime::{counter, cpu, gic, mmio};
use portcullis_abi::map::{UART, UART_INTID};

use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::report;

const LCR_H: u64 = UART + 0x2c;
const IMSC: u64 = UART + 0x38;
const RIS: u64 = UART + 0x3c;
const MIS: u64 = UART + 0x40;
const ICR: u64 = UART + 0x44;
/// Peripheral and PrimeCell identification, a byte in each of eight words.
const IDENTIFICATION: u64 = UART + 0xfe0;
/// Flag: transmit FIFO empty.
const FR_TXFE: u32 = 1 << 7;
/// Interrupt: transmit.
const TX: u32 = 1 << 5;
/// Line control: 8 bits, without and with the FIFOs.
const LINE: u32 = 0b11 << 5;
const FIFOS: u32 = 1 << 4;

/// The cases.
pub fn run(profile: &Profile) {
    console::drain();
    let flags = mmio::read32(FR);
    let idle = flags & (FR_TXFE | FR_TXFF | FR_BUSY) == FR_TXFE;
    report::holds(format_args!("uart/idle flags"), idle, "transmit FIFO empty, not full, not busy", &flags);
    let mut identification = [0; 8];
    for (number, byte) in identification.iter_mut().enumerate() {
        *byte = mmio::read32(IDENTIFICATION + 4 * number as u64);
    }
    let expected = [0x11, 0x10, identification[2] & 0xf0 | 0x4, 0, 0x0d, 0xf0, 0x05, 0xb1];
    report::equal(format_args!("uart/identification"), expected, identification);
    mmio::write32(LCR_H, LINE | FIFOS);
    report::equal(format_args!("uart/line control"), LINE | FIFOS, mmio::read32(LCR_H));
    for mask in [0x7ff, 0x20, 0] {
        mmio::write32(IMSC, mask);
        report::equal(format_args!("uart/interrupt mask {mask:#x}"), mask, mmio::read32(IMSC));
    }
    transmit(profile);
}

/// A sent character raises the transmit interrupt; the mask decides whether it gets out.
fn transmit(profile: &Profile) {
    mmio::write32(LCR_H, LINE);
    mmio::write32(ICR, 0x7ff);
    send();
    let raised = counter::wait_until(PATIENCE, || mmio::read32(RIS) & TX != 0);
    let masked = mmio::read32(MIS) & TX;
    mmio::write32(ICR, TX);
    let cleared = mmio::read32(RIS) & TX;
    report::equal(format_args!("uart/transmit raised, masked, cleared"), (true, 0, 0), (raised, masked, cleared));
    if profile.gic {
        interrupts::clear();
        gic::set_edge(UART_INTID, false);
        gic::route(UART_INTID, 0);
        gic::enable(UART_INTID);
        mmio::write32(IMSC, TX);
        send();
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, UART_INTID) > 0));
        mmio::write32(IMSC, 0);
        let got = (interrupts::total(), interrupts::count(0, UART_INTID));
        gic::disable(UART_INTID);
        report::equal(format_args!("uart/transmit interrupt"), (1, 1), got);
    }
    mmio::write32(LCR_H, LINE | FIFOS);
}

/// Sends an end of line.
fn send() {
    while mmio::read32(FR) & FR_TXFF != 0 {}
    mmio::write32(DR, u32::from(b'\n'));
}
