//! A serial line, whatever its registers are: what every UART's driver would write anew.

use core::sync::atomic::{AtomicU32, Ordering};

use portcullis_board::SerialPort;
use spin::mutex::TicketMutex;

use super::seize::seize;

/// What a UART interrupts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// It has received something.
    pub receive: bool,
    /// It has room again.
    pub transmit: bool,
}

/// The registers of a UART.
pub trait Registers: Send {
    /// How many bytes it takes now without being asked again.
    fn room(&self) -> usize;
    /// Whether everything has left it, the last stop bit included.
    fn is_idle(&self) -> bool;
    /// Hands it one byte.
    fn put(&mut self, byte: u8);
    /// Takes one received byte; one that came with an error is dropped, as what it was is not known.
    fn get(&mut self) -> Option<u8>;
    /// Makes it interrupt for what is `wanted`, and for nothing else.
    fn set_interrupts(&mut self, wanted: Wanted);
    /// Bytes are about to be put: that there was room has been heard.
    fn heard(&mut self) {}
}

/// The interrupt of a serial line, which may be known later than where its registers are.
pub struct Wire(AtomicU32);

impl Wire {
    /// This INTID, or none yet.
    pub fn new(intid: Option<u32>) -> Self {
        Self(AtomicU32::new(intid.unwrap_or(0)))
    }

    /// Says which one it is, if that is known now.
    pub fn wire(&self, intid: Option<u32>) {
        intid.into_iter().for_each(|intid| self.0.store(intid, Ordering::Relaxed));
    }

    /// Which one it is. No device has INTID 0, which is an SGI.
    pub fn get(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|intid| *intid != 0)
    }
}

/// A serial line behind `R`.
pub struct Line<R> {
    port: TicketMutex<Port<R>>,
    interrupt: Wire,
}

/// The registers, and what interrupts.
struct Port<R> {
    registers: R,
    wanted: Wanted,
}

impl<R: Registers> Line<R> {
    /// Takes over a UART that is on, whose interrupt is `interrupt`: it interrupts when something was received.
    pub fn new(mut registers: R, interrupt: Option<u32>) -> Self {
        let wanted = Wanted { receive: true, transmit: false };
        registers.set_interrupts(wanted);
        Self { port: TicketMutex::new(Port { registers, wanted }), interrupt: Wire::new(interrupt) }
    }

    /// Says which interrupt it has, if that is known now.
    pub fn wire(&self, intid: Option<u32>) {
        self.interrupt.wire(intid);
    }

    fn set(&self, change: impl FnOnce(&mut Wanted)) {
        let Port { registers, wanted } = &mut *self.port.lock();
        change(wanted);
        registers.set_interrupts(*wanted);
    }
}

impl<R: Registers> SerialPort for Line<R> {
    fn has_room(&self) -> bool {
        self.port.lock().registers.room() != 0
    }

    fn put(&self, byte: u8) {
        self.port.lock().registers.put(byte);
    }

    fn send(&self, next: &mut dyn FnMut() -> Option<u8>) {
        let registers = &mut self.port.lock().registers;
        registers.heard();
        loop {
            let room = registers.room();
            for _ in 0..room {
                let Some(byte) = next() else { return };
                registers.put(byte);
            }
            if room == 0 {
                return;
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.port.lock().registers.is_idle()
    }

    fn get(&self) -> Option<u8> {
        self.port.lock().registers.get()
    }

    fn set_receive_interrupt(&self, enabled: bool) {
        self.set(|wanted| wanted.receive = enabled);
    }

    fn set_transmit_interrupt(&self, enabled: bool) {
        self.set(|wanted| wanted.transmit = enabled);
    }

    fn interrupt(&self) -> Option<u32> {
        self.interrupt.get()
    }

    fn seize(&self) {
        seize(&self.port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three bytes at a time, twice.
    #[derive(Default)]
    struct Fake {
        bursts: usize,
        left: std::cell::Cell<usize>,
        sent: Vec<u8>,
        wanted: Wanted,
        heard: usize,
    }

    impl Registers for Fake {
        fn room(&self) -> usize {
            if self.left.get() == 0 { 0 } else { 3 }
        }
        fn is_idle(&self) -> bool {
            self.sent.is_empty()
        }
        fn put(&mut self, byte: u8) {
            self.sent.push(byte);
            if self.sent.len().is_multiple_of(3) {
                self.bursts += 1;
                self.left.set(self.left.get() - 1);
            }
        }
        fn get(&mut self) -> Option<u8> {
            None
        }
        fn set_interrupts(&mut self, wanted: Wanted) {
            self.wanted = wanted;
        }
        fn heard(&mut self) {
            self.heard += 1;
        }
    }

    #[test]
    fn it_gives_what_there_is_room_for_and_no_more() {
        let line = Line::new(Fake { left: 2.into(), ..Fake::default() }, Some(40));
        assert!(line.has_room() && line.is_idle() && line.get().is_none());
        let mut bytes = 0..10;
        line.send(&mut || bytes.next());
        assert_eq!(bytes, 6..10);
        assert!(!line.has_room() && !line.is_idle());
        line.port.lock().registers.left.set(9);
        line.send(&mut || bytes.next());
        let port = line.port.lock();
        assert_eq!((port.registers.sent.as_slice(), port.registers.heard), (&(0..10).collect::<Vec<_>>()[..], 2));
    }

    #[test]
    fn it_interrupts_for_what_is_wanted() {
        let line = Line::new(Fake::default(), None);
        let wanted = || line.port.lock().registers.wanted;
        assert_eq!(wanted(), Wanted { receive: true, transmit: false });
        line.set_transmit_interrupt(true);
        line.set_receive_interrupt(false);
        assert_eq!((wanted(), line.interrupt()), (Wanted { receive: false, transmit: true }, None));
        line.set_receive_interrupt(true);
        line.set_transmit_interrupt(false);
        assert_eq!(wanted(), Wanted { receive: true, transmit: false });
    }
}
