//! Lines of text, without the weight of `core::fmt`.

use guest_mmio as mmio;

use crate::configuration::{Configuration, Output, flag};

/// Flag register of a PL011 (Arm DDI 0183, section 3.3).
const FR: u64 = 0x18;
/// Bit of [`FR`]: the FIFO is full.
const TXFF: u32 = 1 << 5;
/// Reads of [`FR`] before a character is sent anyway.
const PATIENCE: u32 = 1_000_000;

unsafe extern "C" {
    fn xen_console_write(text: *const u8, length: usize);
}

/// Collects a line and sends it when it ends.
pub struct Console {
    output: u32,
    poll: bool,
    uart: u64,
    line: [u8; 160],
    used: usize,
}

impl Console {
    /// The console that the configuration names.
    pub fn new(configuration: &Configuration) -> Self {
        let poll = configuration.flags & flag::POLL != 0;
        Self { output: configuration.output, poll, uart: configuration.uart, line: [0; 160], used: 0 }
    }

    /// Adds text; what does not fit into the line is lost.
    pub fn text(&mut self, text: &str) -> &mut Self {
        text.bytes().for_each(|byte| self.byte(byte));
        self
    }

    /// Adds a number in decimal.
    pub fn decimal(&mut self, mut value: u64) -> &mut Self {
        let mut digits = [0; 20];
        let mut count = 0;
        for digit in &mut digits {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
            count += 1;
            if value == 0 {
                break;
            }
        }
        digits.iter().take(count).rev().for_each(|digit| self.byte(*digit));
        self
    }

    /// Adds a number in hexadecimal.
    pub fn hexadecimal(&mut self, value: u64) -> &mut Self {
        for shift in (0..16).rev() {
            let digit = (value >> (shift * 4) & 0xf) as u8;
            self.byte(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit });
        }
        self
    }

    /// Ends the line and sends it.
    pub fn end(&mut self) {
        self.byte(b'\n');
        let line = self.line.get(..self.used).unwrap_or_default();
        if self.output == Output::Xen as u32 {
            // SAFETY: the text is the hypervisor's to read.
            unsafe { xen_console_write(line.as_ptr(), line.len()) };
        } else if self.output == Output::Pl011 as u32 {
            for byte in line {
                let mut reads = 0;
                while self.poll && reads < PATIENCE && mmio::read32(self.uart + FR) & TXFF != 0 {
                    reads += 1;
                }
                mmio::write32(self.uart, u32::from(*byte));
            }
        }
        self.used = 0;
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.line.get_mut(self.used) {
            *place = byte;
            self.used += 1;
        }
    }
}
