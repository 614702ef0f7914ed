//! UARTs with the registers of a 16550 (National Semiconductor PC16550D), wherever they lie: Synopsys' DesignWare APB UART,
//! those of MediaTek, TI and NVIDIA, and plain ones. The speed that firmware has set up is kept.

use portcullis_board::SerialPort;
use spin::Once;

use super::line::{Line, Registers, Wanted};
use crate::driver::{DrivenDevice, Driver, Layout, Offer};

/// Line status where each register is a word.
const WORD_STATUS: u64 = (STATUS as u64) << 2;

/// Plain ones. Their tree says how the registers lie; else each is the next byte.
pub static PLAIN: Driver = Driver {
    name: "a 16550",
    compatible: &[b"ns16550a", b"ns16550", b"snps,dw-apb-uart", b"nvidia,tegra20-uart"],
    offer: Offer::Serial(bind_plain, WORD_STATUS),
};

/// Those whose binding says that each register is a word.
pub static WORDS: Driver = Driver {
    name: "a 16550 of words",
    compatible: &[b"mediatek,mt6577-uart"],
    offer: Offer::Serial(bind_words, WORD_STATUS),
};

/// TI's. Each register is a word, too, and they interrupt early if nobody tells them otherwise.
pub static TI: Driver = Driver {
    name: "a UART of TI's",
    compatible: &[b"ti,am654-uart", b"ti,omap4-uart", b"ti,omap3-uart"],
    offer: Offer::Serial(bind_ti, WORD_STATUS),
};

/// The registers by their numbers: data, interrupt enable, FIFO control and, read, interrupt identification, line status.
const DATA: usize = 0;
const ENABLE: usize = 1;
const FIFO: usize = 2;
const IDENTIFICATION: usize = 2;
const STATUS: usize = 5;
/// Supplementary control of TI's (AM65x Technical Reference Manual, UART_SCR).
const TI_CONTROL: usize = 0x10;
/// UART status of Synopsys' (DesignWare DW_apb_uart Databook, USR).
const SYNOPSYS_STATUS: usize = 0x1f;

/// Interrupts: something was received; the transmit FIFO is empty.
const RECEIVE: u32 = 1 << 0;
const TRANSMIT: u32 = 1 << 1;
/// FIFO control: they are on, and the receiver interrupts for each byte.
const FIFOS: u32 = 1 << 0;
/// Identification: the FIFOs are on; which interrupt it is, none, characters that nobody has read for a while, and a Synopsys'
/// that was busy when it was set up.
const FIFOS_ON: u32 = 0b11 << 6;
const WHICH: u32 = 0xf;
const TIMEOUT: u32 = 0xc;
const BUSY: u32 = 0x7;
/// Line status: something was received; it came with an error of parity or framing, or is a break; the transmit FIFO is empty;
/// the last bit is out.
const READY: u32 = 1 << 0;
const WRONG: u32 = 0b111 << 2;
const EMPTY: u32 = 1 << 5;
const IDLE: u32 = 1 << 6;
/// TI: the interrupt for room comes when the FIFO is empty.
const TI_WHEN_EMPTY: u32 = 1 << 3;
/// Bytes of a transmit FIFO, at least.
const DEPTH: usize = 16;

/// The width of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Byte,
    Half,
    Word,
}

/// Where the registers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    address: usize,
    shift: u32,
    width: Width,
}

impl Place {
    /// The registers at `address`, as the tree says they lie, or else as `usual`. None: no registers lie so.
    fn new(address: u64, told: Layout, usual: Layout) -> Option<Self> {
        let shift = told.shift.or(usual.shift).unwrap_or(0);
        let width = told.width.or(usual.width).unwrap_or(1);
        let width_is = match width {
            1 => Width::Byte,
            2 => Width::Half,
            4 => Width::Word,
            _ => return None,
        };
        // Wider registers than their distance would overlap.
        let fits = shift <= 4 && width <= 1 << shift && address != 0 && address.is_multiple_of(width.into());
        fits.then_some(Self { address: address as usize, shift, width: width_is })
    }

    fn register(self, number: usize) -> usize {
        self.address.wrapping_add(number << self.shift)
    }
}

/// Whether there are UARTs whose registers lie as the tree says.
pub fn is_possible(driver: &'static Driver, told: Layout) -> bool {
    usual(driver).is_none_or(|usual| Place::new(0x1000, told, usual).is_some())
}

/// Whether each register is a word, a word from the next one; true of UARTs that are no 16550.
pub fn has_words(driver: &'static Driver, told: Layout) -> bool {
    usual(driver).is_none_or(|usual| {
        Place::new(0x1000, told, usual).is_some_and(|place| (place.shift, place.width) == (2, Width::Word))
    })
}

/// How the registers lie if the tree does not tell; none for a driver of other registers.
fn usual(driver: &'static Driver) -> Option<Layout> {
    const WORD: Layout = Layout { shift: Some(2), width: Some(4) };
    match driver {
        driver if *driver == PLAIN => Some(Layout { shift: None, width: None }),
        driver if *driver == WORDS || *driver == TI => Some(WORD),
        _ => None,
    }
}

/// A UART like a 16550.
pub struct Ns16550 {
    place: Place,
    /// Bytes that it takes when its FIFO is empty.
    depth: usize,
}

static UART: Once<Line<Ns16550>> = Once::new();

/// Takes over the board's. Safety: as [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice, prepare: impl FnOnce(&Ns16550)) -> Option<&'static dyn SerialPort> {
    let place = Place::new(device.registers.start, device.layout, usual(device.driver)?)?;
    let make = || {
        // SAFETY: passed on to the caller; the static makes sure that there is one driver.
        let uart = unsafe { Ns16550::new(place) };
        prepare(&uart);
        Line::new(uart, device.intid)
    };
    let port = UART.call_once(make);
    port.wire(device.intid);
    Some(port)
}

unsafe fn bind_plain(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    // SAFETY: passed on to the caller.
    unsafe { bind(device, |_| ()) }
}

unsafe fn bind_words(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    // SAFETY: passed on to the caller.
    unsafe { bind(device, |_| ()) }
}

unsafe fn bind_ti(device: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    // SAFETY: passed on to the caller.
    unsafe { bind(device, |uart| uart.write(TI_CONTROL, uart.read(TI_CONTROL) | TI_WHEN_EMPTY)) }
}

impl Ns16550 {
    /// Takes over the UART at this place, and has it use its FIFOs.
    ///
    /// # Safety
    ///
    /// Its registers must be there, mapped as device memory and used by nothing else.
    unsafe fn new(place: Place) -> Self {
        let mut uart = Self { place, depth: 1 };
        uart.write(FIFO, FIFOS);
        if uart.read(IDENTIFICATION) & FIFOS_ON == FIFOS_ON {
            uart.depth = DEPTH;
        }
        uart
    }

    fn read(&self, number: usize) -> u32 {
        let at = self.place.register(number);
        // SAFETY: `new` was promised that the registers are there. Only data, identification and Synopsys' status change by it.
        unsafe {
            match self.place.width {
                Width::Byte => (at as *const u8).read_volatile().into(),
                Width::Half => (at as *const u16).read_volatile().into(),
                Width::Word => (at as *const u32).read_volatile(),
            }
        }
    }

    fn write(&self, number: usize, value: u32) {
        let at = self.place.register(number);
        // SAFETY: as above.
        unsafe {
            match self.place.width {
                Width::Byte => (at as *mut u8).write_volatile(value as u8),
                Width::Half => (at as *mut u16).write_volatile(value as u16),
                Width::Word => (at as *mut u32).write_volatile(value),
            }
        }
    }
}

impl Registers for Ns16550 {
    fn room(&self) -> usize {
        if self.read(STATUS) & EMPTY == 0 { 0 } else { self.depth }
    }

    fn is_idle(&self) -> bool {
        self.read(STATUS) & IDLE != 0
    }

    fn put(&mut self, byte: u8) {
        self.write(DATA, byte.into());
    }

    fn get(&mut self) -> Option<u8> {
        let status = self.read(STATUS);
        if status & READY != 0 {
            let byte = self.read(DATA) as u8;
            return (status & WRONG == 0).then_some(byte);
        }
        // Interrupts that nothing else takes back: that a character waits which does not, and one of Synopsys'.
        match self.read(IDENTIFICATION) & WHICH {
            TIMEOUT => _ = self.read(DATA),
            BUSY => _ = self.read(SYNOPSYS_STATUS),
            _ => {}
        }
        None
    }

    fn set_interrupts(&mut self, wanted: Wanted) {
        self.write(ENABLE, if wanted.receive { RECEIVE } else { 0 } | if wanted.transmit { TRANSMIT } else { 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of registers at 4 bytes each, and a UART in it that has `identification`.
    fn at(block: &mut [u32; 32], identification: u32, width: u32) -> Ns16550 {
        let layout = Layout { shift: Some(2), width: Some(width) };
        let place = Place::new(block.as_mut_ptr() as u64, layout, Layout::default()).unwrap();
        // SAFETY: the block is a register block in memory, and the test's own.
        let mut uart = unsafe { Ns16550::new(place) };
        assert_eq!(uart.read(FIFO), FIFOS);
        uart.depth = if identification & FIFOS_ON == FIFOS_ON { DEPTH } else { 1 };
        uart.write(IDENTIFICATION, identification);
        uart
    }

    #[test]
    fn it_takes_a_whole_fifo_when_that_is_empty() {
        for (identification, depth) in [(0xc1, 16), (0x01, 1)] {
            for width in [1, 2, 4] {
                let mut block = [0; 32];
                let mut uart = at(&mut block, identification, width);
                assert_eq!((uart.room(), uart.is_idle()), (0, false));
                uart.write(STATUS, EMPTY | IDLE);
                assert_eq!((uart.room(), uart.is_idle()), (depth, true));
                uart.put(b'x');
                uart.set_interrupts(Wanted { receive: true, transmit: true });
                assert_eq!((uart.read(DATA), uart.read(ENABLE)), (u32::from(b'x'), RECEIVE | TRANSMIT));
                uart.set_interrupts(Wanted::default());
                // Neither the speed's latch nor the line control nor the modem's were touched.
                let Ns16550 { place, .. } = uart;
                let untouched = [3, 4].map(|number| uart.read(number));
                assert_eq!((untouched, place.register(1) - place.register(0)), ([0; 2], 4));
            }
        }
    }

    #[test]
    fn what_came_with_an_error_is_dropped() {
        let mut block = [0; 32];
        let mut uart = at(&mut block, 0xc1, 4);
        assert_eq!(uart.get(), None);
        uart.write(STATUS, READY);
        uart.write(DATA, 0x41);
        assert_eq!(uart.get(), Some(0x41));
        for error in [1 << 2, 1 << 3, 1 << 4] {
            uart.write(STATUS, READY | error);
            assert_eq!(uart.get(), None, "{error:#b}");
        }
        // Overrun: the one before it was good.
        uart.write(STATUS, READY | 1 << 1);
        assert_eq!(uart.get(), Some(0x41));
    }

    #[test]
    fn registers_lie_as_the_tree_says_or_as_usual() {
        let told = |shift, width| Layout { shift, width };
        let place = |layout, driver| Place::new(0x1000, layout, usual(driver).unwrap());
        let of = |place: Option<Place>| place.map(|place| (place.register(5), place.width));
        assert_eq!(of(place(told(None, None), &PLAIN)), Some((0x1005, Width::Byte)));
        assert_eq!(of(place(told(Some(2), Some(4)), &PLAIN)), Some((0x1014, Width::Word)));
        assert_eq!(of(place(told(Some(2), None), &PLAIN)), Some((0x1014, Width::Byte)));
        assert_eq!(of(place(told(Some(1), Some(2)), &PLAIN)), Some((0x100a, Width::Half)));
        for driver in [&WORDS, &TI] {
            assert_eq!(of(place(told(None, None), driver)), Some((0x1014, Width::Word)));
        }
    }

    #[test]
    fn a_width_that_does_not_exist_is_refused() {
        for (shift, width) in [(2, 3), (2, 0), (2, 8), (2, u32::MAX), (0, 4), (1, 4), (5, 1), (u32::MAX, 1)] {
            let told = Layout { shift: Some(shift), width: Some(width) };
            assert!(!is_possible(&PLAIN, told), "{told:?}");
            assert!(is_possible(&crate::drivers::pl011::DRIVER, told), "others have a form of their own");
        }
        let layout = Layout { shift: Some(2), width: Some(4) };
        assert_eq!(Place::new(0, layout, layout), None);
        assert_eq!(Place::new(0x1002, layout, layout), None);
    }
}
