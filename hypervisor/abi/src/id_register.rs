//! The ID registers that describe features, S3_0_C0_C1_0 to S3_0_C0_C7_7 (Arm ARM, D24.2), by number and by name.

/// How many there are.
pub const COUNT: usize = 7 * 8;

/// Their names in the order of their numbers; empty where none has a name.
const NAMES: [&str; COUNT] = [
    "ID_PFR0_EL1",
    "ID_PFR1_EL1",
    "ID_DFR0_EL1",
    "ID_AFR0_EL1",
    "ID_MMFR0_EL1",
    "ID_MMFR1_EL1",
    "ID_MMFR2_EL1",
    "ID_MMFR3_EL1",
    "ID_ISAR0_EL1",
    "ID_ISAR1_EL1",
    "ID_ISAR2_EL1",
    "ID_ISAR3_EL1",
    "ID_ISAR4_EL1",
    "ID_ISAR5_EL1",
    "ID_MMFR4_EL1",
    "ID_ISAR6_EL1",
    "MVFR0_EL1",
    "MVFR1_EL1",
    "MVFR2_EL1",
    "",
    "ID_PFR2_EL1",
    "ID_DFR1_EL1",
    "ID_MMFR5_EL1",
    "",
    "ID_AA64PFR0_EL1",
    "ID_AA64PFR1_EL1",
    "ID_AA64PFR2_EL1",
    "",
    "ID_AA64ZFR0_EL1",
    "ID_AA64SMFR0_EL1",
    "",
    "ID_AA64FPFR0_EL1",
    "ID_AA64DFR0_EL1",
    "ID_AA64DFR1_EL1",
    "ID_AA64DFR2_EL1",
    "",
    "ID_AA64AFR0_EL1",
    "ID_AA64AFR1_EL1",
    "",
    "",
    "ID_AA64ISAR0_EL1",
    "ID_AA64ISAR1_EL1",
    "ID_AA64ISAR2_EL1",
    "ID_AA64ISAR3_EL1",
    "",
    "",
    "",
    "",
    "ID_AA64MMFR0_EL1",
    "ID_AA64MMFR1_EL1",
    "ID_AA64MMFR2_EL1",
    "ID_AA64MMFR3_EL1",
    "ID_AA64MMFR4_EL1",
    "",
    "",
    "",
];

/// The number of S3_0_C0_C`crm`_`op2`, from 0; [`COUNT`] or more if it is none of them.
#[inline]
pub const fn number(crm: u64, op2: u64) -> usize {
    ((crm << 3 | op2) as usize).wrapping_sub(8)
}

/// Returns CRm and op2 of the register with this number.
pub const fn place(number: usize) -> (u64, u64) {
    (number as u64 / 8 + 1, number as u64 % 8)
}

/// Returns the name of the register with this number.
pub fn name(number: usize) -> &'static str {
    match NAMES.get(number) {
        Some(name) if !name.is_empty() => name,
        _ => "an ID register without a name",
    }
}

/// Returns the names of those that have one, with their numbers.
pub fn named() -> impl Iterator<Item = (usize, &'static str)> {
    NAMES.into_iter().enumerate().filter(|(_, name)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_group() {
        assert_eq!((number(1, 0), number(7, 7)), (0, COUNT - 1));
        assert!(number(0, 0) >= COUNT && number(8, 0) >= COUNT);
        assert!(
            (0..COUNT)
                .all(|register| place(register).0 < 8 && number(place(register).0, place(register).1) == register)
        );
        assert_eq!((name(number(4, 0)), name(number(7, 2))), ("ID_AA64PFR0_EL1", "ID_AA64MMFR2_EL1"));
        assert_eq!((named().next(), named().count()), (Some((0, "ID_PFR0_EL1")), 42));
    }
}
