//! The ID registers of group 3 as guests see them: those of one core, or what several cores have in common.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use super::id_registers::{COUNT, OF_SPECULATION, number, shown_here, with_unaffected};
use super::speculation::Protection;

/// A value of each register of the group.
#[derive(Debug)]
pub struct FeatureSet([AtomicU64; COUNT]);

/// How the value of a field is found that holds on cores whose values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The lower one: each value has what the lower ones have (Arm ARM, D24.1.3).
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

/// The value of register `number` that holds where it is `one` and where it is `other`.
fn safe_register(number: usize, one: u64, other: u64) -> u64 {
    let (crm, op2) = place(number);
    (0..u64::BITS).step_by(4).fold(0, |register, shift| {
        register | safe(rule(crm, op2, shift), one >> shift & 0xf, other >> shift & 0xf) << shift
    })
}

/// CRm and op2 of register `number`.
const fn place(number: usize) -> (u64, u64) {
    (number as u64 / 8 + 1, number as u64 % 8)
}

/// The fields in which two values differ, all of their bits set.
fn fields(one: u64, other: u64) -> u64 {
    let differs = one ^ other;
    (0..u64::BITS).step_by(4).filter(|shift| differs >> shift & 0xf != 0).fold(0, |mask, shift| mask | 0xf << shift)
}

impl FeatureSet {
    /// The set without anything: every register is zero.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; COUNT])
    }

    /// The register S3_0_C0_C`crm`_`op2`.
    #[inline(always)]
    pub fn register(&self, crm: u64, op2: u64) -> u64 {
        self.0.get(number(crm, op2)).map_or(0, |value| value.load(Ordering::Relaxed))
    }

    /// Makes this the set of the core on which it runs, of which `protection` holds.
    pub fn find_out(&self, protection: &Protection) {
        for (number, value) in self.0.iter().enumerate() {
            value.store(shown_here(number), Ordering::Relaxed);
        }
        for (crm, op2) in OF_SPECULATION {
            if let Some(value) = self.0.get(number(crm, op2)) {
                let shown = with_unaffected(protection, crm, op2, value.load(Ordering::Relaxed));
                value.store(shown, Ordering::Relaxed);
            }
        }
    }

    /// Makes this the set of what it and `other` have in common.
    pub fn limit_to(&self, other: &Self) {
        for (number, (value, limit)) in self.0.iter().zip(other.values()).enumerate() {
            let own = value.load(Ordering::Relaxed);
            if own != limit {
                value.store(safe_register(number, own, limit), Ordering::Relaxed);
            }
        }
        if !self.has_aarch32() {
            self.0.iter().take(number(4, 0)).for_each(|value| value.store(0, Ordering::Relaxed));
        }
    }

    /// Returns the same set with addresses of 40 bits (ID_AA64MMFR0_EL1.PARange), for a VM that has something beyond 64 GiB: other
    /// VMs are told of 36 bits, which any core has.
    pub fn with_40_bits(&self) -> Self {
        /// PARange: 40 bits.
        const BITS_40: u64 = 2;
        let wider = self.clone();
        if let Some(value) = wider.0.get(number(7, 0)) {
            value.store(value.load(Ordering::Relaxed) & !0xf | BITS_40, Ordering::Relaxed);
        }
        wider
    }

    /// Whether EL0 can be in AArch32 (ID_AA64PFR0_EL1.EL0). Where it cannot, what AArch32's registers hold means nothing.
    fn has_aarch32(&self) -> bool {
        self.register(4, 0) & 0xf >= 2
    }

    fn values(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|value| value.load(Ordering::Relaxed))
    }
}

impl Default for FeatureSet {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for FeatureSet {
    fn clone(&self) -> Self {
        Self(core::array::from_fn(|number| {
            AtomicU64::new(self.0.get(number).map_or(0, |value| value.load(Ordering::Relaxed)))
        }))
    }
}

impl PartialEq for FeatureSet {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}

impl Eq for FeatureSet {}

/// What cores have beyond the set that they have in common, in words: registers with the bits of their fields.
pub struct Beyond<'a> {
    /// What is in common.
    pub common: &'a FeatureSet,
    /// What each of the cores has.
    pub cores: &'a [&'a FeatureSet],
}

impl Beyond<'_> {
    /// The fields of a register in which a core has another value than all of them have in common.
    fn fields(&self, crm: u64, op2: u64) -> u64 {
        let common = self.common.register(crm, op2);
        self.cores.iter().fold(0, |mask, core| mask | fields(core.register(crm, op2), common))
    }
}

impl fmt::Display for Beyond<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMED: [(u64, u64, &str); 9] = [
            (4, 0, "PFR0"),
            (4, 1, "PFR1"),
            (5, 0, "DFR0"),
            (6, 0, "ISAR0"),
            (6, 1, "ISAR1"),
            (6, 2, "ISAR2"),
            (7, 0, "MMFR0"),
            (7, 1, "MMFR1"),
            (7, 2, "MMFR2"),
        ];
        let mut separator = "";
        for (crm, op2, name) in NAMED {
            let fields = self.fields(crm, op2);
            if fields != 0 {
                write!(f, "{separator}ID_AA64{name}_EL1 {fields:#x}")?;
                separator = ", ";
            }
        }
        // All of CRm 1 to 3 are AArch32's.
        if (1..4).any(|crm| (0..8).any(|op2| self.fields(crm, op2) != 0)) {
            write!(f, "{separator}some of AArch32")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
