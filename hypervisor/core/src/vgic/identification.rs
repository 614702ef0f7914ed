//! Identification registers, alike in every frame (IHI 0069, section 12.1.8).

/// GICD_IIDR and GICR_IIDR: implementer Arm (0x43b), product `P`.
pub const IIDR: u64 = 0x5000_043b;

/// Where the identification registers begin; the frame ends with them.
pub const FIRST: u64 = 0xffd0;

/// PIDR4 to PIDR7, PIDR0 to PIDR3, CIDR0 to CIDR3. PIDR2 says GICv3 in bits 7:4.
const REGISTERS: [u8; 12] = [0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1];

/// The identification register at `offset`, zero elsewhere.
pub fn read(offset: u64) -> u64 {
    let index = (offset.wrapping_sub(FIRST) >> 2) as usize;
    REGISTERS.get(index).copied().unwrap_or(0).into()
}
