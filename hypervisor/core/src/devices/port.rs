//! A VM's end of the console: its emulated UART and the line that it is writing.

use portcullis_abi::map;
use portcullis_console::LineBuffer;
use portcullis_devices::{Line, uart::Pl011};

/// UART and line of one VM, behind one lock.
pub struct Port {
    /// The UART as the guest sees it.
    pub uart: Pl011,
    /// What the guest has written and the console has not shown yet.
    pub line: LineBuffer,
    /// The UART's interrupt line.
    interrupt: Line,
}

impl Port {
    /// A UART out of reset and an empty line.
    pub const fn new() -> Self {
        Self { uart: Pl011::new(), line: LineBuffer::new(), interrupt: Line::new(map::UART_INTID) }
    }

    /// Resets the UART. What the guest has written stays, so that its last words are seen. The interrupt line falls with
    /// it, which [`Self::take_level_change`] then tells.
    pub fn reset(&mut self) {
        self.uart.reset();
    }

    /// The interrupt line's new level, if it has changed since the last call.
    pub fn take_level_change(&mut self) -> Option<bool> {
        self.interrupt.set(self.uart.irq_level())
    }
}

impl Default for Port {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_devices::uart::registers::{IMSC, INT_MASK};

    #[test]
    fn a_reset_lowers_the_line() {
        let mut port = Port::new();
        port.uart.write(IMSC, INT_MASK);
        assert!((0..32).all(|byte| port.uart.receive(byte)));
        assert_eq!(port.take_level_change(), Some(true));
        port.reset();
        assert_eq!(port.take_level_change(), Some(false));
        assert_eq!(port.take_level_change(), None);
    }
}
