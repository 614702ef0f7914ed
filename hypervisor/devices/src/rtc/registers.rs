//! Register offsets and bits of the PL031 (DDI 0224, chapter 3).

/// Data register: the seconds that the clock shows. Read-only.
pub const DR: u64 = 0x000;
/// Match register: the seconds at which the alarm goes off.
pub const MR: u64 = 0x004;
/// Load register: what is written is what the clock shows from then on; reads as what was written last.
pub const LR: u64 = 0x008;
/// Control register; bit 0: the clock runs, which it always does here.
pub const CR: u64 = 0x00c;
/// Interrupt mask set/clear register; bit 0 lets the interrupt through.
pub const IMSC: u64 = 0x010;
/// Raw interrupt status. Read-only.
pub const RIS: u64 = 0x014;
/// Masked interrupt status. Read-only.
pub const MIS: u64 = 0x018;
/// Interrupt clear register. Write-only.
pub const ICR: u64 = 0x01c;
/// First of the eight identification registers, PeriphID0 to 3 and PCellID0 to 3.
pub const ID: u64 = 0xfe0;

/// PeriphID: part 0x031, designer 0x41 (Arm), revision 1, which is that of QEMU's, one 32-bit free-running counter, then PCellID.
pub const ID_VALUES: [u8; 8] = [0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];
