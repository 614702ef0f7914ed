//! The mini UART of a BCM2835's or BCM2711's auxiliary peripherals (BCM2711 ARM Peripherals, section 2.2). Its speed hangs
//! on the core clock, which only the firmware knows: what it has set up is kept.

use core::ptr::NonNull;

use portcullis_board::SerialPort;
use safe_mmio::{UniqueMmioPointer, field, field_shared, fields::ReadPureWrite, fields::ReadWrite};
use spin::Once;

use super::line::{Line, Registers, Wanted};
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver =
    Driver { name: "a BCM2835 mini UART", compatible: &[b"brcm,bcm2835-aux-uart"], offer: Offer::Serial(bind, 0x14) };

/// AUX_ENABLES: the mini UART.
const ENABLE: u32 = 1;
/// AUX_MU_IER: interrupt when there is something to read. Bits 2 and 3 have to be set with it (BCM2835's errata).
const RECEIVE: u32 = 0b1101;
/// AUX_MU_IER: interrupt when the transmit FIFO is empty.
const TRANSMIT: u32 = 0b0010;
/// AUX_MU_LSR: there is something to read.
const READY: u32 = 1 << 0;
/// AUX_MU_LSR: the transmit FIFO takes a byte.
const ROOM: u32 = 1 << 5;
/// AUX_MU_LSR: the transmit FIFO is empty, and the last bit is out.
const IDLE: u32 = 1 << 6;
/// AUX_MU_CNTL: receiver and transmitter are on.
const ON: u32 = 0b11;
/// Where its own registers begin behind those of all auxiliary peripherals.
const OFFSET: u64 = 0x40;

/// The registers of the auxiliary peripherals, as far as the mini UART's.
#[repr(C)]
pub struct Block {
    interrupts: u32,
    enables: ReadPureWrite<u32>,
    others: [u32; 14],
    data: ReadWrite<u32>,
    interrupt_enable: ReadPureWrite<u32>,
    interrupt_identification: u32,
    line_control: u32,
    modem_control: u32,
    line_status: ReadPureWrite<u32>,
    modem_status: u32,
    scratch: u32,
    control: ReadPureWrite<u32>,
}

const _: () = assert!(core::mem::offset_of!(Block, data) as u64 == OFFSET);
const _: () = assert!(core::mem::offset_of!(Block, line_status) == 0x54);

/// A mini UART.
pub struct AuxUart(UniqueMmioPointer<'static, Block>);

static UART: Once<Line<AuxUart>> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    let block = NonNull::new(device.registers.start.checked_sub(OFFSET)? as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    let port = UART.call_once(|| Line::new(unsafe { AuxUart::new(block) }, device.intid));
    port.wire(device.intid);
    Some(port)
}

impl AuxUart {
    /// Takes over the mini UART among the auxiliary peripherals at `address`.
    ///
    /// # Safety
    ///
    /// `address` must be that of their registers, mapped as device memory; nothing else may use the mini UART.
    pub unsafe fn new(address: NonNull<Block>) -> Self {
        // SAFETY: passed on to the caller.
        let mut block = unsafe { UniqueMmioPointer::new(address) };
        let enables = field_shared!(block, enables).read();
        field!(block, enables).write(enables | ENABLE);
        let control = field_shared!(block, control).read();
        field!(block, control).write(control | ON);
        Self(block)
    }

    fn status(&self) -> u32 {
        field_shared!(self.0, line_status).read()
    }
}

impl Registers for AuxUart {
    fn room(&self) -> usize {
        usize::from(self.status() & ROOM != 0)
    }

    fn is_idle(&self) -> bool {
        self.status() & IDLE != 0
    }

    fn put(&mut self, byte: u8) {
        field!(self.0, data).write(byte.into());
    }

    fn get(&mut self) -> Option<u8> {
        (self.status() & READY != 0).then(|| field!(self.0, data).read() as u8)
    }

    fn set_interrupts(&mut self, wanted: Wanted) {
        let enabled = if wanted.receive { RECEIVE } else { 0 } | if wanted.transmit { TRANSMIT } else { 0 };
        field!(self.0, interrupt_enable).write(enabled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_switched_on_beside_what_else_is() {
        let mut block = [0u32; 26];
        (block[1], block[0x60 / 4]) = (0b110, 0);
        let address = NonNull::new(block.as_mut_ptr()).unwrap();
        // SAFETY: the block is a register block in memory, and this test's own.
        let uart = Line::new(unsafe { AuxUart::new(address.cast()) }, Some(125));
        // SAFETY: as above.
        let at = |offset: usize| unsafe { address.add(offset / 4).read_volatile() };
        // SAFETY: as above.
        let set = |offset: usize, value: u32| unsafe { address.add(offset / 4).write_volatile(value) };
        assert_eq!((at(0x04), at(0x44), at(0x60)), (0b111, 0b1101, 0b11));
        assert!(!uart.has_room() && uart.get().is_none());
        assert!(!uart.is_idle());
        set(0x54, IDLE | ROOM | READY);
        assert!(uart.is_idle());
        set(0x40, 0x141);
        assert!(uart.has_room());
        assert_eq!(uart.get(), Some(0x41));
        uart.put(b'x');
        assert_eq!(at(0x40), u32::from(b'x'));
        uart.set_transmit_interrupt(true);
        assert_eq!(at(0x44), 0b1111);
        uart.set_transmit_interrupt(false);
        assert_eq!((at(0x44), uart.interrupt()), (0b1101, Some(125)));
        uart.set_receive_interrupt(false);
        assert_eq!(at(0x44), 0);
        uart.set_transmit_interrupt(true);
        assert_eq!(at(0x44), 0b0010);
        uart.set_receive_interrupt(true);
        assert_eq!(at(0x44), 0b1111);
    }
}
