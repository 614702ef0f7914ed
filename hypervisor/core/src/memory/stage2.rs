//! A VM's second stage of translation: what its intermediate physical addresses mean.

use aarch64_paging::{
    MapError,
    descriptor::{PhysicalAddress, Stage2Attributes as Attributes},
    idmap::IdTranslation,
    paging::{Constraints, MemoryRegion, RootTable, Stage2 as Regime},
};
use portcullis_board::Range;

/// Level of the root table: up to 39 bits of address.
const ROOT_LEVEL: usize = 1;

/// What a guest may do with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// RAM: everything.
    Ram,
    /// A page that the hypervisor writes and the guest only reads.
    ReadOnly,
    /// Memory that the guest reads and executes, and does not write.
    Rom,
    /// Memory that the guest shares with another one, and does not execute.
    Shared {
        /// It may write it.
        writes: bool,
        /// It may have it in its caches.
        cached: bool,
    },
    /// Registers of a device that the guest has to itself.
    Device,
}

fn attributes(access: Access) -> Attributes {
    let normal = Attributes::VALID
        | Attributes::ACCESS_FLAG
        | Attributes::SH_INNER
        | Attributes::MEMATTR_NORMAL_INNER_WB
        | Attributes::MEMATTR_NORMAL_OUTER_WB;
    match access {
        Access::Ram => normal | Attributes::S2AP_ACCESS_RW,
        Access::ReadOnly => normal | Attributes::S2AP_ACCESS_RO | Attributes::XN,
        Access::Rom => normal | Attributes::S2AP_ACCESS_RO,
        Access::Shared { writes, cached } => {
            let memory = if cached {
                normal
            } else {
                // Whatever the guest says: the more restrictive of both stages counts (Arm ARM, D8.6.5).
                Attributes::VALID
                    | Attributes::ACCESS_FLAG
                    | Attributes::SH_INNER
                    | Attributes::MEMATTR_NORMAL_INNER_NC
                    | Attributes::MEMATTR_NORMAL_OUTER_NC
            };
            let access = if writes { Attributes::S2AP_ACCESS_RW } else { Attributes::S2AP_ACCESS_RO };
            memory | access | Attributes::XN
        }
        Access::Device => {
            Attributes::VALID
                | Attributes::ACCESS_FLAG
                | Attributes::MEMATTR_DEVICE_nGnRE
                | Attributes::S2AP_ACCESS_RW
                | Attributes::XN
        }
    }
}

/// The tables of one VM. They are complete before its first vCPU runs; while one does, whole blocks come and go alone
/// ([`map`](Stage2::map), [`unmap`](Stage2::unmap)), so that no table is ever taken away.
pub struct Stage2 {
    table: RootTable<Regime, IdTranslation<Attributes>>,
}

impl Stage2 {
    /// Tables that map nothing: every access of the guest comes to EL2.
    pub fn new() -> Self {
        Self { table: RootTable::new(IdTranslation::new(), ROOT_LEVEL, Regime) }
    }

    /// Maps the guest's addresses from `ipa` on to the physical range given, in the largest blocks that fit.
    ///
    /// # Errors
    ///
    /// [`MapError`] when the guest's addresses lie beyond 512 GiB.
    pub fn map(&mut self, ipa: u64, physical: Range, access: Access) -> Result<(), MapError> {
        let end = ipa.saturating_add(physical.size());
        let region = MemoryRegion::new(ipa as usize, end as usize);
        let start = PhysicalAddress(physical.start as usize);
        self.table.map_range(&region, start, attributes(access), Constraints::empty())
    }

    /// Maps nothing any more at `size` bytes from the guest's address `ipa` on, which were mapped by blocks of 2 MiB or are not.
    /// What cores remember of them is the caller's to forget.
    ///
    /// # Errors
    ///
    /// [`MapError`] when the guest's addresses lie beyond 512 GiB.
    pub fn unmap(&mut self, ipa: u64, size: u64) -> Result<(), MapError> {
        let region = MemoryRegion::new(ipa as usize, ipa.saturating_add(size) as usize);
        self.table.map_range(&region, PhysicalAddress(0), Attributes::empty(), Constraints::empty())
    }

    /// Whether anything is mapped at the guest's address `ipa`.
    #[cfg(test)]
    pub fn is_mapped(&self, ipa: u64) -> bool {
        let mut mapped = false;
        let page = MemoryRegion::new(ipa as usize, ipa as usize + 0x1000);
        let walked = self.table.walk_range(&page, &mut |_, descriptor, _| {
            mapped |= descriptor.is_valid();
            Ok(())
        });
        walked.is_ok() && mapped
    }

    /// What a descriptor of a page or block says of the guest's address `ipa`, if anything is mapped there.
    #[cfg(test)]
    pub fn descriptor(&self, ipa: u64) -> Option<u64> {
        let mut found = None;
        let page = MemoryRegion::new(ipa as usize, ipa as usize + 0x1000);
        let walked = self.table.walk_range(&page, &mut |_, descriptor, _| {
            found = found.or(descriptor.is_valid().then(|| descriptor.flags().bits() as u64));
            Ok(())
        });
        walked.ok().and(found)
    }

    /// Physical address of the root table, for VTTBR_EL2.
    pub fn root(&self) -> u64 {
        self.table.to_physical().0 as u64
    }
}

impl Default for Stage2 {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(tables: &Stage2, ipa: usize, size: usize) -> alloc::vec::Vec<usize> {
        let mut levels = alloc::vec::Vec::new();
        let region = MemoryRegion::new(ipa, ipa + size);
        tables
            .table
            .walk_range(&region, &mut |_, descriptor, level| {
                if descriptor.is_valid() {
                    levels.push(level);
                }
                Ok(())
            })
            .unwrap();
        levels
    }

    #[test]
    fn ram_is_mapped_in_the_largest_blocks() {
        let mut tables = Stage2::new();
        tables.map(0x4000_0000, Range::sized(0x8000_0000, 2 << 30), Access::Ram).unwrap();
        assert_eq!(levels(&tables, 0x4000_0000, 2 << 30), [1, 1]);
        let mut tables = Stage2::new();
        tables.map(0x4000_0000, Range::sized(0x5020_0000, 8 << 20), Access::Ram).unwrap();
        assert_eq!(levels(&tables, 0x4000_0000, 8 << 20), [2; 4]);
    }

    #[test]
    fn a_page_of_the_hypervisor_is_read_only_and_never_executable() {
        let attributes = attributes(Access::ReadOnly);
        assert!(attributes.contains(Attributes::XN));
        assert_eq!(attributes & Attributes::S2AP_ACCESS_RW, Attributes::S2AP_ACCESS_RO);
    }

    #[test]
    fn a_device_is_no_normal_memory_and_never_executable() {
        let attributes = attributes(Access::Device);
        assert!(attributes.contains(Attributes::XN | Attributes::S2AP_ACCESS_RW));
        // MemAttr 0b0001: Device-nGnRE (Arm ARM, D8.6.6).
        assert_eq!(attributes.bits() >> 2 & 0xf, 1);
        let mut tables = Stage2::new();
        tables.map(0x801_0000, Range::sized(0xff84_6000, 0x2000), Access::Device).unwrap();
        assert_eq!(levels(&tables, 0x801_0000, 0x2000), [3, 3]);
        assert!(levels(&tables, 0x801_2000, 0x1000).is_empty());
    }

    #[test]
    fn what_is_shared_is_non_cacheable_unless_told_and_never_executable() {
        for (writes, cached) in [(false, false), (false, true), (true, false), (true, true)] {
            let attributes = attributes(Access::Shared { writes, cached });
            assert!(attributes.contains(Attributes::XN));
            // MemAttr 0b0101: Normal, non-cacheable; 0b1111: write-back (Arm ARM, D8.6.5).
            assert_eq!(attributes.bits() >> 2 & 0xf, if cached { 0b1111 } else { 0b0101 });
            // S2AP 0b01: read; 0b11: read and write.
            assert_eq!(attributes.bits() >> 6 & 3, if writes { 0b11 } else { 0b01 });
        }
    }

    #[test]
    fn a_rom_is_executable_and_read_only() {
        let attributes = attributes(Access::Rom);
        assert!(!attributes.contains(Attributes::XN));
        assert_eq!(attributes & Attributes::S2AP_ACCESS_RW, Attributes::S2AP_ACCESS_RO);
    }

    #[test]
    fn blocks_come_and_go_beside_what_stays() {
        let mut tables = Stage2::new();
        tables.map(0x90a_0000, Range::sized(0x4000_1000, 0x1000), Access::ReadOnly).unwrap();
        let bank = Range::sized(0x5020_0000, 64 << 20);
        for _ in 0..3 {
            tables.map(0x400_0000, bank, Access::Rom).unwrap();
            assert_eq!(levels(&tables, 0x400_0000, 64 << 20), [2; 32]);
            tables.unmap(0x400_0000, 64 << 20).unwrap();
            assert!(levels(&tables, 0, 0x800_0000).is_empty());
            assert_eq!(levels(&tables, 0x90a_0000, 0x1000), [3]);
        }
    }

    #[test]
    fn what_is_not_mapped_stays_out_of_reach() {
        let mut tables = Stage2::new();
        tables.map(0x4000_0000, Range::sized(0x5020_0000, 2 << 20), Access::Ram).unwrap();
        assert!(levels(&tables, 0, 0x4000_0000).is_empty());
        assert!(levels(&tables, 0x4020_0000, 1 << 30).is_empty());
        assert!(tables.map(1 << 39, Range::sized(0, 0x1000), Access::Ram).is_err());
    }
}
