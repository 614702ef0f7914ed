//! A VM's end of the console: its emulated UART, the line that it is writing, and what was typed for it.

use portcullis_abi::map;
use portcullis_console::{LineBuffer, Typed};
use portcullis_devices::{Line, uart::Pl011};

use super::log::Log;

/// UART, line and input of one VM, behind one lock.
pub struct Port {
    /// The UART as the guest sees it.
    pub uart: Pl011,
    /// What the guest has written and the console has not shown yet.
    pub line: LineBuffer,
    /// What it has written of late.
    pub log: Log,
    /// What was typed and the UART has not taken yet.
    pub typed: Typed,
    /// The guest has stopped, and the end of its line still lacks room.
    pub unfinished: bool,
    /// The UART's interrupt line.
    interrupt: Line,
}

impl Port {
    /// Makes a UART out of reset, an empty line, and nothing typed.
    pub fn new() -> Self {
        let interrupt = Line::new(map::UART_INTID);
        Self {
            uart: Pl011::new(),
            line: LineBuffer::new(),
            log: Log::new(),
            typed: Typed::new(),
            unfinished: false,
            interrupt,
        }
    }

    /// Resets the UART. What the guest has written stays, so that its last words are seen; what was typed for it, and it has
    /// not read, goes with it, as with a board's UART. The interrupt line falls, which [`Self::take_level_change`] then tells.
    pub fn reset(&mut self) {
        self.uart.reset();
        self.typed.clear();
    }

    /// Takes a byte that was typed; false if there is no room for it.
    pub fn receive(&mut self, byte: u8) -> bool {
        let taken = self.typed.push(byte);
        self.supply();
        taken
    }

    /// Gives the UART what was typed, as far as it can receive.
    pub fn supply(&mut self) {
        while self.uart.can_receive()
            && let Some(byte) = self.typed.pop()
        {
            self.uart.receive(byte);
        }
    }

    /// INTID of the interrupt line.
    pub const fn intid(&self) -> u32 {
        self.interrupt.intid()
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
    use portcullis_console::TYPED_MAX;
    use portcullis_devices::uart::registers::*;

    #[test]
    fn a_reset_lowers_the_line() {
        let mut port = Port::new();
        port.uart.write(IMSC, exists::INT);
        assert!((0..64).all(|byte| port.receive(byte)));
        assert_eq!(port.take_level_change(), Some(true));
        port.reset();
        assert_eq!(port.take_level_change(), Some(false));
        assert_eq!(port.take_level_change(), None);
        port.supply();
        assert_eq!(
            port.uart.read(FR) & FR::RXFE::SET.value,
            FR::RXFE::SET.value,
            "what the former life has not read is gone"
        );
    }

    /// What [`GuestConsole`](super::super::console::GuestConsole) does after an access of the guest's.
    fn access<T>(port: &mut Port, access: impl FnOnce(&mut Pl011) -> T) -> T {
        let value = access(&mut port.uart);
        port.supply();
        value
    }

    #[test]
    fn ten_kilobytes_come_whole_whatever_the_guest_does_first() {
        let sent: Vec<u8> = (0..10_240u32).map(|n| (n % 251) as u8).collect();
        let prologues: [&[(u64, u32)]; 5] = [
            &[],
            &[
                (CR, 0),
                (LCR_H, 0x60),
                (LCR_H, 0x70),
                (CR, CR::UARTEN::SET.value | CR::RXE::SET.value | CR::TXE::SET.value),
            ],
            &[(ICR, exists::INT), (IMSC, INT::RX::SET.value | INT::RT::SET.value)],
            &[
                (CR, CR::UARTEN::SET.value | CR::TXE::SET.value),
                (ICR, exists::INT),
                (CR, CR::UARTEN::SET.value | CR::RXE::SET.value | CR::TXE::SET.value),
            ],
            &[(LCR_H, 0x60)],
        ];
        for prologue in prologues {
            let mut port = Port::new();
            let (early, late) = sent.split_at(5000);
            early.iter().for_each(|&byte| assert!(port.receive(byte)));
            prologue.iter().for_each(|&(offset, value)| access(&mut port, |uart| uart.write(offset, value)));
            late.iter().for_each(|&byte| assert!(port.receive(byte)));
            let mut got = Vec::new();
            while access(&mut port, |uart| uart.read(FR)) & FR::RXFE::SET.value == 0 {
                assert_ne!(port.uart.read(RIS) & (INT::RX::SET.value | INT::RT::SET.value), 0, "the guest hears of it");
                got.push(access(&mut port, |uart| uart.read(DR)) as u8);
            }
            assert!(got == sent, "{prologue:?}: {} bytes", got.len());
        }
    }

    #[test]
    fn the_line_waits_for_room_and_is_let_go_on_once() {
        let mut port = Port::new();
        while port.receive(b'x') {}
        port.typed.hold_line();
        let mut reads = 0;
        while !port.typed.take_room() {
            access(&mut port, |uart| uart.read(DR));
            reads += 1;
        }
        assert_eq!(reads, TYPED_MAX / 4);
        assert!(!port.typed.take_room(), "it does not wait any more");
        port.typed.hold_line();
        while port.receive(b'x') {}
        port.reset();
        assert!(port.typed.take_room(), "a VM that ends makes room");
    }
}
