//! An access to a system register that trapped, as its syndrome has it.

/// ESR_ELx.EC: a system register access.
pub const EC_SYSTEM_REGISTER: u64 = 0x18;
/// ESR_ELx.ISS.Direction: a read.
pub const READ: u64 = 1;

/// Op0, Op1, CRn, CRm and Op2 of the register (Arm ARM, D19.2.37, "ISS encoding for an exception from MSR, MRS, or System
/// instruction"). But for Op0 they stand where those of MCR and MRC do in AArch32.
pub const fn register(syndrome: u64) -> [u64; 5] {
    [syndrome >> 20 & 3, syndrome >> 14 & 7, syndrome >> 10 & 0xf, syndrome >> 1 & 0xf, syndrome >> 17 & 7]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_register_is_where_it_stands() {
        // A write of S3_6_C9_C12_5 from x31, and a read of the same.
        let syndrome = EC_SYSTEM_REGISTER << 26 | 1 << 25 | 3 << 20 | 5 << 17 | 6 << 14 | 9 << 10 | 31 << 5 | 12 << 1;
        assert_eq!([syndrome, syndrome | READ].map(register), [[3, 6, 9, 12, 5]; 2]);
    }
}
