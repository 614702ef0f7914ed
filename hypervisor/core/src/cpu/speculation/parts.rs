//! Cores by their part numbers, with what is known of those whose registers do not tell.

/// A core, by implementer and part number.
pub(super) struct Part {
    /// MIDR_EL1.Implementer, bits 31:24, above PartNum, bits 15:4.
    key: u32,
    /// The name that its maker gives it.
    pub name: &'static str,
    /// What is known of it.
    pub known: Known,
}

/// What is known of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It executes in order: it is not concerned by any of this.
    InOrder,
    /// Its branch history is overwritten by so many iterations of the loop. `tables`: CVE-2017-5754 does not concern it.
    Loop {
        /// Iterations.
        count: u8,
        /// As said.
        tables: bool,
    },
    /// Its branch history is EL3's to clear.
    Firmware {
        /// As above.
        tables: bool,
    },
}

use Known::{Firmware, InOrder, Loop};

const fn arm(part: u32, name: &'static str, known: Known) -> Part {
    Part { key: 0x41 << 12 | part, name, known }
}

/// A core whose CSV3 tells of the other thing.
const fn looped(count: u8) -> Known {
    Loop { count, tables: false }
}

/// Loops by Arm's table in "Spectre-BHB", those of Cortex-A715, A720 and of other makers as Linux has them. The cores in order are
/// those that Arm's pages on the three say nothing of or call not affected.
static PARTS: [Part; 31] = [
    arm(0xd01, "Cortex-A32", InOrder),
    arm(0xd02, "Cortex-A34", InOrder),
    arm(0xd03, "Cortex-A53", InOrder),
    arm(0xd04, "Cortex-A35", InOrder),
    arm(0xd05, "Cortex-A55", InOrder),
    arm(0xd46, "Cortex-A510", InOrder),
    arm(0xd80, "Cortex-A520", InOrder),
    arm(0xd07, "Cortex-A57", Loop { count: 8, tables: true }),
    arm(0xd08, "Cortex-A72", Loop { count: 8, tables: true }),
    arm(0xd09, "Cortex-A73", Firmware { tables: true }),
    arm(0xd0a, "Cortex-A75", Firmware { tables: false }),
    arm(0xd0b, "Cortex-A76", looped(24)),
    arm(0xd0c, "Neoverse-N1", looped(24)),
    arm(0xd0d, "Cortex-A77", looped(24)),
    arm(0xd0e, "Cortex-A76AE", looped(24)),
    arm(0xd40, "Neoverse-V1", looped(32)),
    arm(0xd41, "Cortex-A78", looped(32)),
    arm(0xd42, "Cortex-A78AE", looped(32)),
    arm(0xd44, "Cortex-X1", looped(32)),
    arm(0xd47, "Cortex-A710", looped(32)),
    arm(0xd48, "Cortex-X2", looped(32)),
    arm(0xd49, "Neoverse-N2", looped(32)),
    arm(0xd4b, "Cortex-A78C", looped(32)),
    arm(0xd4c, "Cortex-X1C", looped(32)),
    arm(0xd4d, "Cortex-A715", looped(38)),
    arm(0xd4e, "Cortex-X3", looped(132)),
    arm(0xd4f, "Neoverse-V2", looped(132)),
    arm(0xd81, "Cortex-A720", looped(38)),
    Part { key: 0x48 << 12 | 0xd01, name: "HiSilicon TSV110", known: Loop { count: 32, tables: true } },
    Part { key: 0x48 << 12 | 0xd02, name: "HiSilicon HIP09", known: looped(132) },
    Part { key: 0xc0 << 12 | 0xac3, name: "AmpereOne", known: looped(11) },
];

/// The part that a MIDR_EL1 names, if it is known.
pub(super) fn find(midr: u64) -> Option<&'static Part> {
    let key = (midr >> 24 & 0xff) << 12 | midr >> 4 & 0xfff;
    PARTS.iter().find(|part| u64::from(part.key) == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_is_there_once() {
        let keys: BTreeSet<u32> = PARTS.iter().map(|part| part.key).collect();
        let names: BTreeSet<&str> = PARTS.iter().map(|part| part.name).collect();
        assert_eq!((keys.len(), names.len()), (PARTS.len(), PARTS.len()));
    }

    fn name(midr: u64) -> Option<&'static str> {
        find(midr).map(|part| part.name)
    }

    #[test]
    fn variant_revision_and_architecture_do_not_matter() {
        assert_eq!(name(0x410f_d083), Some("Cortex-A72"));
        assert_eq!(name(0x411f_d080), Some("Cortex-A72"));
        assert_eq!(name(0xffff_ffff_410f_d083), Some("Cortex-A72"));
        assert_eq!(name(0x420f_d083), None, "another maker's");
        assert_eq!(name(0), None);
    }
}
