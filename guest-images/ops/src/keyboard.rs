//! Bytes from the PL011 by interrupt (Arm DDI 0183), and waiting for them.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};

use guest_runtime::console::{DR, FR};
use guest_runtime::{counter, cpu, gic, mmio};
use ops_shell::editor::CANCEL;
use portcullis_abi::map::{TIMER_VIRTUAL_INTID, UART, UART_INTID};

/// Flag: receive FIFO empty.
const FR_RXFE: u32 = 1 << 4;
/// Interrupt mask set and clear register.
const IMSC: u64 = UART + 0x38;
/// Interrupt clear register.
const ICR: u64 = UART + 0x44;
/// Interrupts: receive, and receive timeout.
const RECEIVE: u32 = 1 << 4 | 1 << 6;
/// Bytes typed ahead that are kept here; a power of two. More of them stay in the UART, which does not interrupt meanwhile,
/// and before it: none is lost.
const CAPACITY: usize = 512;

static RING: [AtomicU8; CAPACITY] = [const { AtomicU8::new(0) }; CAPACITY];
/// Bytes put into the ring, by the interrupt handler only.
static PUT: AtomicUsize = AtomicUsize::new(0);
/// Bytes taken from it, by the shell only.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// The UART does not interrupt until there is room.
static HELD: AtomicBool = AtomicBool::new(false);
/// Ctrl-C came since this was last cleared.
static CANCELLED: AtomicBool = AtomicBool::new(false);

/// Lets the UART interrupt when it has received something.
pub fn init() {
    gic::set_edge(UART_INTID, false);
    gic::route(UART_INTID, 0);
    gic::enable(UART_INTID);
    gic::enable(TIMER_VIRTUAL_INTID);
    mmio::write32(IMSC, RECEIVE);
}

/// The interrupt handler.
pub fn handle(intid: u32) {
    match intid {
        UART_INTID => {
            mmio::write32(ICR, RECEIVE);
            while has_room() && mmio::read32(FR) & FR_RXFE == 0 {
                keep(mmio::read32(DR) as u8);
            }
            if !has_room() {
                mmio::write32(IMSC, 0);
                HELD.store(true, SeqCst);
            }
        }
        TIMER_VIRTUAL_INTID => counter::set_control(counter::CONTROL_ENABLE | counter::CONTROL_MASK),
        _ => {}
    }
}

fn has_room() -> bool {
    PUT.load(SeqCst).wrapping_sub(TAKEN.load(SeqCst)) < CAPACITY
}

/// Keeps a byte, for which there is room.
fn keep(byte: u8) {
    if byte == CANCEL {
        CANCELLED.store(true, SeqCst);
    }
    let put = PUT.load(SeqCst);
    if let Some(slot) = RING.get(put % CAPACITY) {
        slot.store(byte, SeqCst);
        PUT.store(put.wrapping_add(1), SeqCst);
    }
}

fn take() -> Option<u8> {
    let taken = TAKEN.load(SeqCst);
    if taken == PUT.load(SeqCst) {
        return None;
    }
    let byte = RING.get(taken % CAPACITY)?.load(SeqCst);
    TAKEN.store(taken.wrapping_add(1), SeqCst);
    if HELD.swap(false, SeqCst) {
        mmio::write32(IMSC, RECEIVE);
    }
    Some(byte)
}

/// Waits for an interrupt unless `ready` holds already. An interrupt that comes in between ends the wait too, as it is
/// held back until then.
fn idle_unless(ready: impl FnOnce() -> bool) {
    cpu::mask_interrupts();
    if !ready() {
        cpu::wait_for_interrupt();
    }
    cpu::unmask_interrupts();
}

/// The next byte that is typed.
pub fn next() -> u8 {
    loop {
        if let Some(byte) = take() {
            CANCELLED.store(false, SeqCst);
            return byte;
        }
        idle_unless(|| PUT.load(SeqCst) != TAKEN.load(SeqCst));
    }
}

/// Waits; false if Ctrl-C came before the time was over. What was typed before it is forgotten then.
pub fn sleep(microseconds: u64) -> bool {
    let end = counter::virtual_count().wrapping_add(counter::ticks(microseconds));
    let left = || end.wrapping_sub(counter::virtual_count()) as i64;
    while left() > 0 && !CANCELLED.load(SeqCst) {
        counter::arm(left().max(1) as u64, counter::CONTROL_ENABLE);
        idle_unless(|| CANCELLED.load(SeqCst) || left() <= 0);
    }
    counter::set_control(0);
    let cancelled = CANCELLED.swap(false, SeqCst);
    if cancelled {
        while take().is_some() {}
    }
    !cancelled
}
