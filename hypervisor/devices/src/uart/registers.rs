//! Register offsets and bits of the PL011 (DDI 0183 chapter 3), as far as the emulation has them.

/// Data register; reads carry the error bits of the character in bits 11:8.
pub const DR: u64 = 0x000;
/// Receive status register; writing anything clears the errors (ECR).
pub const RSR: u64 = 0x004;
/// Flag register.
pub const FR: u64 = 0x018;
/// IrDA low-power counter; kept, without effect.
pub const ILPR: u64 = 0x020;
/// Integer part of the baud rate divisor; kept, without effect.
pub const IBRD: u64 = 0x024;
/// Fractional part of the baud rate divisor; kept, without effect.
pub const FBRD: u64 = 0x028;
/// Line control register.
pub const LCR_H: u64 = 0x02c;
/// Control register.
pub const CR: u64 = 0x030;
/// Interrupt FIFO level select register.
pub const IFLS: u64 = 0x034;
/// Interrupt mask set/clear register; a set bit lets the interrupt through.
pub const IMSC: u64 = 0x038;
/// Raw interrupt status.
pub const RIS: u64 = 0x03c;
/// Masked interrupt status.
pub const MIS: u64 = 0x040;
/// Interrupt clear register.
pub const ICR: u64 = 0x044;
/// DMA control register; kept, without effect.
pub const DMACR: u64 = 0x048;
/// First of the eight identification registers, PeriphID0 to 3 and PCellID0 to 3.
pub const ID: u64 = 0xfe0;

/// PeriphID: part 0x011, designer 0x41 (Arm), revision 3 (r1p5, so that drivers count on 32-entry FIFOs), then PCellID.
pub const ID_VALUES: [u8; 8] = [0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

/// DR: break error; the character is zero.
pub const DR_BE: u32 = 1 << 10;
/// DR: overrun error.
pub const DR_OE: u32 = 1 << 11;
/// RSR: break error.
pub const RSR_BE: u32 = 1 << 2;
/// RSR: overrun error.
pub const RSR_OE: u32 = 1 << 3;

/// FR: clear to send.
pub const FR_CTS: u32 = 1 << 0;
/// FR: data set ready.
pub const FR_DSR: u32 = 1 << 1;
/// FR: data carrier detect.
pub const FR_DCD: u32 = 1 << 2;
/// FR: a character is being sent or waits in the transmit FIFO.
pub const FR_BUSY: u32 = 1 << 3;
/// FR: receive FIFO empty.
pub const FR_RXFE: u32 = 1 << 4;
/// FR: transmit FIFO full.
pub const FR_TXFF: u32 = 1 << 5;
/// FR: receive FIFO full.
pub const FR_RXFF: u32 = 1 << 6;
/// FR: transmit FIFO empty.
pub const FR_TXFE: u32 = 1 << 7;
/// FR: ring indicator.
pub const FR_RI: u32 = 1 << 8;

/// LCR_H: send break.
pub const LCR_BRK: u32 = 1 << 0;
/// LCR_H: FIFOs enabled; else each is one character deep.
pub const LCR_FEN: u32 = 1 << 4;
/// LCR_H: all bits that exist.
pub const LCR_MASK: u32 = 0xff;
/// LCR_H: 8 data bits, no parity, one stop bit, FIFOs enabled.
pub const LCR_8N1_FIFO: u32 = 0x70;

/// CR: UART enable.
pub const CR_UARTEN: u32 = 1 << 0;
/// CR: loopback enable.
pub const CR_LBE: u32 = 1 << 7;
/// CR: transmit enable.
pub const CR_TXE: u32 = 1 << 8;
/// CR: receive enable.
pub const CR_RXE: u32 = 1 << 9;
/// CR: data terminal ready.
pub const CR_DTR: u32 = 1 << 10;
/// CR: request to send.
pub const CR_RTS: u32 = 1 << 11;
/// CR: output 1, the carrier detect of loopback.
pub const CR_OUT1: u32 = 1 << 12;
/// CR: output 2, the ring indicator of loopback.
pub const CR_OUT2: u32 = 1 << 13;
/// CR: all bits that exist.
pub const CR_MASK: u32 = 0xff87;

/// ILPR: all bits that exist.
pub const ILPR_MASK: u32 = 0xff;
/// IBRD: all bits that exist.
pub const IBRD_MASK: u32 = 0xffff;
/// FBRD: all bits that exist.
pub const FBRD_MASK: u32 = 0x3f;
/// IFLS: all bits that exist.
pub const IFLS_MASK: u32 = 0x3f;
/// DMACR: all bits that exist.
pub const DMACR_MASK: u32 = 7;

/// Interrupt: ring indicator changed.
pub const INT_RI: u32 = 1 << 0;
/// Interrupt: clear to send changed.
pub const INT_CTS: u32 = 1 << 1;
/// Interrupt: carrier detect changed.
pub const INT_DCD: u32 = 1 << 2;
/// Interrupt: data set ready changed.
pub const INT_DSR: u32 = 1 << 3;
/// Interrupt: receive FIFO at its trigger level.
pub const INT_RX: u32 = 1 << 4;
/// Interrupt: transmit FIFO at its trigger level.
pub const INT_TX: u32 = 1 << 5;
/// Interrupt: receive timeout.
pub const INT_RT: u32 = 1 << 6;
/// Interrupt: break error.
pub const INT_BE: u32 = 1 << 9;
/// Interrupt: overrun error.
pub const INT_OE: u32 = 1 << 10;
/// All interrupts.
pub const INT_MASK: u32 = 0x7ff;
