//! The board's serial line: an Arm PL011, by the `arm-pl011-uart` crate.

use core::ptr::NonNull;

use arm_pl011_uart::{DataBits, FifoLevel, Interrupts, LineConfig, PL011Registers, Parity, StopBits, Uart};
use portcullis_board::SerialPort;
use safe_mmio::UniqueMmioPointer;
use spin::{Once, mutex::TicketMutex};

use super::line::Wire;
use super::seize::seize;
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver = Driver { name: "a PL011", compatible: &[b"arm,pl011"], offer: Offer::Serial(bind, 0x18) };

/// Speed of a line that firmware has not set up, in baud.
const SPEED: u32 = 115_200;
/// Format of such a line.
const EIGHT_N_ONE: LineConfig =
    LineConfig { data_bits: DataBits::Bits8, parity: Parity::None, stop_bits: StopBits::One };

/// A PL011. Where firmware has set it up, its speed is kept.
pub struct Pl011 {
    port: TicketMutex<Port>,
    interrupt: Wire,
}

/// The registers, and what interrupts.
struct Port {
    uart: Uart<'static>,
    interrupts: Interrupts,
}

impl Port {
    fn set_interrupts(&mut self, interrupts: Interrupts, enabled: bool) {
        self.interrupts.set(interrupts, enabled);
        self.uart.set_interrupt_masks(self.interrupts);
    }
}

/// What stands for input: RX at the trigger level, RT below it.
const RECEIVE: Interrupts = Interrupts::RXI.union(Interrupts::RTI);

static PL011: Once<Pl011> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    let registers = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    let port = PL011.call_once(|| unsafe { Pl011::new(registers, device.intid, device.clock) });
    port.interrupt.wire(device.intid);
    Some(port)
}

/// Index of UARTCR among the 32-bit registers (DDI 0183, section 3.3.8), its enable bit, and those of the transmitter and the
/// receiver.
const CR: usize = 0x30 / 4;
const UARTEN: u32 = 1;
const BOTH_WAYS: u32 = 1 << 8 | 1 << 9;

impl Pl011 {
    /// Takes over the PL011 at `address`, whose interrupt is `interrupt`: it interrupts when something was received. With
    /// `clock`, in Hz, one that is off is switched on.
    ///
    /// # Safety
    ///
    /// `address` must be that of a PL011's registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<PL011Registers>, interrupt: Option<u32>, clock: Option<u32>) -> Self {
        // SAFETY: passed on to the caller.
        let place = unsafe { address.cast::<u32>().add(CR) };
        // SAFETY: as above; the register can be read at any time.
        let control = unsafe { place.read_volatile() };
        let enabled = control & UARTEN != 0;
        if enabled && control & BOTH_WAYS != BOTH_WAYS {
            // SAFETY: as above. Whoever has switched it on uses one direction alone, or none.
            unsafe { place.write_volatile(control | BOTH_WAYS) };
        }
        // SAFETY: passed on to the caller.
        let mut uart = Uart::new(unsafe { UniqueMmioPointer::new(address) });
        if let (false, Some(clock)) = (enabled, clock) {
            // The divider fails only for clocks too slow for this speed; the line then stays as it is.
            let _ = uart.enable(EIGHT_N_ONE, SPEED, clock);
        }
        uart.set_interrupt_fifo_levels(FifoLevel::Bytes4, FifoLevel::Bytes4);
        uart.set_interrupt_masks(RECEIVE);
        Self { port: TicketMutex::new(Port { uart, interrupts: RECEIVE }), interrupt: Wire::new(interrupt) }
    }
}

impl SerialPort for Pl011 {
    fn has_room(&self) -> bool {
        !self.port.lock().uart.is_tx_fifo_full()
    }

    fn put(&self, byte: u8) {
        self.port.lock().uart.write_word(byte);
    }

    fn send(&self, next: &mut dyn FnMut() -> Option<u8>) {
        let uart = &mut self.port.lock().uart;
        while !uart.is_tx_fifo_full()
            && let Some(byte) = next()
        {
            uart.write_word(byte);
        }
    }

    fn is_idle(&self) -> bool {
        // FR.BUSY stays until the last stop bit is out (DDI 0183, section 3.3.3).
        !self.port.lock().uart.is_busy()
    }

    fn get(&self) -> Option<u8> {
        // A character with an error of framing, parity or overrun is dropped: what it was is not known.
        self.port.lock().uart.read_word().ok().flatten()
    }

    fn set_receive_interrupt(&self, enabled: bool) {
        self.port.lock().set_interrupts(RECEIVE, enabled);
    }

    fn set_transmit_interrupt(&self, enabled: bool) {
        self.port.lock().set_interrupts(Interrupts::TXI, enabled);
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

    /// UARTCR after a port was taken over, of which it said this.
    fn after(control: u32) -> u32 {
        let block: &'static mut [u32; 0x400] = Box::leak(Box::new([0; 0x400]));
        block[CR] = control;
        let address = NonNull::new(block.as_mut_ptr()).unwrap();
        // SAFETY: the block is a register block in memory, and this test's own.
        let port = unsafe { Pl011::new(address.cast(), None, None) };
        // Whoever dies with the port in his hands can still write.
        core::mem::forget(port.port.lock());
        port.seize();
        port.put(b'x');
        // SAFETY: as above.
        unsafe { address.add(CR).read_volatile() }
    }

    #[test]
    fn one_that_is_on_sends_and_receives() {
        assert_eq!(after(0x301), 0x301);
        // Flow control stays.
        assert_eq!(after(0xc001), 0xc301);
        assert_eq!(after(0x101), 0x301);
        // One that is off, and of whose clock nobody knows, is left alone.
        assert_eq!(after(0), 0);
    }
}
