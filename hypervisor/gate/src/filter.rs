//! The range filter: function identifiers that a VM is refused, or that go to EL3, whatever its bits say.

use core::ops::RangeInclusive;

use portcullis_abi::function::SMC64;

use crate::error::FilterError;
use crate::function_id::FunctionId;
use crate::identifiers::{Action, Identifiers, MAX_RANGES, RangeRequest};
use crate::profile::Profile;

/// Arm architecture calls of both widths. No filter touches them, so that a guest is never misled about the
/// vulnerabilities of its cores.
pub const ARCHITECTURE: [RangeInclusive<u32>; 2] = [0x8000_0000..=0x8000_ffff, 0xc000_0000..=0xc000_ffff];

/// Identifiers that are never forwarded; the SMC64 forms, with bit 30 set, neither. A range that meets one of these is
/// refused whole.
///
/// Of the standard secure services only those are left that are known to take no address and to act on nothing that belongs
/// to all VMs: what is published there later must not be open to whoever wrote a range before.
const NEVER_FORWARDED: [RangeInclusive<u32>; 6] = [
    // Yielding calls: SMCCC 1.1 lets only a Trusted OS have them, which passes addresses.
    0x0000_0000..=0x3fff_ffff,
    // Arm architecture calls: a guest is told about its own cores. No range touches the valid ones at all.
    0x8000_0000..=0x80ff_ffff,
    // PSCI, SDEI, Management Mode (DEN0022, DEN0054, DEN0060), up to TRNG (DEN0098), which may go.
    0x8400_0000..=0x8400_004f,
    // FF-A (DEN0077), up to the errata management of DEN0100, which may go.
    0x8400_0060..=0x8400_00ef,
    // DRTM, PCI configuration, realm management, live activation of firmware (DEN0113, DEN0115, DEN0137, DEN0147), and
    // whatever comes; up to the general queries of the owner, which may go.
    0x8400_0100..=0x8400_feff,
    // Standard and vendor-specific hypervisor services: the hypervisor that they are meant for is this one.
    0x8500_0000..=0x86ff_ffff,
];

/// What is asked of a filter on the path of a call.
pub trait Ranges {
    /// What it says about `id`.
    fn action(&self, id: FunctionId) -> Action;
}

/// The range filter of one VM: ranges that do not overlap, in ascending order.
#[derive(Clone, Debug)]
pub struct Filter {
    ranges: [Identifiers; MAX_RANGES],
    len: usize,
}

impl Filter {
    /// A filter without any range.
    pub const fn new() -> Self {
        Self { ranges: [Identifiers { first: 0, last: 0, action: Action::Handle }; MAX_RANGES], len: 0 }
    }

    /// The ranges in ascending order.
    pub fn ranges(&self) -> &[Identifiers] {
        self.ranges.get(..self.len).unwrap_or_default()
    }

    /// Adds a range. `profile` is the VM's word, loaded under the lock that guards this filter and the freeze.
    /// `firmware` says whether there is firmware at EL3 to forward to.
    ///
    /// # Errors
    ///
    /// The first of [`FilterError`]'s variants that applies. Nothing has changed then.
    pub fn insert(&mut self, request: &RangeRequest, profile: Profile, firmware: bool) -> Result<(), FilterError> {
        let range = check(request, firmware)?;
        if profile.is_frozen() {
            return Err(FilterError::Frozen);
        }
        let functions = range.first..=range.last;
        let overlaps = |other: &Identifiers| meet(&functions, &(other.first..=other.last));
        if ARCHITECTURE.iter().any(|reserved| meet(&functions, reserved)) || self.ranges().iter().any(overlaps) {
            return Err(FilterError::Overlaps);
        }
        let at = self.ranges().partition_point(|other| other.first < range.first);
        let tail = self.ranges.get_mut(at..=self.len).ok_or(FilterError::Full)?;
        tail.rotate_right(1);
        if let Some(slot) = tail.first_mut() {
            *slot = range;
        }
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Whether a range is forwarded.
    pub fn forwards(&self) -> bool {
        self.forwarded().next().is_some()
    }

    /// The ranges that are forwarded, in ascending order.
    pub fn forwarded(&self) -> impl Iterator<Item = &Identifiers> {
        self.ranges().iter().filter(|range| range.action == Action::Forward)
    }

    /// Removes every range: for a VM that is recreated, under the conditions of [`Row::create`](crate::Row::create) and
    /// before it.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::new()
    }
}

impl Ranges for Filter {
    fn action(&self, id: FunctionId) -> Action {
        let ranges = self.ranges();
        let after = ranges.partition_point(|range| range.first <= id.0);
        match after.checked_sub(1).and_then(|index| ranges.get(index)) {
            Some(range) if id.0 <= range.last => range.action,
            _ => Action::Handle,
        }
    }
}

/// The checks that need neither the VM nor the other ranges.
fn check(request: &RangeRequest, firmware: bool) -> Result<Identifiers, FilterError> {
    let &RangeRequest { base: first, count, action, reserved } = request;
    if reserved != [0; 15] {
        return Err(FilterError::Reserved);
    }
    let beyond = count.checked_sub(1).ok_or(FilterError::Empty)?;
    let last = first.checked_add(beyond).ok_or(FilterError::Wraps)?;
    let action = Action::from_number(action).ok_or(FilterError::UnknownAction)?;
    let range = Identifiers { first, last, action };
    match action {
        Action::Forward if !may_forward(&range) => Err(FilterError::ForwardRefused),
        Action::Forward if !firmware => Err(FilterError::NoFirmware),
        _ => Ok(range),
    }
}

/// Whether no identifier of the range is one that EL3 is never to see.
fn may_forward(range: &Identifiers) -> bool {
    let both = |never: &RangeInclusive<u32>| [never.clone(), never.start() | SMC64..=never.end() | SMC64];
    !NEVER_FORWARDED.iter().flat_map(both).any(|never| meet(&(range.first..=range.last), &never))
}

/// Whether two ranges have a function in common.
pub fn meet(one: &RangeInclusive<u32>, other: &RangeInclusive<u32>) -> bool {
    one.start() <= other.end() && other.start() <= one.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Conduits;
    use crate::support::Support;

    fn request(base: u32, count: u32, action: u8) -> RangeRequest {
        RangeRequest { base, count, action, ..RangeRequest::default() }
    }

    fn open() -> Profile {
        Profile::created(&Support::FULL, Conduits::BOTH)
    }

    fn insert(filter: &mut Filter, base: u32, count: u32, action: u8) -> Result<(), FilterError> {
        filter.insert(&request(base, count, action), open(), true)
    }

    #[test]
    fn f1_reserved_bytes_are_zero() {
        for byte in 0..15 {
            let mut bad = request(0x8400_0000, 1, 1);
            bad.reserved[byte] = 0xff;
            assert_eq!(Filter::new().insert(&bad, open(), true), Err(FilterError::Reserved));
        }
    }

    #[test]
    fn f2_f3_empty_and_wrapping_ranges() {
        for base in [0, 1, 0x8000_0000, 0xc400_0003, u32::MAX] {
            for action in 0..=0xff {
                assert_eq!(insert(&mut Filter::new(), base, 0, action), Err(FilterError::Empty), "{base:#x}");
            }
        }
        assert_eq!(insert(&mut Filter::new(), 0xffff_ffff, 0xffff_ffff, 1), Err(FilterError::Wraps));
        assert_eq!(insert(&mut Filter::new(), 0xffff_ffff, 2, 1), Err(FilterError::Wraps));
        assert_eq!(insert(&mut Filter::new(), 0xffff_ffff, 1, 1), Ok(()));
    }

    #[test]
    fn f4_unknown_action() {
        for action in 3..=0xff {
            assert_eq!(insert(&mut Filter::new(), 0xc400_0003, 1, action), Err(FilterError::UnknownAction));
        }
    }

    #[test]
    fn f5_f6_architecture_calls_are_untouchable() {
        for (base, count) in [
            (0x8000_8000, 1),
            (0xc000_0000, 1),
            (0x8000_ffff, 1),
            (0xc000_ffff, 1),
            (0x7fff_ffff, 2),
            (0xbfff_ffff, 2),
            (0, u32::MAX),
        ] {
            for action in [0, 1] {
                assert_eq!(insert(&mut Filter::new(), base, count, action), Err(FilterError::Overlaps), "{base:#x}");
            }
        }
        for base in [0x7fff_ffff, 0x8001_0000, 0xbfff_ffff, 0xc001_0000] {
            assert_eq!(insert(&mut Filter::new(), base, 1, 1), Ok(()), "{base:#x}");
        }
    }

    #[test]
    fn f7_a_range_cannot_be_given_twice() {
        let mut filter = Filter::new();
        assert_eq!(insert(&mut filter, 0xc400_0003, 1, 1), Ok(()));
        assert_eq!(insert(&mut filter, 0xc400_0003, 1, 1), Err(FilterError::Overlaps));
        assert_eq!(insert(&mut filter, 0xc400_0003, 1, 0), Err(FilterError::Overlaps));
        assert_eq!(insert(&mut filter, 0xc400_0000, 0x20, 0), Err(FilterError::Overlaps));
        assert_eq!(filter.ranges().len(), 1);
    }

    #[test]
    fn forwarding_is_refused_where_it_never_may_be() {
        let forward = |base, count, supported| Filter::new().insert(&request(base, count, 2), open(), supported);
        assert_eq!(forward(0xc200_0000, 0x100, false), Err(FilterError::NoFirmware));
        assert_eq!(forward(0xc200_0000, 0x100, true), Ok(()));
        assert_eq!(forward(0x8400_0000, 1, true), Err(FilterError::ForwardRefused));
        assert_eq!(forward(0x83ff_ffff, 2, true), Err(FilterError::ForwardRefused));
        assert_eq!(forward(0xc400_0071, 1, true), Err(FilterError::ForwardRefused));
        // What cannot be forwarded anywhere is said first.
        assert_eq!(forward(0xc400_0071, 1, false), Err(FilterError::ForwardRefused));
        for id in [
            0x8000_0000,
            0xc000_8000,
            0x8400_001f,
            0xc400_0020,
            0xc400_0045,
            0x8400_0060,
            0xc400_00ef,
            0xc400_0110,
            0x8400_0133,
            0xc400_02e5,
            0xc400_0340,
            0x8400_feff,
            0xc400_0150,
            0xc500_0021,
            0x8600_0001,
            0xc600_1000,
            0x8600_ff01,
            0x0400_0050,
            0x3200_0000,
            0x7fff_ffff,
        ] {
            assert_eq!(forward(id, 1, true), Err(FilterError::ForwardRefused), "{id:#x}");
        }
        for (base, count) in [
            (0x8400_0050, 4),
            (0xc400_0053, 1),
            (0x8400_00f0, 16),
            (0x8400_ff01, 1),
            (0x8100_0000, 0x1_0000),
            (0xc200_0000, 0x100_0000),
            (0x8300_0000, 1),
            (0xb200_0000, 0x1000),
            (0xff00_ffff, 1),
            (0xffff_ffff, 1),
        ] {
            assert_eq!(forward(base, count, true), Ok(()), "{base:#x}");
        }
        assert_eq!(forward(0xb200_0000, u32::MAX, true), Err(FilterError::Wraps));
        assert_eq!(forward(0xc100_0000, 0x300_0001, true), Err(FilterError::ForwardRefused));
    }

    #[test]
    fn the_first_failing_check_is_reported() {
        let mut filter = Filter::new();
        insert(&mut filter, 0x8400_0050, 1, 1).unwrap();
        let frozen = open().after_freeze(true);
        let mut bad = request(0x8400_0050, 0, 9);
        bad.reserved[3] = 1;
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::Reserved));
        bad.reserved[3] = 0;
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::Empty));
        (bad.base, bad.count) = (u32::MAX, 2);
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::Wraps));
        (bad.base, bad.count) = (0x8400_0050, 1);
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::UnknownAction));
        bad.action = 2;
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::NoFirmware));
        bad.base = 0x8400_0000;
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::ForwardRefused));
        bad.base = 0x8400_0050;
        bad.action = 1;
        assert_eq!(filter.insert(&bad, frozen, false), Err(FilterError::Frozen));
        assert_eq!(filter.insert(&bad, open(), false), Err(FilterError::Overlaps));
    }

    #[test]
    fn a_full_filter_says_so_and_can_be_cleared() {
        let mut filter = Filter::new();
        for index in 0..32 {
            insert(&mut filter, 0x8200_0000 + 2 * index, 1, 1).unwrap();
        }
        assert_eq!(insert(&mut filter, 0x8200_0001, 1, 1), Err(FilterError::Full));
        assert_eq!(insert(&mut filter, 0x8200_0000, 1, 1), Err(FilterError::Overlaps));
        assert_eq!(filter.ranges().len(), MAX_RANGES);
        filter.clear();
        assert_eq!(filter.ranges(), []);
        assert_eq!(filter.action(FunctionId(0x8200_0000)), Action::Handle);
    }

    /// Ranges in any order of insertion against a table with an entry for each identifier.
    #[test]
    fn lookup_matches_a_plain_table() {
        const BASE: u32 = 0xc200_0000;
        let mut state = 1_u32;
        let mut random = |bound: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % bound
        };
        for _ in 0..if cfg!(miri) { 3 } else { 300 } {
            let mut filter = Filter::new();
            let mut table = [None; 260];
            for _ in 0..40 {
                let (first, count, action) = (random(240), 1 + random(12), random(3) as u8);
                let cells = &mut table[first as usize..(first + count) as usize];
                let expected = if cells.iter().any(Option::is_some) {
                    Err(FilterError::Overlaps)
                } else if filter.ranges().len() == MAX_RANGES {
                    Err(FilterError::Full)
                } else {
                    cells.fill(Some(Action::from_number(action).unwrap()));
                    Ok(())
                };
                assert_eq!(insert(&mut filter, BASE + first, count, action), expected);
            }
            assert!(filter.ranges().is_sorted_by(|a, b| a.last < b.first));
            for (id, cell) in (BASE..).zip(table) {
                assert_eq!(filter.action(FunctionId(id)), cell.unwrap_or_default(), "{id:#x}");
            }
            assert_eq!(filter.action(FunctionId(BASE - 1)), Action::Handle);
            assert_eq!(filter.action(FunctionId(u32::MAX)), Action::Handle);
        }
    }
}
