//! The ID registers of group 3 by number, and those that EL2 itself asks.

use crate::read_sysreg;
use crate::registers::{ID_AA64MMFR0_EL1, Readable};

macro_rules! registers {
    ($crm:expr, $op2:expr; $($c:literal $o:literal => $name:literal),* $(,)?) => {
        match ($crm, $op2) {
            $(($c, $o) => read_sysreg!($name),)*
            _ => 0,
        }
    };
}

/// Reads S3_0_C0_C`crm`_`op2`; zero for those that the architecture has not given a meaning.
pub fn read(crm: u64, op2: u64) -> u64 {
    registers! { crm, op2;
        1 0 => "s3_0_c0_c1_0", 1 1 => "s3_0_c0_c1_1", 1 2 => "s3_0_c0_c1_2", 1 3 => "s3_0_c0_c1_3",
        1 4 => "s3_0_c0_c1_4", 1 5 => "s3_0_c0_c1_5", 1 6 => "s3_0_c0_c1_6", 1 7 => "s3_0_c0_c1_7",
        2 0 => "s3_0_c0_c2_0", 2 1 => "s3_0_c0_c2_1", 2 2 => "s3_0_c0_c2_2", 2 3 => "s3_0_c0_c2_3",
        2 4 => "s3_0_c0_c2_4", 2 5 => "s3_0_c0_c2_5", 2 6 => "s3_0_c0_c2_6", 2 7 => "s3_0_c0_c2_7",
        3 0 => "s3_0_c0_c3_0", 3 1 => "s3_0_c0_c3_1", 3 2 => "s3_0_c0_c3_2", 3 4 => "s3_0_c0_c3_4",
        3 5 => "s3_0_c0_c3_5", 3 6 => "s3_0_c0_c3_6",
        4 0 => "s3_0_c0_c4_0", 4 1 => "s3_0_c0_c4_1",
        5 0 => "s3_0_c0_c5_0", 5 1 => "s3_0_c0_c5_1",
        6 0 => "s3_0_c0_c6_0", 6 1 => "s3_0_c0_c6_1", 6 2 => "s3_0_c0_c6_2",
        7 0 => "s3_0_c0_c7_0", 7 1 => "s3_0_c0_c7_1", 7 2 => "s3_0_c0_c7_2",
    }
}

/// Reads ID_AA64MMFR0_EL1, which tells this core's page sizes among other things.
pub fn memory_model() -> u64 {
    ID_AA64MMFR0_EL1.get()
}
