//! Register offsets of the PL061 (DDI 0190, chapter 3). In each of them a bit stands for the line with its number.

/// Data register: 256 words, of which bits 9:2 of the address say which lines are meant.
pub const DATA: u64 = 0x000;
/// Direction register: 1 for an output.
pub const DIR: u64 = 0x400;
/// Interrupt sense register: 1 for levels, 0 for edges.
pub const IS: u64 = 0x404;
/// Interrupt both edges register.
pub const IBE: u64 = 0x408;
/// Interrupt event register: 1 for rising edges or high levels.
pub const IEV: u64 = 0x40c;
/// Interrupt mask register; 1 lets the interrupt through.
pub const IE: u64 = 0x410;
/// Raw interrupt status. Read-only.
pub const RIS: u64 = 0x414;
/// Masked interrupt status. Read-only.
pub const MIS: u64 = 0x418;
/// Interrupt clear register: forgets edges. Write-only.
pub const IC: u64 = 0x41c;
/// Mode control select register: kept, and without an effect, since no line has another use.
pub const AFSEL: u64 = 0x420;
/// First of the eight identification registers, PeriphID0 to 3 and PCellID0 to 3.
pub const ID: u64 = 0xfe0;

/// PeriphID: part 0x061, designer 0x41 (Arm), revision 0, then PCellID.
pub const ID_VALUES: [u8; 8] = [0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1];
