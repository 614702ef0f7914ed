//! The UART of NXP's i.MX 6 and later (i.MX 8M Mini Applications Processor Reference Manual, chapter 16.2). The speed that
//! firmware has set up is kept.

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
    name: "an i.MX UART",
    compatible: &[b"fsl,imx6q-uart", b"fsl,imx21-uart"],
    offer: Offer::Serial(bind, 0x98),
};

/// URXD: the byte came with an error.
const WRONG: u32 = 1 << 14;
/// UCR1: on; interrupts for received bytes and for room, and all others of that register.
const ON: u32 = 1 << 0;
const RECEIVE: u32 = 1 << 9;
const TRANSMIT: u32 = 1 << 13;
const OTHERS_1: u32 = 1 << 15 | 1 << 12 | 1 << 8 | 1 << 6 | 1 << 5 | 1 << 3 | 1 << 2;
/// UCR2: receiver and transmitter on; the interrupts of that register.
const BOTH_ON: u32 = 1 << 2 | 1 << 1;
const OTHERS_2: u32 = 1 << 15 | 1 << 4 | 1 << 3;
/// UCR4: the interrupts of that register: transmission complete, overrun, received data, and the like.
const OTHERS_4: u32 = 0xf;
/// UFCR: how full the receive FIFO is when it interrupts, and how empty the transmit FIFO.
const TRIGGERS: u32 = 0x3f << 10 | 0x3f;
const ONE_RECEIVED_TWO_LEFT: u32 = 2 << 10 | 1;
/// USR2: the last bit is out.
const IDLE: u32 = 1 << 3;
/// UTS: the receive FIFO is empty; the transmit FIFO is full.
const EMPTY: u32 = 1 << 5;
const FULL: u32 = 1 << 4;

/// The registers, as far as they are used.
#[repr(C)]
pub struct Block {
    received: ReadOnly<u32>,
    others_1: [u32; 15],
    transmit: WriteOnly<u32>,
    others_2: [u32; 15],
    control_1: ReadPureWrite<u32>,
    control_2: ReadPureWrite<u32>,
    control_3: u32,
    control_4: ReadPureWrite<u32>,
    fifo_control: ReadPureWrite<u32>,
    status_1: u32,
    status_2: ReadPure<u32>,
    others_3: [u32; 6],
    test: ReadPure<u32>,
}

const _: () = assert!(core::mem::offset_of!(Block, control_1) == 0x80 && core::mem::offset_of!(Block, test) == 0xb4);

/// An i.MX's UART.
pub struct Imx(UniqueMmioPointer<'static, Block>);

static UART: Once<Line<Imx>> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    let block = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    let port = UART.call_once(|| Line::new(unsafe { Imx::new(block) }, device.intid));
    port.wire(device.intid);
    Some(port)
}

impl Imx {
    /// Takes over the UART at `address`, switches it on, and has it interrupt for nothing.
    ///
    /// # Safety
    ///
    /// `address` must be that of its registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<Block>) -> Self {
        // SAFETY: passed on to the caller.
        let mut block = unsafe { UniqueMmioPointer::new(address) };
        let value = field_shared!(block, control_1).read();
        field!(block, control_1).write(value & !(OTHERS_1 | RECEIVE | TRANSMIT) | ON);
        let value = field_shared!(block, control_2).read();
        field!(block, control_2).write(value & !OTHERS_2 | BOTH_ON);
        let value = field_shared!(block, control_4).read();
        field!(block, control_4).write(value & !OTHERS_4);
        let value = field_shared!(block, fifo_control).read();
        field!(block, fifo_control).write(value & !TRIGGERS | ONE_RECEIVED_TWO_LEFT);
        Self(block)
    }

    fn fifos(&self) -> u32 {
        field_shared!(self.0, test).read()
    }
}

impl Registers for Imx {
    fn room(&self) -> usize {
        usize::from(self.fifos() & FULL == 0)
    }

    fn is_idle(&self) -> bool {
        field_shared!(self.0, status_2).read() & IDLE != 0
    }

    fn put(&mut self, byte: u8) {
        field!(self.0, transmit).write(byte.into());
    }

    fn get(&mut self) -> Option<u8> {
        if self.fifos() & EMPTY != 0 {
            return None;
        }
        let received = field!(self.0, received).read();
        (received & WRONG == 0).then_some(received as u8)
    }

    fn set_interrupts(&mut self, wanted: Wanted) {
        let enabled = if wanted.receive { RECEIVE } else { 0 } | if wanted.transmit { TRANSMIT } else { 0 };
        let control = field_shared!(self.0, control_1).read();
        field!(self.0, control_1).write(control & !(RECEIVE | TRANSMIT) | enabled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_switched_on_and_keeps_its_speed() {
        let mut block = [0u32; 46];
        // As a boot loader leaves it: on, with the received-data and the transmitter-empty interrupt, its speed and its format.
        (block[0x80 / 4], block[0x84 / 4], block[0x8c / 4], block[0x90 / 4]) = (0x41, 0x4027, 0x8001, 0xa81);
        (block[0xa4 / 4], block[0xa8 / 4], block[0xb4 / 4]) = (0xf, 0x68, EMPTY);
        let address = NonNull::new(block.as_mut_ptr()).unwrap();
        // SAFETY: the block is a register block in memory, and this test's own.
        let line = Line::new(unsafe { Imx::new(address.cast()) }, Some(59));
        // SAFETY: as above.
        let at = |offset: usize| unsafe { address.add(offset / 4).read_volatile() };
        // SAFETY: as above.
        let set = |offset: usize, value: u32| unsafe { address.add(offset / 4).write_volatile(value) };
        assert_eq!((at(0x80), at(0x84), at(0x8c)), (ON | RECEIVE, 0x4027, 0x8000));
        // The clock's divider in the middle of UFCR stays.
        assert_eq!((at(0x90), at(0xa4), at(0xa8)), (0xa81, 0xf, 0x68));
        assert!(line.has_room() && !line.is_idle() && line.get().is_none());
        set(0x98, IDLE);
        set(0xb4, FULL);
        set(0x00, 0x8041);
        assert!(!line.has_room() && line.is_idle());
        assert_eq!(line.get(), Some(0x41));
        set(0x00, 0x8041 | WRONG);
        assert_eq!(line.get(), None);
        line.put(b'x');
        line.set_transmit_interrupt(true);
        assert_eq!((at(0x40), at(0x80)), (u32::from(b'x'), ON | RECEIVE | TRANSMIT));
        line.set_receive_interrupt(false);
        assert_eq!((at(0x80), line.interrupt()), (ON | TRANSMIT, Some(59)));
    }
}
