//! What CPUs have in common of the features that their ID registers tell, field by field: four bits each (Arm ARM, D24.1.3).

use portcullis_abi::id_register::{number, place};

/// How the value of a field is found that holds on cores whose values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The lower one: each value has what the lower ones have.
    Lower,
    /// The lower one, where 0b1111 is less than 0: a signed field, or one in which 0b1111 is "not implemented".
    Signed,
    /// None of both: the values are no steps, but different things. A pointer that one algorithm has signed is not known to
    /// another.
    Equal,
}

/// The rule of a field, by its lowest bit, of S3_0_C0_C`crm`_`op2`.
const fn rule(crm: u64, op2: u64, shift: u32) -> Rule {
    match (crm, op2, shift) {
        // ID_AA64PFR0_EL1: FP, AdvSIMD. ID_AA64DFR0_EL1: DoubleLock. ID_AA64MMFR0_EL1: TGran64, TGran4.
        (4, 0, 16 | 20) | (5, 0, 36) | (7, 0, 24 | 28) => Rule::Signed,
        // ID_MMFR0_EL1: OuterShr, InnerShr. ID_MMFR3_EL1: Supersec.
        (1, 4, 8 | 28) | (1, 7, 28) => Rule::Signed,
        // ID_AA64ISAR1_EL1: APA, API, GPA, GPI. ID_AA64ISAR2_EL1: GPA3, APA3, PAC_frac.
        (6, 1, 4 | 8 | 24 | 28) | (6, 2, 8 | 12 | 24) => Rule::Equal,
        _ => Rule::Lower,
    }
}

/// The value of a field that holds where it is `one` and where it is `other`.
fn safe(rule: Rule, one: u64, other: u64) -> u64 {
    match rule {
        Rule::Lower => one.min(other),
        Rule::Signed if one == 0xf || other == 0xf => 0xf,
        Rule::Signed => one.min(other),
        Rule::Equal if one == other => one,
        Rule::Equal => 0,
    }
}

/// Returns the value of ID register `number` that holds where it is `one` and where it is `other`.
pub fn common(number: usize, one: u64, other: u64) -> u64 {
    let (crm, op2) = place(number);
    (0..u64::BITS).step_by(4).fold(0, |register, shift| {
        register | safe(rule(crm, op2, shift), one >> shift & 0xf, other >> shift & 0xf) << shift
    })
}

/// Returns the fields in which two values differ, all of their bits set.
pub fn differing(one: u64, other: u64) -> u64 {
    let differs = one ^ other;
    (0..u64::BITS).step_by(4).filter(|shift| differs >> shift & 0xf != 0).fold(0, |mask, shift| mask | 0xf << shift)
}

/// Tells whether a register belongs to AArch32; means nothing where EL0 cannot be in it.
pub const fn is_of_aarch32(register: usize) -> bool {
    register < number(4, 0)
}

#[cfg(test)]
mod tests {
    use portcullis_abi::id_register::COUNT;

    use super::*;

    /// A field as an order: the larger, the more a guest may count on.
    fn rank(rule: Rule, value: u64) -> u64 {
        match rule {
            Rule::Signed if value == 0xf => 0,
            Rule::Signed => value + 1,
            Rule::Lower | Rule::Equal => value,
        }
    }

    /// Every field of every register, with every pair of values: what is found promises no more than either core has, is found in
    /// either order, and is what both have where they agree.
    #[test]
    fn nothing_is_promised_that_one_core_lacks() {
        for index in 0..COUNT {
            let (crm, op2) = place(index);
            for shift in (0..64).step_by(4) {
                let rule = rule(crm, op2, shift);
                for (one, other) in (0..0x100).map(|pair: u64| (pair >> 4, pair & 0xf)) {
                    let what = format!("S3_0_C0_C{crm}_{op2} at {shift}: {one:#x} and {other:#x}");
                    let found = common(index, one << shift, other << shift);
                    let field = found >> shift & 0xf;
                    // The other fields are zero on both cores, and stay so.
                    assert_eq!(found & !(0xf << shift), 0, "{what}");
                    assert_eq!(found, common(index, other << shift, one << shift), "{what}");
                    assert!(rank(rule, field) <= rank(rule, one).min(rank(rule, other)), "{what} gives {field:#x}");
                    let is_one = field == one || field == other || rule == Rule::Equal && field == 0;
                    assert!(is_one, "{what} gives {field:#x}");
                    if one == other {
                        assert_eq!(field, one, "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn fields_that_differ_are_named_whole() {
        assert_eq!(differing(0x1234, 0x1134), 0xf00);
        assert_eq!((differing(5, 5), differing(0, 1 << 63)), (0, 0xf << 60));
    }
}
