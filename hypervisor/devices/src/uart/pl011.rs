//! The UART's state and what register accesses do to it.

use super::fifo::{DEPTH, Fifo};
use super::registers::*;

/// An emulated PL011.
///
/// It wakes up as firmware would leave it: enabled, 8N1, FIFOs on, 115200 baud of a 24 MHz clock. So a guest that writes
/// its first character without setting anything up (`earlycon`, bare-metal programs written for QEMU) is heard.
/// The line is as fast as the caller takes characters: while it does not, the transmit FIFO fills and FR shows TXFF.
#[derive(Clone, Debug)]
pub struct Pl011 {
    pub(super) cr: u32,
    pub(super) imsc: u32,
    pub(super) ris: u32,
    pub(super) transmit: Fifo<u8>,
    pub(super) receive: Fifo<u16>,
    pub(super) transmit_trigger: usize,
    pub(super) receive_trigger: usize,
    pub(super) depth: usize,
    pub(super) lcr: u32,
    pub(super) ifls: u32,
    pub(super) rsr: u32,
    pub(super) overrun: bool,
    pub(super) modem: u32,
    pub(super) ilpr: u32,
    pub(super) ibrd: u32,
    pub(super) fbrd: u32,
    pub(super) dmacr: u32,
}

/// The modem inputs outside loopback: a terminal is always there.
const MODEM_CONNECTED: u32 = FR_CTS | FR_DSR | FR_DCD;
/// Mark of a character in the receive FIFO that came from the line, and not by loopback. Above the error bits.
pub(super) const FROM_LINE: u16 = 1 << 15;
/// IFLS after reset: both triggers at one half.
const IFLS_RESET: u32 = 0x12;

impl Pl011 {
    /// A UART as firmware leaves it.
    pub const fn new() -> Self {
        Self {
            cr: CR_UARTEN | CR_TXE | CR_RXE,
            imsc: 0,
            ris: 0,
            transmit: Fifo::new(0),
            receive: Fifo::new(0),
            transmit_trigger: DEPTH / 2,
            receive_trigger: DEPTH / 2,
            depth: DEPTH,
            lcr: LCR_8N1_FIFO,
            ifls: IFLS_RESET,
            rsr: 0,
            overrun: false,
            modem: MODEM_CONNECTED,
            ilpr: 0,
            ibrd: 13,
            fbrd: 1,
            dmacr: 0,
        }
    }

    /// The state after the VM's reset. Characters that wait to be sent are kept: the person at the terminal shall see
    /// the guest's last words.
    pub fn reset(&mut self) {
        let transmit = self.transmit.clone();
        *self = Self { transmit, ..Self::new() };
    }

    /// Whether the interrupt line is high: MIS is not zero.
    #[inline]
    pub const fn irq_level(&self) -> bool {
        self.ris & self.imsc != 0
    }

    /// Reads the register at `offset` bytes into the frame. Unknown and unaligned offsets read as zero. A narrower access
    /// takes the low bits of the result.
    pub fn read(&mut self, offset: u64) -> u32 {
        match offset {
            FR => self.flags(),
            DR => self.read_data(),
            RIS => self.ris,
            MIS => self.ris & self.imsc,
            IMSC => self.imsc,
            CR => self.cr,
            RSR => self.rsr,
            ILPR => self.ilpr,
            IBRD => self.ibrd,
            FBRD => self.fbrd,
            LCR_H => self.lcr,
            IFLS => self.ifls,
            DMACR => self.dmacr,
            ID.. if offset & 3 == 0 => {
                let index = usize::try_from((offset - ID) >> 2).unwrap_or(usize::MAX);
                ID_VALUES.get(index).copied().map_or(0, u32::from)
            }
            _ => 0,
        }
    }

    /// Writes the register at `offset` bytes into the frame. Unknown, unaligned and read-only offsets ignore it. A narrower
    /// access is extended with zeros. After a write of DR or CR the caller takes what [`Self::transmitted`] yields.
    pub fn write(&mut self, offset: u64, value: u32) {
        match offset {
            DR => self.write_data(value),
            ICR => self.clear_interrupts(value),
            IMSC => self.imsc = value & INT_MASK,
            CR => self.write_control(value & CR_MASK),
            RSR => self.rsr = 0,
            ILPR => self.ilpr = value & ILPR_MASK,
            IBRD => self.ibrd = value & IBRD_MASK,
            FBRD => self.fbrd = value & FBRD_MASK,
            LCR_H => self.write_line_control(value & LCR_MASK),
            IFLS => {
                self.ifls = value & IFLS_MASK;
                self.set_triggers();
                self.announce_received();
            }
            DMACR => self.dmacr = value & DMACR_MASK,
            _ => {}
        }
    }

    /// Takes the next character that has left for the line; none while the transmitter is off, in loopback, or has nothing.
    /// To be called only when there is room for the character: what is not taken is what slows the guest down.
    #[inline]
    pub fn transmitted(&mut self) -> Option<u8> {
        if self.cr & (CR_UARTEN | CR_TXE | CR_LBE) != CR_UARTEN | CR_TXE { None } else { self.shift_out() }
    }

    /// Whether [`Self::receive`] would keep a character now.
    pub const fn can_receive(&self) -> bool {
        self.is_receiving() && self.cr & CR_LBE == 0 && self.receive.len() < self.depth
    }

    /// A character arrives on the line. False if it was lost: the receiver is off or in loopback, or the FIFO is full,
    /// which the guest sees as an overrun.
    pub fn receive(&mut self, byte: u8) -> bool {
        self.cr & CR_LBE == 0 && self.store(u16::from(byte) | FROM_LINE)
    }

    const fn is_receiving(&self) -> bool {
        self.cr & (CR_UARTEN | CR_RXE) == CR_UARTEN | CR_RXE
    }

    fn flags(&self) -> u32 {
        let mut flags = self.modem;
        flags |= match self.transmit.len() {
            0 => FR_TXFE,
            len if len >= self.depth => FR_BUSY | FR_TXFF,
            _ => FR_BUSY,
        };
        flags
            | match self.receive.len() {
                0 => FR_RXFE,
                len if len >= self.depth => FR_RXFF,
                _ => 0,
            }
    }

    fn read_data(&mut self) -> u32 {
        let Some(cell) = self.receive.pop() else { return 0 };
        if self.receive.len() < self.receive_trigger {
            self.ris &= !INT_RX;
        }
        if self.receive.len() == 0 {
            self.ris &= !(INT_RX | INT_RT);
        }
        let mut value = u32::from(cell & !FROM_LINE);
        // RSR takes over the errors of the character read; its overrun stays until ECR is written.
        self.rsr = (self.rsr & RSR_OE) | (value >> 8 & RSR_BE);
        if core::mem::take(&mut self.overrun) {
            value |= DR_OE;
        }
        value
    }

    #[inline]
    fn write_data(&mut self, value: u32) {
        // A character written to a full FIFO is lost, as on hardware; TXFF told the guest.
        if self.transmit.len() < self.depth {
            self.transmit.push(value as u8);
        }
        if self.transmit.len() > self.transmit_trigger {
            self.ris &= !INT_TX;
        }
        if self.cr & CR_LBE != 0 {
            self.loop_back();
        }
    }

    /// A character leaves the transmit FIFO. The interrupt is an event of the level sinking to the trigger or below
    /// (DDI 0183 section 2.8.3): it is not there before something was sent.
    #[inline]
    fn shift_out(&mut self) -> Option<u8> {
        let byte = self.transmit.pop()?;
        if self.transmit.len() <= self.transmit_trigger {
            self.ris |= INT_TX;
        }
        Some(byte)
    }

    /// In loopback every character sent is received at once.
    fn loop_back(&mut self) {
        if self.cr & (CR_UARTEN | CR_TXE | CR_LBE) != CR_UARTEN | CR_TXE | CR_LBE {
            return;
        }
        for _ in 0..DEPTH {
            let Some(byte) = self.shift_out() else { return };
            self.store(u16::from(byte));
        }
    }

    /// Puts a character with its error bits into the receive FIFO. The receive timeout, 32 bit times without another
    /// character, is taken to be over at once: the guest is never left waiting with characters below the trigger.
    fn store(&mut self, cell: u16) -> bool {
        if !self.is_receiving() {
            return false;
        }
        if self.receive.len() >= self.depth || !self.receive.push(cell) {
            self.overrun = true;
            self.rsr |= RSR_OE;
            self.ris |= INT_OE;
            return false;
        }
        self.announce_received();
        true
    }

    /// Pends what the receive FIFO's level stands for: RX at the trigger level, RT if it holds anything.
    const fn announce_received(&mut self) {
        if self.receive.len() >= self.receive_trigger {
            self.ris |= INT_RX;
        }
        if self.lcr & LCR_FEN != 0 && self.receive.len() != 0 {
            self.ris |= INT_RT;
        }
    }

    /// The guest clears interrupts. The receive FIFO is looked at again: a driver that drains it first and clears then hears
    /// of what came in between, as on a board, where the receive timeout runs anew while anything is there (DDI 0183
    /// section 2.8.4). All others are events, the transmit interrupt too (section 2.8.3): cleared, they come with the next.
    const fn clear_interrupts(&mut self, value: u32) {
        self.ris &= !value;
        self.announce_received();
    }

    fn write_control(&mut self, value: u32) {
        self.cr = value;
        self.set_modem();
        self.loop_back();
    }

    fn write_line_control(&mut self, value: u32) {
        let changed = self.lcr ^ value;
        self.lcr = value;
        if changed & LCR_FEN != 0 {
            // A FIFO that is switched is flushed of what the guest has put there itself. What was typed, perhaps while the guest
            // had not set up its UART, is not lost; nor is what the guest has sent.
            self.receive.retain(|cell| cell & FROM_LINE != 0);
            self.ris &= !(INT_RX | INT_RT);
            self.set_triggers();
            self.announce_received();
        }
        if changed & value & LCR_BRK != 0 && self.cr & CR_LBE != 0 && self.store(DR_BE as u16) {
            self.ris |= INT_BE;
        }
    }

    /// Recomputes depth and trigger levels from LCR_H and IFLS; reserved selections count as one half.
    fn set_triggers(&mut self) {
        let level = |select: u32| match select & 7 {
            0 => DEPTH / 8,
            1 => DEPTH / 4,
            3 => DEPTH / 4 * 3,
            4 => DEPTH / 8 * 7,
            _ => DEPTH / 2,
        };
        (self.depth, self.transmit_trigger, self.receive_trigger) =
            if self.lcr & LCR_FEN != 0 { (DEPTH, level(self.ifls), level(self.ifls >> 3)) } else { (1, 0, 1) };
    }

    /// Recomputes all that follows from the registers, after these were restored.
    pub(super) fn derive(&mut self) {
        self.set_triggers();
        self.modem = self.modem_inputs();
    }

    fn modem_inputs(&self) -> u32 {
        let wire = |output: u32, input: u32| if self.cr & output != 0 { input } else { 0 };
        if self.cr & CR_LBE != 0 {
            wire(CR_RTS, FR_CTS) | wire(CR_DTR, FR_DSR) | wire(CR_OUT1, FR_DCD) | wire(CR_OUT2, FR_RI)
        } else {
            MODEM_CONNECTED
        }
    }

    /// Recomputes the modem inputs; each one that changes raises its interrupt.
    fn set_modem(&mut self) {
        let modem = self.modem_inputs();
        let changed = modem ^ self.modem;
        self.modem = modem;
        for (flag, interrupt) in [(FR_RI, INT_RI), (FR_CTS, INT_CTS), (FR_DCD, INT_DCD), (FR_DSR, INT_DSR)] {
            if changed & flag != 0 {
                self.ris |= interrupt;
            }
        }
    }
}

impl Default for Pl011 {
    fn default() -> Self {
        Self::new()
    }
}
