//! Identification registers, alike in every frame of a GICv3 (IHI 0069, section 12.1.8), and those of a GICv2's distributor
//! (IHI 0048, section 4.3.17).

/// GICD_IIDR and GICR_IIDR: implementer Arm (0x43b), product `P`.
pub const IIDR: u64 = 0x5000_043b;

/// Where the identification registers begin; the frame ends with them.
pub const FIRST: u64 = 0xffd0;

/// PIDR4 to PIDR7, PIDR0 to PIDR3, CIDR0 to CIDR3. PIDR2 says GICv3 in bits 7:4.
const REGISTERS: [u8; 12] = [0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1];

/// The same of a GICv2; PIDR2 says GICv2 in bits 7:4.
const REGISTERS_V2: [u8; 12] = [0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1];

/// The identification register at `offset` of a GICv3's frame, zero elsewhere.
pub fn read(offset: u64) -> u64 {
    nth(&REGISTERS, offset.wrapping_sub(FIRST))
}

/// The identification register at `offset` of a GICv2's distributor, whose frame has a sixteenth of the length.
pub fn read_v2(offset: u64) -> u64 {
    nth(&REGISTERS_V2, offset.wrapping_sub(FIRST & 0xfff))
}

fn nth(registers: &[u8], offset: u64) -> u64 {
    registers.get((offset >> 2) as usize).copied().unwrap_or(0).into()
}
