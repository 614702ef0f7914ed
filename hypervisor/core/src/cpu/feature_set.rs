//! The ID registers of group 3 as guests see them: those of one core, or what several cores have in common.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::id_register::{COUNT, number};
use portcullis_bundle::features::{common, differing, is_of_aarch32};
use portcullis_bundle::shown::shown_of;

use super::gic;
use super::id_registers::{OF_SPECULATION, shown_here, with_unaffected};
use super::speculation::Protection;

/// A value of each register of the group.
#[derive(Debug)]
pub struct FeatureSet([AtomicU64; COUNT]);

impl FeatureSet {
    /// The set without anything: every register is zero.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; COUNT])
    }

    /// The set of a CPU with these registers, where guests see `here` of the board's. The interrupt controller is the board's.
    pub fn of(registers: &[u64; COUNT], here: &Self) -> Self {
        /// ID_AA64PFR0_EL1.GIC and ID_PFR1_EL1.GIC.
        const GIC: [(u64, u64, u64); 2] = [(4, 0, 0xf << 24), (1, 1, 0xf << 28)];
        let set = Self(core::array::from_fn(|number| {
            AtomicU64::new(registers.get(number).map_or(0, |raw| shown_of(gic::version(), number, *raw)))
        }));
        for (crm, op2, field) in GIC {
            if let Some(value) = set.0.get(number(crm, op2)) {
                let own = value.load(Ordering::Relaxed) & !field;
                value.store(own | here.register(crm, op2) & field, Ordering::Relaxed);
            }
        }
        set.without_aarch32();
        set
    }

    /// The register S3_0_C0_C`crm`_`op2`; zero if it is not in the group.
    #[inline(always)]
    pub fn register(&self, crm: u64, op2: u64) -> u64 {
        self.find(crm, op2).unwrap_or(0)
    }

    /// The register S3_0_C0_C`crm`_`op2`, if it is in the group.
    #[inline(always)]
    pub fn find(&self, crm: u64, op2: u64) -> Option<u64> {
        self.0.get(number(crm, op2)).map(|value| value.load(Ordering::Relaxed))
    }

    /// All registers, by number.
    pub fn to_array(&self) -> [u64; COUNT] {
        self.0.each_ref().map(|value| value.load(Ordering::Relaxed))
    }

    /// Whether it has pointer authentication keys (ID_AA64ISAR1_EL1.APA, API, GPA, GPI; ID_AA64ISAR2_EL1.GPA3, APA3).
    pub fn has_keys(&self) -> bool {
        self.register(6, 1) & 0xff00_0ff0 != 0 || self.register(6, 2) & 0xff00 != 0
    }

    /// Whether CCSIDR_EL1 has the format of FEAT_CCIDX (ID_AA64MMFR2_EL1.CCIDX).
    pub fn has_wide_cache_sizes(&self) -> bool {
        self.register(7, 2) >> 20 & 0xf != 0
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
                value.store(common(number, own, limit), Ordering::Relaxed);
            }
        }
        self.without_aarch32();
    }

    /// Takes AArch32's registers away, where EL0 cannot be in it.
    fn without_aarch32(&self) {
        if !self.has_aarch32() {
            let of_aarch32 = self.0.iter().enumerate().filter(|(number, _)| is_of_aarch32(*number));
            of_aarch32.for_each(|(_, value)| value.store(0, Ordering::Relaxed));
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
        self.cores.iter().fold(0, |mask, core| mask | differing(core.register(crm, op2), common))
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
