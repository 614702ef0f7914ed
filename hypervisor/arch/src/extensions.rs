//! EL2's registers of architecture extensions. What they hold when EL2 is entered is unknown (Arm ARM, D1.9), and some of
//! them open to EL1 what nobody saves when vCPUs change.
//!
//! As Linux does, this takes it that firmware at EL3 lets EL2 use the registers of an extension that it shows
//! (Linux, Documentation/arch/arm64/booting.rst).

use crate::{id, read_sysreg, write_sysreg};

/// The field of an ID register whose lowest bit is `shift`.
const fn field(register: u64, shift: u32) -> u64 {
    register >> shift & 0xf
}

/// Closes them all on this core.
pub fn init_core() {
    let [features_0, features_1] = [id::read(4, 0), id::read(4, 1)];
    let debug = id::read(5, 0);
    // ID_AA64MMFR3_EL1 is not among those that guests see.
    let [memory_0, memory_1, memory_3] = [id::read(7, 0), id::read(7, 1), read_sysreg!("s3_0_c0_c7_3")];
    traps(field(memory_0, 56), field(features_0, 44) != 0);
    if field(features_0, 40) != 0 || field(features_1, 16) != 0 {
        partitions();
    }
    profiling(debug);
    // SAFETY: each register exists with the extension that is asked for, and zero turns it off or leaves EL2 as it is without.
    unsafe {
        if field(memory_1, 40) != 0 {
            // FEAT_HCX, HCRX_EL2: the features behind it are hidden from guests and trapped.
            write_sysreg!("s3_4_c1_c2_2", 0);
        }
        if field(memory_1, 8) != 0 {
            // FEAT_VHE, CNTHV_CTL_EL2: a timer that nobody uses.
            write_sysreg!("s3_4_c14_c3_1", 0);
        }
        if field(memory_3, 4) != 0 {
            // FEAT_SCTLR2, SCTLR2_EL2.
            write_sysreg!("s3_4_c1_c0_3", 0);
        }
        if field(memory_3, 0) != 0 {
            // FEAT_TCR2, TCR2_EL2.
            write_sysreg!("s3_4_c2_c0_3", 0);
        }
    }
}

/// FEAT_FGT and FEAT_FGT2: no fine-grained trap. The bits that mean "no trap" when set are clear too: what they are for is
/// hidden from guests.
fn traps(fine_grained: u64, activity_monitors: bool) {
    // SAFETY: they govern what of EL1's comes to EL2; each exists with the extension that is asked for.
    unsafe {
        if fine_grained >= 1 {
            write_sysreg!("s3_4_c1_c1_4", 0); // HFGRTR_EL2
            write_sysreg!("s3_4_c1_c1_5", 0); // HFGWTR_EL2
            write_sysreg!("s3_4_c1_c1_6", 0); // HFGITR_EL2
            write_sysreg!("s3_4_c3_c1_4", 0); // HDFGRTR_EL2
            write_sysreg!("s3_4_c3_c1_5", 0); // HDFGWTR_EL2
            if activity_monitors {
                write_sysreg!("s3_4_c3_c1_6", 0); // HAFGRTR_EL2
            }
        }
        if fine_grained >= 2 {
            write_sysreg!("s3_4_c3_c1_0", 0); // HDFGRTR2_EL2
            write_sysreg!("s3_4_c3_c1_1", 0); // HDFGWTR2_EL2
            write_sysreg!("s3_4_c3_c1_2", 0); // HFGRTR2_EL2
            write_sysreg!("s3_4_c3_c1_3", 0); // HFGWTR2_EL2
            write_sysreg!("s3_4_c3_c1_7", 0); // HFGITR2_EL2
        }
    }
}

/// FEAT_MPAM: a guest that could choose its partition would choose that of others, and leave it to the next one.
fn partitions() {
    /// MPAM2_EL2.TRAPMPAM0EL1 and TRAPMPAM1EL1; EL2 itself is in partition 0.
    const TRAPS: u64 = 0b11 << 48;
    /// MPAMIDR_EL1.HAS_HCR.
    const HAS_HCR: u64 = 1 << 17;
    let has_virtual_ones = read_sysreg!("s3_0_c10_c4_4") & HAS_HCR != 0;
    // SAFETY: they govern what EL1 may do, and in which partition EL2's accesses count.
    unsafe {
        write_sysreg!("s3_4_c10_c5_0", TRAPS);
        if has_virtual_ones {
            write_sysreg!("s3_4_c10_c4_0", 0); // MPAMHCR_EL2
        }
    }
}

/// Trace, statistical profiling and branch records of EL2: off.
fn profiling(debug: u64) {
    /// PMBIDR_EL1.P: the profiling buffer is EL3's.
    const NOT_OURS: u64 = 1 << 4;
    let profiles = field(debug, 32) != 0 && read_sysreg!("s3_0_c9_c10_7") & NOT_OURS == 0;
    // SAFETY: zero turns them off; each exists with the extension that is asked for.
    unsafe {
        if field(debug, 40) != 0 {
            // FEAT_TRF, TRFCR_EL2.
            write_sysreg!("s3_4_c1_c2_1", 0);
        }
        if profiles {
            // FEAT_SPE, PMSCR_EL2.
            write_sysreg!("s3_4_c9_c9_0", 0);
        }
        if field(debug, 52) != 0 {
            // FEAT_BRBE, BRBCR_EL2.
            write_sysreg!("s2_4_c9_c0_0", 0);
        }
    }
}
