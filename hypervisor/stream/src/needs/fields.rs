//! How the fields of ID registers are compared (Arm ARM, D24.1.3): four bits each.

/// What a field has to be where a VM goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// As much as it was, or more.
    AtLeast,
    /// What it was.
    Same,
    /// What it was if that is 0b1111, "not implemented"; else as much or more, and implemented.
    Signed,
    /// A page size: what is implemented, any value but 0b1111, has to be.
    Granule,
}

/// Numbers of the registers in which a field is no plain feature.
const PFR0: usize = 24;
const DFR0: usize = 32;
const MMFR0: usize = 48;
const MMFR2: usize = 50;

/// Returns how field `field`, counted from bits 3:0 on, of the register with this number is compared.
pub const fn rule(number: usize, field: usize) -> Rule {
    match (number, field) {
        // FP and AdvSIMD.
        (PFR0, 4 | 5) => Rule::Signed,
        // Breakpoints, watchpoints, and those that compare contexts, which are the last ones.
        (DFR0, 3 | 5 | 7) => Rule::Same,
        // DoubleLock: 0b1111 is none.
        (DFR0, 9) => Rule::Signed,
        // TGran64 and TGran4.
        (MMFR0, 6 | 7) => Rule::Granule,
        // CCIDX: how CCSIDR_EL1 is read.
        (MMFR2, 5) => Rule::Same,
        _ => Rule::AtLeast,
    }
}

impl Rule {
    /// Tells whether a field that was `saved` can be `here`.
    pub const fn allows(self, saved: u64, here: u64) -> bool {
        const NONE: u64 = 0xf;
        match self {
            Self::AtLeast => here >= saved,
            Self::Same => here == saved,
            Self::Signed => saved == NONE || here != NONE && here >= saved,
            Self::Granule => saved == NONE || here != NONE,
        }
    }
}
