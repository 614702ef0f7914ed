//! The mini UART of a BCM2835's or BCM2711's auxiliary peripherals (BCM2711 ARM Peripherals, section 2.2). Its speed hangs
//! on the core clock, which only the firmware knows: what it has set up is kept.

use core::ptr::NonNull;

use portcullis_board::SerialPort;
use safe_mmio::{UniqueMmioPointer, field, field_shared, fields::ReadPureWrite, fields::ReadWrite};
use spin::{Once, mutex::TicketMutex};

use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver =
    Driver { name: "a BCM2835 mini UART", compatible: &[b"brcm,bcm2835-aux-uart"], offer: Offer::Serial(bind) };

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
/// AUX_MU_CNTL: receiver and transmitter are on.
const ON: u32 = 0b11;
/// Where its own registers begin behind those of all auxiliary peripherals.
const OFFSET: u64 = 0x40;

/// The registers of the auxiliary peripherals, as far as the mini UART's.
#[repr(C)]
pub struct Registers {
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

const _: () = assert!(core::mem::offset_of!(Registers, data) as u64 == OFFSET);
const _: () = assert!(core::mem::offset_of!(Registers, line_status) == 0x54);

/// A mini UART.
pub struct AuxUart {
    port: TicketMutex<Port>,
    interrupt: Option<u32>,
}

/// The registers, and what interrupts.
struct Port {
    registers: UniqueMmioPointer<'static, Registers>,
    interrupts: u32,
}

impl Port {
    fn set_interrupts(&mut self, interrupts: u32, enabled: bool) {
        self.interrupts = if enabled { self.interrupts | interrupts } else { self.interrupts & !interrupts };
        field!(self.registers, interrupt_enable).write(self.interrupts);
    }
}

static UART: Once<AuxUart> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    let registers = NonNull::new(device.registers.start.checked_sub(OFFSET)? as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(UART.call_once(|| unsafe { AuxUart::new(registers, device.intid) }))
}

impl AuxUart {
    /// Takes over the mini UART among the auxiliary peripherals at `address`, whose interrupt is `interrupt`.
    ///
    /// # Safety
    ///
    /// `address` must be that of their registers, mapped as device memory; nothing else may use the mini UART.
    pub unsafe fn new(address: NonNull<Registers>, interrupt: Option<u32>) -> Self {
        // SAFETY: passed on to the caller.
        let mut registers = unsafe { UniqueMmioPointer::new(address) };
        let enables = field_shared!(registers, enables).read();
        field!(registers, enables).write(enables | ENABLE);
        let control = field_shared!(registers, control).read();
        field!(registers, control).write(control | ON);
        field!(registers, interrupt_enable).write(RECEIVE);
        Self { port: TicketMutex::new(Port { registers, interrupts: RECEIVE }), interrupt }
    }
}

impl SerialPort for AuxUart {
    fn has_room(&self) -> bool {
        field_shared!(self.port.lock().registers, line_status).read() & ROOM != 0
    }

    fn put(&self, byte: u8) {
        let mut port = self.port.lock();
        field!(port.registers, data).write(byte.into());
    }

    fn send(&self, next: &mut dyn FnMut() -> Option<u8>) {
        let mut port = self.port.lock();
        while field_shared!(port.registers, line_status).read() & ROOM != 0
            && let Some(byte) = next()
        {
            field!(port.registers, data).write(byte.into());
        }
    }

    fn get(&self) -> Option<u8> {
        let mut port = self.port.lock();
        let ready = field_shared!(port.registers, line_status).read() & READY != 0;
        ready.then(|| field!(port.registers, data).read() as u8)
    }

    fn set_receive_interrupt(&self, enabled: bool) {
        self.port.lock().set_interrupts(RECEIVE, enabled);
    }

    fn set_transmit_interrupt(&self, enabled: bool) {
        self.port.lock().set_interrupts(TRANSMIT, enabled);
    }

    fn interrupt(&self) -> Option<u32> {
        self.interrupt
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
        let uart = unsafe { AuxUart::new(address.cast(), Some(125)) };
        // SAFETY: as above.
        let at = |offset: usize| unsafe { address.add(offset / 4).read_volatile() };
        // SAFETY: as above.
        let set = |offset: usize, value: u32| unsafe { address.add(offset / 4).write_volatile(value) };
        assert_eq!((at(0x04), at(0x44), at(0x60)), (0b111, 0b1101, 0b11));
        assert!(!uart.has_room() && uart.get().is_none());
        set(0x54, ROOM | READY);
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
