//! Register offsets and bits of the PL011 (DDI 0183 chapter 3), as far as the emulation has them.

pub use super::fields::*;

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

/// The bits of each register that exist: what a guest writes to the others is lost.
pub mod exists {
    /// LCR_H.
    pub const LCR_H: u32 = 0xff;
    /// CR.
    pub const CR: u32 = 0xff87;
    /// ILPR.
    pub const ILPR: u32 = 0xff;
    /// IBRD.
    pub const IBRD: u32 = 0xffff;
    /// FBRD.
    pub const FBRD: u32 = 0x3f;
    /// IFLS.
    pub const IFLS: u32 = 0x3f;
    /// DMACR.
    pub const DMACR: u32 = 7;
    /// IMSC, RIS, MIS and ICR.
    pub const INT: u32 = 0x7ff;
}

/// LCR_H: 8 data bits, no parity, one stop bit, FIFOs enabled.
pub const LCR_8N1_FIFO: u32 = LCR_H::WLEN::Eight.value | LCR_H::FEN::SET.value;
