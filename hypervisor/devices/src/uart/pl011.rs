//! The UART's state and what register accesses do to it.

use tock_registers::LocalRegisterCopy;

use super::fifo::{DEPTH, Fifo};
use super::registers::*;

/// A register's value, with its fields.
pub(super) type Value<R> = LocalRegisterCopy<u32, R>;

/// An emulated PL011.
///
/// It wakes up as firmware would leave it: enabled, 8N1, FIFOs on, 115200 baud of a 24 MHz clock. So a guest that writes
/// its first character without setting anything up (`earlycon`, bare-metal programs written for QEMU) is heard.
/// The line is as fast as the caller takes characters: while it does not, the transmit FIFO fills and FR shows TXFF.
#[derive(Clone, Debug)]
pub struct Pl011 {
    pub(super) cr: Value<CR::Register>,
    pub(super) imsc: Value<INT::Register>,
    pub(super) ris: Value<INT::Register>,
    pub(super) transmit: Fifo<u8>,
    pub(super) receive: Fifo<u16>,
    pub(super) transmit_trigger: usize,
    pub(super) receive_trigger: usize,
    pub(super) depth: usize,
    pub(super) lcr: Value<LCR_H::Register>,
    pub(super) ifls: Value<IFLS::Register>,
    pub(super) rsr: Value<RSR::Register>,
    pub(super) overrun: bool,
    pub(super) modem: Value<FR::Register>,
    pub(super) ilpr: u32,
    pub(super) ibrd: u32,
    pub(super) fbrd: u32,
    pub(super) dmacr: u32,
}

/// The modem inputs outside loopback: a terminal is always there.
const MODEM_CONNECTED: Value<FR::Register> = Value::new(FR::CTS::SET.value | FR::DSR::SET.value | FR::DCD::SET.value);
/// Mark of a character in the receive FIFO that came from the line, and not by loopback. Above the error bits.
pub(super) const FROM_LINE: u16 = 1 << 15;
/// IFLS after reset: both triggers at one half.
const IFLS_RESET: u32 = 0x12;

impl Pl011 {
    /// A UART as firmware leaves it.
    pub const fn new() -> Self {
        Self {
            cr: Value::new(CR::UARTEN::SET.value | CR::TXE::SET.value | CR::RXE::SET.value),
            imsc: Value::new(0),
            ris: Value::new(0),
            transmit: Fifo::new(0),
            receive: Fifo::new(0),
            transmit_trigger: DEPTH / 2,
            receive_trigger: DEPTH / 2,
            depth: DEPTH,
            lcr: Value::new(LCR_8N1_FIFO),
            ifls: Value::new(IFLS_RESET),
            rsr: Value::new(0),
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
    pub fn irq_level(&self) -> bool {
        self.ris.get() & self.imsc.get() != 0
    }

    /// Reads the register at `offset` bytes into the frame. Unknown and unaligned offsets read as zero. A narrower access
    /// takes the low bits of the result.
    pub fn read(&mut self, offset: u64) -> u32 {
        match offset {
            FR => self.flags(),
            DR => self.read_data(),
            RIS => self.ris.get(),
            MIS => self.ris.get() & self.imsc.get(),
            IMSC => self.imsc.get(),
            CR => self.cr.get(),
            RSR => self.rsr.get(),
            ILPR => self.ilpr,
            IBRD => self.ibrd,
            FBRD => self.fbrd,
            LCR_H => self.lcr.get(),
            IFLS => self.ifls.get(),
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
            IMSC => self.imsc.set(value & exists::INT),
            CR => self.write_control(Value::new(value & exists::CR)),
            RSR => self.rsr.set(0),
            ILPR => self.ilpr = value & exists::ILPR,
            IBRD => self.ibrd = value & exists::IBRD,
            FBRD => self.fbrd = value & exists::FBRD,
            LCR_H => self.write_line_control(Value::new(value & exists::LCR_H)),
            IFLS => {
                self.ifls.set(value & exists::IFLS);
                self.set_triggers();
                self.announce_received();
            }
            DMACR => self.dmacr = value & exists::DMACR,
            _ => {}
        }
    }

    /// Takes the next character that has left for the line; none while the transmitter is off, in loopback, or has nothing.
    /// To be called only when there is room for the character: what is not taken is what slows the guest down.
    #[inline]
    pub fn transmitted(&mut self) -> Option<u8> {
        let is_sent = self.cr.matches_all(CR::UARTEN::SET + CR::TXE::SET + CR::LBE::CLEAR);
        if is_sent { self.shift_out() } else { None }
    }

    /// Whether [`Self::receive`] would keep a character now.
    pub fn can_receive(&self) -> bool {
        self.is_receiving() && !self.cr.is_set(CR::LBE) && self.receive.len() < self.depth
    }

    /// A character arrives on the line. False if it was lost: the receiver is off or in loopback, or the FIFO is full,
    /// which the guest sees as an overrun.
    pub fn receive(&mut self, byte: u8) -> bool {
        !self.cr.is_set(CR::LBE) && self.store(u16::from(byte) | FROM_LINE)
    }

    fn is_receiving(&self) -> bool {
        self.cr.matches_all(CR::UARTEN::SET + CR::RXE::SET)
    }

    fn flags(&self) -> u32 {
        let mut flags = self.modem;
        match self.transmit.len() {
            0 => flags.modify(FR::TXFE::SET),
            len if len >= self.depth => flags.modify(FR::BUSY::SET + FR::TXFF::SET),
            _ => flags.modify(FR::BUSY::SET),
        }
        match self.receive.len() {
            0 => flags.modify(FR::RXFE::SET),
            len if len >= self.depth => flags.modify(FR::RXFF::SET),
            _ => {}
        }
        flags.get()
    }

    fn read_data(&mut self) -> u32 {
        let Some(cell) = self.receive.pop() else { return 0 };
        if self.receive.len() < self.receive_trigger {
            self.ris.modify(INT::RX::CLEAR);
        }
        if self.receive.len() == 0 {
            self.ris.modify(INT::RX::CLEAR + INT::RT::CLEAR);
        }
        let mut value = u32::from(cell & !FROM_LINE);
        // RSR takes over the errors of the character read; its overrun stays until ECR is written.
        self.rsr.modify(RSR::BE.val(DR::BE.read(value)));
        if core::mem::take(&mut self.overrun) {
            value = DR::OE::SET.modify(value);
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
            self.ris.modify(INT::TX::CLEAR);
        }
        if self.cr.is_set(CR::LBE) {
            self.loop_back();
        }
    }

    /// A character leaves the transmit FIFO. The interrupt is an event of the level sinking to the trigger or below
    /// (DDI 0183 section 2.8.3): it is not there before something was sent.
    #[inline]
    fn shift_out(&mut self) -> Option<u8> {
        let byte = self.transmit.pop()?;
        if self.transmit.len() <= self.transmit_trigger {
            self.ris.modify(INT::TX::SET);
        }
        Some(byte)
    }

    /// In loopback every character sent is received at once.
    fn loop_back(&mut self) {
        if !self.cr.matches_all(CR::UARTEN::SET + CR::TXE::SET + CR::LBE::SET) {
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
            self.rsr.modify(RSR::OE::SET);
            self.ris.modify(INT::OE::SET);
            return false;
        }
        self.announce_received();
        true
    }

    /// Pends what the receive FIFO's level stands for: RX at the trigger level, RT if it holds anything.
    fn announce_received(&mut self) {
        if self.receive.len() >= self.receive_trigger {
            self.ris.modify(INT::RX::SET);
        }
        if self.lcr.is_set(LCR_H::FEN) && self.receive.len() != 0 {
            self.ris.modify(INT::RT::SET);
        }
    }

    /// The guest clears interrupts. The receive FIFO is looked at again: a driver that drains it first and clears then hears
    /// of what came in between, as on a board, where the receive timeout runs anew while anything is there (DDI 0183
    /// section 2.8.4). All others are events, the transmit interrupt too (section 2.8.3): cleared, they come with the next.
    fn clear_interrupts(&mut self, value: u32) {
        self.ris.set(self.ris.get() & !value);
        self.announce_received();
    }

    fn write_control(&mut self, value: Value<CR::Register>) {
        self.cr = value;
        self.set_modem();
        self.loop_back();
    }

    fn write_line_control(&mut self, value: Value<LCR_H::Register>) {
        let changed = self.lcr.get() ^ value.get();
        self.lcr = value;
        if LCR_H::FEN.is_set(changed) {
            // A FIFO that is switched is flushed of what the guest has put there itself. What was typed, perhaps while the guest
            // had not set up its UART, is not lost; nor is what the guest has sent.
            self.receive.retain(|cell| cell & FROM_LINE != 0);
            self.ris.modify(INT::RX::CLEAR + INT::RT::CLEAR);
            self.set_triggers();
            self.announce_received();
        }
        if LCR_H::BRK.is_set(changed & value.get()) && self.cr.is_set(CR::LBE) && self.store(DR::BE::SET.value as u16) {
            self.ris.modify(INT::BE::SET);
        }
    }

    /// Recomputes depth and trigger levels from LCR_H and IFLS; reserved selections count as one half.
    fn set_triggers(&mut self) {
        let level = |select: u32| match select {
            0 => DEPTH / 8,
            1 => DEPTH / 4,
            3 => DEPTH / 4 * 3,
            4 => DEPTH / 8 * 7,
            _ => DEPTH / 2,
        };
        (self.depth, self.transmit_trigger, self.receive_trigger) = if self.lcr.is_set(LCR_H::FEN) {
            (DEPTH, level(self.ifls.read(IFLS::TXIFLSEL)), level(self.ifls.read(IFLS::RXIFLSEL)))
        } else {
            (1, 0, 1)
        };
    }

    /// Recomputes all that follows from the registers, after these were restored.
    pub(super) fn derive(&mut self) {
        self.set_triggers();
        self.modem = self.modem_inputs();
    }

    fn modem_inputs(&self) -> Value<FR::Register> {
        if !self.cr.is_set(CR::LBE) {
            return MODEM_CONNECTED;
        }
        let wire = |output| self.cr.read(output);
        let mut inputs = Value::new(0);
        inputs.write(
            FR::CTS.val(wire(CR::RTS))
                + FR::DSR.val(wire(CR::DTR))
                + FR::DCD.val(wire(CR::OUT1))
                + FR::RI.val(wire(CR::OUT2)),
        );
        inputs
    }

    /// Recomputes the modem inputs; each one that changes raises its interrupt.
    fn set_modem(&mut self) {
        let modem = self.modem_inputs();
        let changed = modem.get() ^ self.modem.get();
        self.modem = modem;
        for (input, interrupt) in [(FR::RI, INT::RI), (FR::CTS, INT::CTS), (FR::DCD, INT::DCD), (FR::DSR, INT::DSR)] {
            if input.is_set(changed) {
                self.ris.modify(interrupt.val(1));
            }
        }
    }
}

impl Default for Pl011 {
    fn default() -> Self {
        Self::new()
    }
}
