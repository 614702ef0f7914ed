//! What the interrupt handler notes: how often each interrupt came to each vCPU, and in which order.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

use guest_runtime::{counter, cpu, gic, mmio};
use portcullis_abi::map::{MAX_VCPUS, RTC, RTC_INTID, TIMER_PHYSICAL_INTID, TIMER_VIRTUAL_INTID, UART, UART_INTID};
use spin::Once;

/// INTIDs that are counted.
const COUNTED: usize = 288;
/// Length of the record of the order.
const RECORD: usize = 64;
/// Longest time that an interrupt may take, in microseconds.
pub const PATIENCE: u64 = 2_000_000;
/// PL011 interrupt clear register.
const UART_ICR: u64 = UART + 0x44;
/// PL031 interrupt clear register.
const RTC_ICR: u64 = RTC + 0x1c;

static OTHERS: Once<fn(u32)> = Once::new();
static UART_READER: Once<fn()> = Once::new();
static COUNTS: [[AtomicU32; COUNTED]; MAX_VCPUS] = [const { [const { AtomicU32::new(0) }; COUNTED] }; MAX_VCPUS];
static ORDER: [AtomicU32; RECORD] = [const { AtomicU32::new(0) }; RECORD];
static SENDERS: [AtomicU32; RECORD] = [const { AtomicU32::new(0) }; RECORD];
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// The interrupt handler: quiets a level-sensitive source, then takes the note.
pub fn handle(intid: u32) {
    match intid {
        TIMER_VIRTUAL_INTID => counter::set_control(counter::CONTROL_ENABLE | counter::CONTROL_MASK),
        TIMER_PHYSICAL_INTID => counter::set_physical_control(counter::CONTROL_ENABLE | counter::CONTROL_MASK),
        UART_INTID => UART_READER.get().copied().unwrap_or(clear_uart)(),
        RTC_INTID => mmio::write32(RTC_ICR, 1),
        _ => {
            if let Some(quiet) = OTHERS.get() {
                quiet(intid);
            }
        }
    }
    let position = LENGTH.fetch_add(1, SeqCst);
    if let (Some(slot), Some(sender)) = (ORDER.get(position), SENDERS.get(position)) {
        slot.store(intid, SeqCst);
        sender.store(if intid < 16 { gic::sender() } else { 0 }, SeqCst);
    }
    if let Some(count) = COUNTS[cpu::index()].get(intid as usize) {
        count.fetch_add(1, SeqCst);
    }
}

fn clear_uart() {
    mmio::write32(UART_ICR, 0x7ff);
}

/// Has `read` called for every interrupt of the emulated UART, instead of its interrupts cleared. The first one stays.
pub fn set_uart_reader(read: fn()) {
    UART_READER.call_once(|| read);
}

/// Has `quiet` called for every interrupt that is neither the timer's nor the emulated UART's. The first one stays.
pub fn set_source(quiet: fn(u32)) {
    OTHERS.call_once(|| quiet);
}

/// Forgets everything.
pub fn clear() {
    for count in COUNTS.iter().flatten() {
        count.store(0, SeqCst);
    }
    LENGTH.store(0, SeqCst);
}

/// How often an interrupt came to a vCPU.
pub fn count(cpu: usize, intid: u32) -> u32 {
    COUNTS[cpu][intid as usize].load(SeqCst)
}

/// How many interrupts came, of all kinds and on all vCPUs.
pub fn total() -> usize {
    LENGTH.load(SeqCst)
}

/// The interrupt that came as number `position`.
pub fn arrived(position: usize) -> Option<u32> {
    if position < total() { ORDER.get(position).map(|slot| slot.load(SeqCst)) } else { None }
}

/// The vCPU that has sent the interrupt that came as number `position`, if it is a GICv2's SGI; else 0.
pub fn sender(position: usize) -> u32 {
    SENDERS.get(position).map_or(0, |sender| sender.load(SeqCst))
}
