//! Stage 1's table walk as a guest's registers have it (Arm ARM, D8.2): which level's descriptor lies at an address.

/// The registers that govern the walk of EL1 and EL0.
#[derive(Clone, Copy, Debug)]
pub struct Regime {
    /// TCR_EL1.
    pub control: u64,
    /// TTBR0_EL1 and TTBR1_EL1.
    pub tables: [u64; 2],
}

/// Bits of an address that a descriptor, and a TTBR, can hold: 48, as no guest is shown more.
const ADDRESS: u64 = 0xffff_ffff_ffff;
/// The last level of a walk.
const LAST: u64 = 3;
/// Pages in which HPFAR_EL2 counts.
const PAGE: u64 = 1 << 12;

impl Regime {
    /// The level at which the walk for `address` reads its descriptor from the page of 4 KiB at `page`. `read` gives eight
    /// bytes of the guest's memory. None: the tables have changed since, or they cannot be read.
    pub fn level_at(&self, address: u64, page: u64, mut read: impl FnMut(u64) -> Option<u64>) -> Option<u64> {
        let upper = address >> 55 & 1 != 0;
        let [table_0, table_1] = self.tables;
        let (table, control) = if upper { (table_1, self.control >> 16) } else { (table_0, self.control) };
        let granule = granule(control >> 14 & 3, upper)?;
        let (bits, stride) = (64u64.checked_sub(control & 0x3f)?, granule.checked_sub(3)?);
        let levels = bits.checked_sub(granule)?.div_ceil(stride);
        let mut level = (LAST + 1).checked_sub(levels).filter(|first| *first <= LAST)?;
        // The first table has as many entries as the rest of the address calls for, and is aligned to its size.
        let mut index_bits = bits.checked_sub(granule + (LAST - level) * stride)?;
        let mut base = table & ADDRESS & !low(index_bits + 3);
        loop {
            let shift = granule + (LAST - level) * stride;
            let entry = base + ((address >> shift & low(index_bits)) << 3);
            if entry & !(PAGE - 1) == page & !(PAGE - 1) {
                return Some(level);
            }
            /// Bits 1:0 of a descriptor that leads to another table.
            const TABLE: u64 = 0b11;
            let descriptor = read(entry)?;
            if level == LAST || descriptor & 0b11 != TABLE {
                return None;
            }
            (level, index_bits) = (level + 1, stride);
            base = descriptor & ADDRESS & !low(granule);
        }
    }
}

/// Bits of an address within a granule: TCR_EL1.TG0 or TG1.
const fn granule(field: u64, upper: bool) -> Option<u64> {
    match (field, upper) {
        (0b00, false) | (0b10, true) => Some(12),
        (0b10, false) | (0b01, true) => Some(14),
        (0b01, false) | (0b11, true) => Some(16),
        _ => None,
    }
}

/// A word whose lowest `bits` are set.
const fn low(bits: u64) -> u64 {
    match bits {
        64.. => u64::MAX,
        _ => (1 << bits) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Tables that lead to `address`, one after the other from `first`, and the place of each level's descriptor.
    struct Tables {
        memory: HashMap<u64, u64>,
        entries: Vec<(u64, u64)>,
    }

    /// What a walk does by the book, on its own: the index of level `level` is the bits of the address above `granule` and
    /// `3 - level` strides.
    fn tables(address: u64, first: u64, bits: u64, granule: u64) -> Tables {
        let stride = granule - 3;
        let first_level = (0..4).find(|level| granule + (3 - level) * stride < bits).unwrap();
        let mut tables = Tables { memory: HashMap::new(), entries: Vec::new() };
        let mut table = first;
        for level in first_level..4 {
            let shift = granule + (3 - level) * stride;
            let width = if level == first_level { bits - shift } else { stride };
            let entry = table + (address >> shift & ((1 << width) - 1)) * 8;
            let next = first + ((level + 1) << 20);
            tables.memory.insert(entry, next | 0b11);
            tables.entries.push((level, entry));
            table = next;
        }
        tables
    }

    #[test]
    fn every_level_of_every_granule_is_found() {
        let fields = [(12, 0b00, 0b10), (14, 0b10, 0b01), (16, 0b01, 0b11)];
        for (granule, lower_field, upper_field) in fields {
            for bits in [25, 31, 32, 36, 39, 42, 47, 48] {
                for upper in [false, true] {
                    let field = if upper { upper_field } else { lower_field };
                    let control = (64 - bits) | field << 14;
                    let control = if upper { control << 16 } else { control };
                    let address = 0x0000_5a5a_1234_5678 & low(bits) | if upper { !low(bits) } else { 0 };
                    let (first, other) = (0x4100_0000, 0xdead_0000);
                    let tables = tables(address, first, bits, granule);
                    let regime =
                        Regime { control, tables: if upper { [other, first | 1] } else { [first | 1, other] } };
                    for &(level, entry) in &tables.entries {
                        let read = |at| tables.memory.get(&at).copied();
                        let found = regime.level_at(address, entry & !0xfff, read);
                        assert_eq!(found, Some(level), "{granule} {bits} {upper}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_or_leads_nowhere_has_no_level() {
        let regime = Regime { control: 25, tables: [0x4100_0000, 0] };
        assert_eq!(regime.level_at(0x1000, 0x9000_0000, |_| None), None);
        // A block, an invalid descriptor, and tables that lead round in a circle.
        for descriptor in [0b01, 0, 0x4100_0003] {
            assert_eq!(regime.level_at(0x1000, 0x9000_0000, |_| Some(descriptor)), None, "{descriptor:#x}");
        }
        // No tables at all: the first descriptor is at nothing, and nothing is read.
        let nothing = Regime { control: 25, tables: [0, 0] };
        assert_eq!(nothing.level_at(0x1000, 0, |_| panic!()), Some(1));
    }

    #[test]
    fn no_register_value_is_too_much() {
        let mut state = 0x1234_5678_9abc_def0_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..20_000 {
            let regime = Regime { control: next(), tables: [next(), next()] };
            let mut reads = 0;
            let _ = regime.level_at(next(), next(), |_| {
                reads += 1;
                Some(next() | 3)
            });
            assert!(reads <= 4);
        }
    }
}
