//! The UART of Cadence's in Xilinx' Zynq, Zynq UltraScale+ and their successors (UG1085, chapter 21; its registers: UG1087, module
//! UART). The speed that firmware has set up is kept.

use core::ptr::NonNull;

use portcullis_board::SerialPort;
use safe_mmio::{
    UniqueMmioPointer, field, field_shared,
    fields::{ReadPure, ReadPureWrite, ReadWrite, WriteOnly},
};
use spin::Once;

use super::line::{Line, Registers, Wanted};
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver = Driver {
    name: "a Cadence UART",
    compatible: &[b"xlnx,zynqmp-uart", b"cdns,uart-r1p12", b"xlnx,xuartps", b"cdns,uart-r1p8"],
    offer: Offer::Serial(bind, 0x2c),
};

/// Control: receiver and transmitter on; the bits that switch them off, reset them or send a break.
const ON: u32 = 1 << 4 | 1 << 2;
const OFF: u32 = 1 << 7 | 1 << 5 | 1 << 3 | 1 << 1 | 1 << 0;
/// Interrupts: the receive FIFO has as much as its trigger says; the transmit FIFO is empty. Each stays until it is cleared.
const RECEIVE: u32 = 1 << 0;
const TRANSMIT: u32 = 1 << 3;
/// Status: nothing was received; the transmit FIFO is empty; it is full; a byte is on its way.
const EMPTY: u32 = 1 << 1;
const SENT: u32 = 1 << 3;
const FULL: u32 = 1 << 4;
const SENDING: u32 = 1 << 11;

/// The registers, as far as they are used.
#[repr(C)]
pub struct Block {
    control: ReadPureWrite<u32>,
    mode: u32,
    enable: WriteOnly<u32>,
    disable: WriteOnly<u32>,
    mask: u32,
    interrupts: ReadPureWrite<u32>,
    speed: u32,
    receive_timeout: u32,
    receive_trigger: ReadPureWrite<u32>,
    modem: [u32; 2],
    status: ReadPure<u32>,
    fifo: ReadWrite<u32>,
}

const _: () = assert!(core::mem::offset_of!(Block, status) == 0x2c && core::mem::offset_of!(Block, fifo) == 0x30);

/// A Cadence UART.
pub struct Cadence(UniqueMmioPointer<'static, Block>);

static UART: Once<Line<Cadence>> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    let block = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    let port = UART.call_once(|| Line::new(unsafe { Cadence::new(block) }, device.intid));
    port.wire(device.intid);
    Some(port)
}

impl Cadence {
    /// Takes over the UART at `address` and switches it on.
    ///
    /// # Safety
    ///
    /// `address` must be that of its registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<Block>) -> Self {
        // SAFETY: passed on to the caller.
        let mut block = unsafe { UniqueMmioPointer::new(address) };
        let control = field_shared!(block, control).read();
        field!(block, control).write(control & !OFF | ON);
        field!(block, receive_trigger).write(1);
        Self(block)
    }

    fn status(&self) -> u32 {
        field_shared!(self.0, status).read()
    }

    fn forget(&mut self, interrupts: u32) {
        field!(self.0, interrupts).write(interrupts);
    }
}

impl Registers for Cadence {
    fn room(&self) -> usize {
        usize::from(self.status() & FULL == 0)
    }

    fn is_idle(&self) -> bool {
        self.status() & (SENT | SENDING) == SENT
    }

    fn put(&mut self, byte: u8) {
        field!(self.0, fifo).write(byte.into());
    }

    fn get(&mut self) -> Option<u8> {
        if self.status() & EMPTY != 0 {
            self.forget(RECEIVE);
            // What came before that would not interrupt again.
            if self.status() & EMPTY != 0 {
                return None;
            }
        }
        Some(field!(self.0, fifo).read() as u8)
    }

    fn set_interrupts(&mut self, wanted: Wanted) {
        let enabled = if wanted.receive { RECEIVE } else { 0 } | if wanted.transmit { TRANSMIT } else { 0 };
        field!(self.0, disable).write(!enabled);
        field!(self.0, enable).write(enabled);
    }

    fn heard(&mut self) {
        // Before the FIFO is filled: it is empty again only after that.
        self.forget(TRANSMIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_switched_on_and_keeps_its_speed() {
        let mut block = [0u32; 13];
        // Off, with a break on its way; mode and speed are the firmware's.
        (block[0], block[1], block[6]) = (0x12b, 0x20, 0x3e);
        let address = NonNull::new(block.as_mut_ptr()).unwrap();
        // SAFETY: the block is a register block in memory, and this test's own.
        let line = Line::new(unsafe { Cadence::new(address.cast()) }, Some(53));
        // SAFETY: as above.
        let at = |offset: usize| unsafe { address.add(offset / 4).read_volatile() };
        // SAFETY: as above.
        let set = |offset: usize, value: u32| unsafe { address.add(offset / 4).write_volatile(value) };
        assert_eq!((at(0x00), at(0x04), at(0x18), at(0x20)), (0x114, 0x20, 0x3e, 1));
        assert_eq!((at(0x08), at(0x0c), line.interrupt()), (RECEIVE, !RECEIVE, Some(53)));
        set(0x2c, SENT);
        assert!(line.has_room() && line.is_idle());
        set(0x2c, SENT | SENDING);
        assert!(!line.is_idle());
        set(0x2c, FULL);
        assert!(!line.has_room() && !line.is_idle());
        line.set_transmit_interrupt(true);
        assert_eq!((at(0x08), at(0x0c)), (RECEIVE | TRANSMIT, !(RECEIVE | TRANSMIT)));
        line.send(&mut || panic!("there is no room"));
        assert_eq!(at(0x14), TRANSMIT, "that there was room is heard");
    }

    #[test]
    fn what_was_received_is_taken_before_its_interrupt_is_forgotten() {
        let mut block = [0u32; 13];
        let address = NonNull::new(block.as_mut_ptr()).unwrap();
        // SAFETY: the block is a register block in memory, and this test's own.
        let line = Line::new(unsafe { Cadence::new(address.cast()) }, None);
        // SAFETY: as above.
        let at = |offset: usize| unsafe { address.add(offset / 4).read_volatile() };
        // SAFETY: as above.
        let set = |offset: usize, value: u32| unsafe { address.add(offset / 4).write_volatile(value) };
        set(0x30, 0x41);
        assert_eq!((line.get(), at(0x14)), (Some(0x41), 0));
        set(0x2c, EMPTY);
        assert_eq!((line.get(), at(0x14)), (None, RECEIVE));
    }
}
