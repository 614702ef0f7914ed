//! Lines on the PL011, by polling.

use core::fmt::{self, Write};

use portcullis_abi::map;
use spin::Mutex;

use crate::mmio;

/// Data register (Arm DDI 0183 section 3.3).
pub const DR: u64 = map::UART;
/// Flag register.
pub const FR: u64 = map::UART + 0x18;
/// Bit of [`FR`]: transmit FIFO full.
pub const FR_TXFF: u32 = 1 << 5;
/// Bit of [`FR`]: busy sending.
pub const FR_BUSY: u32 = 1 << 3;

/// Text as it comes, for one vCPU alone: what several write mixes, but for [`line`].
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                send(b'\r');
            }
            send(byte);
        }
        Ok(())
    }
}

static CONSOLE: Mutex<Console> = Mutex::new(Console);

fn send(byte: u8) {
    while mmio::read32(FR) & FR_TXFF != 0 {}
    mmio::write32(DR, u32::from(byte));
}

/// Prints one line; lines of several vCPUs do not mix. Not for interrupt handlers.
pub fn line(text: fmt::Arguments) {
    let _ = writeln!(CONSOLE.lock(), "{text}");
}

/// Prints one line even if the context that it breaks off was printing.
pub fn urgent_line(text: fmt::Arguments) {
    let _ = writeln!(Console, "\n{text}");
}

/// Waits until everything printed has left the UART.
pub fn drain() {
    while mmio::read32(FR) & FR_BUSY != 0 {}
}
