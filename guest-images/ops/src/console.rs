//! Text on the PL011, without waiting for the end of a line.

use core::fmt::{self, Write};

use guest_runtime::console::{DR, FR, FR_TXFF};
use guest_runtime::mmio;

/// The console. One vCPU writes to it.
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

fn send(byte: u8) {
    while mmio::read32(FR) & FR_TXFF != 0 {}
    mmio::write32(DR, u32::from(byte));
}
