//! The UART of Amlogic's Meson systems on chip (S922X Public Datasheet, section 9.5; Linux, `amlogic,meson-uart.yaml`). The
//! speed that firmware has set up is kept.
//!
//! Its interrupts are edges: they come when what they stand for begins. So the line must have been low before.

use core::ptr::NonNull;

use portcullis_board::SerialPort;
use safe_mmio::{
    UniqueMmioPointer, field, field_shared,
    fields::{ReadOnly, ReadPure, ReadPureWrite, WriteOnly},
};
use spin::Once;

use super::line::{Line, Registers, Wanted};
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver = Driver {
    name: "a Meson UART",
    compatible: &[
        b"amlogic,meson-ao-uart",
        b"amlogic,meson-gx-uart",
        b"amlogic,meson-g12a-uart",
        b"amlogic,meson-s4-uart",
        b"amlogic,meson-a1-uart",
    ],
    offer: Offer::Serial(bind, 0xc),
};

/// Control: receiver and transmitter on; interrupts for received bytes and for room.
const ON: u32 = 1 << 13 | 1 << 12;
const RECEIVE: u32 = 1 << 27;
const TRANSMIT: u32 = 1 << 28;
/// Status: parity, framing; the receive FIFO is empty, the transmit FIFO is full, it is empty; a byte is on its way.
const WRONG: u32 = 1 << 17 | 1 << 16;
const CLEAR_ERRORS: u32 = 1 << 24;
const EMPTY: u32 = 1 << 20;
const FULL: u32 = 1 << 21;
const SENT: u32 = 1 << 22;
const SENDING: u32 = 1 << 25;
/// Interrupt control: how many bytes were received, and how many are left to be sent.
const TRIGGERS: u32 = 0xffff;
const ONE_RECEIVED_FEW_LEFT: u32 = 8 << 8 | 1;

/// The registers, as far as they are used.
#[repr(C)]
pub struct Block {
    transmit: WriteOnly<u32>,
    received: ReadOnly<u32>,
    control: ReadPureWrite<u32>,
    status: ReadPure<u32>,
    interrupts: ReadPureWrite<u32>,
}

/// A Meson's UART.
pub struct Meson(UniqueMmioPointer<'static, Block>);

static UART: Once<Line<Meson>> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    let block = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    let port = UART.call_once(|| Line::new(unsafe { Meson::new(block) }, device.intid));
    port.wire(device.intid);
    Some(port)
}

impl Meson {
    /// Takes over the UART at `address` and switches it on.
    ///
    /// # Safety
    ///
    /// `address` must be that of its registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<Block>) -> Self {
        // SAFETY: passed on to the caller.
        let mut block = unsafe { UniqueMmioPointer::new(address) };
        let control = field_shared!(block, control).read();
        field!(block, control).write(control & !(RECEIVE | TRANSMIT) | ON);
        let interrupts = field_shared!(block, interrupts).read();
        field!(block, interrupts).write(interrupts & !TRIGGERS | ONE_RECEIVED_FEW_LEFT);
        Self(block)
    }

    fn status(&self) -> u32 {
        field_shared!(self.0, status).read()
    }

    /// Has an interrupt that is wanted come again if there is still a reason for it.
    fn raise_again(&mut self, interrupt: u32) {
        let control = field_shared!(self.0, control).read();
        if control & interrupt != 0 {
            field!(self.0, control).write(control & !interrupt);
            field!(self.0, control).write(control);
        }
    }
}

impl Registers for Meson {
    fn room(&self) -> usize {
        usize::from(self.status() & FULL == 0)
    }

    fn is_idle(&self) -> bool {
        self.status() & (SENT | SENDING) == SENT
    }

    fn put(&mut self, byte: u8) {
        field!(self.0, transmit).write(byte.into());
    }

    fn get(&mut self) -> Option<u8> {
        let status = self.status();
        if status & EMPTY != 0 {
            return None;
        }
        let byte = field!(self.0, received).read() as u8;
        if status & WRONG != 0 {
            let control = field_shared!(self.0, control).read();
            field!(self.0, control).write(control | CLEAR_ERRORS);
            field!(self.0, control).write(control & !CLEAR_ERRORS);
        }
        // Whoever takes these may leave some for later.
        if self.status() & EMPTY == 0 {
            self.raise_again(RECEIVE);
        }
        (status & WRONG == 0).then_some(byte)
    }

    fn set_interrupts(&mut self, wanted: Wanted) {
        let enabled = if wanted.receive { RECEIVE } else { 0 } | if wanted.transmit { TRANSMIT } else { 0 };
        let control = field_shared!(self.0, control).read() & !(RECEIVE | TRANSMIT);
        // Low first: what has begun already is to be told, too.
        field!(self.0, control).write(control);
        field!(self.0, control).write(control | enabled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_switched_on_and_keeps_its_speed() {
        let mut block = [0u32; 6];
        (block[2], block[3], block[4], block[5]) = (0x1800_0000, SENT | EMPTY, 0xabcd_7fff, 0x80_01a1);
        let address = NonNull::new(block.as_mut_ptr()).unwrap();
        // SAFETY: the block is a register block in memory, and this test's own.
        let line = Line::new(unsafe { Meson::new(address.cast()) }, Some(225));
        // SAFETY: as above.
        let at = |offset: usize| unsafe { address.add(offset / 4).read_volatile() };
        // SAFETY: as above.
        let set = |offset: usize, value: u32| unsafe { address.add(offset / 4).write_volatile(value) };
        assert_eq!((at(0x08), at(0x10), at(0x14)), (ON | RECEIVE, 0xabcd_0801, 0x80_01a1));
        assert!(line.has_room() && line.is_idle() && line.get().is_none());
        set(0x0c, FULL | SENDING);
        assert!(!line.has_room() && !line.is_idle());
        set(0x04, 0x41);
        assert_eq!((line.get(), at(0x08)), (Some(0x41), ON | RECEIVE));
        set(0x0c, 1 << 17);
        assert_eq!((line.get(), at(0x08)), (None, ON | RECEIVE), "errors are cleared");
        line.put(b'x');
        line.set_transmit_interrupt(true);
        line.set_receive_interrupt(false);
        assert_eq!((at(0x00), at(0x08), line.interrupt()), (u32::from(b'x'), ON | TRANSMIT, Some(225)));
    }
}
