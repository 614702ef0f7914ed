//! What guests see of the features of a core: what [`portcullis_bundle::shown`] shows of its registers, and what is known of it.

use portcullis_abi::id_register::place;
use portcullis_arch::id;
use portcullis_bundle::shown::shown_of;

use super::gic;
use super::speculation::Protection;

/// What register `number` of the group shows to guests on the core on which this runs, but for what [`with_unaffected`] adds.
pub fn shown_here(number: usize) -> u64 {
    let (crm, op2) = place(number);
    shown_of(gic::version(), number, id::read(crm, op2))
}

/// CRm and op2 of the registers that have CSV2 and CSV3: ID_AA64PFR0_EL1, ID_PFR0_EL1, ID_PFR2_EL1.
pub const OF_SPECULATION: [(u64, u64); 3] = [(4, 0), (1, 0), (3, 4)];

/// `shown` with CSV2 and CSV3 as the workaround registers tell: a core that is known not to be affected need not say so itself.
pub fn with_unaffected(protection: &Protection, crm: u64, op2: u64, shown: u64) -> u64 {
    let [targets, tables] = [protection.keeps_targets(), protection.tables];
    let fields: &[(bool, u32)] = match (crm, op2) {
        (4, 0) => &[(targets, 56), (tables, 60)],
        (1, 0) => &[(targets, 16)],
        (3, 4) => &[(tables, 0)],
        _ => &[],
    };
    let absent = |&&(unaffected, shift): &&(bool, u32)| unaffected && shown >> shift & 0xf == 0;
    fields.iter().filter(absent).fold(shown, |shown, (_, shift)| shown | 1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::speculation::{Answers, Identity};

    /// What is told of a core agrees with the levels of its workaround registers, whether it says so itself or is known.
    #[test]
    fn what_is_not_affected_is_told_as_that() {
        let protection = |midr| Protection::of(&Identity { midr, ..Identity::default() }, &Answers::default());
        let (a53, a72) = (protection(0x410f_d034), protection(0x410f_d083));
        assert_eq!(with_unaffected(&a53, 4, 0, 0x12), 0x1100_0000_0000_0012);
        assert_eq!(with_unaffected(&a72, 4, 0, 0x12), 0x1000_0000_0000_0012, "CSV2 is 0: affected");
        assert_eq!((with_unaffected(&a53, 1, 0, 0x131), with_unaffected(&a72, 1, 0, 0x131)), (0x1_0131, 0x131));
        assert_eq!((with_unaffected(&a53, 3, 4, 0), with_unaffected(&a53, 7, 0, 0)), (1, 0));
        let csv2 = Identity { pfr0: 1 << 56, ..Identity::default() };
        let told = Protection::of(&csv2, &Answers::default());
        assert_eq!(with_unaffected(&told, 4, 0, 1 << 56), 1 << 56, "and what is there stays");
    }
}
