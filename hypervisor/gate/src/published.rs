//! A VM's range filter as it was when the VM started: a copy of its own, which the VM's vCPUs read without a lock.
//!
//! Managers write the [`Filter`]; whoever freezes the VM's row publishes a copy of it here before, and whoever makes the VM
//! anew takes the copy back with every vCPU off. What is in the cells is ordered by the row: the freeze's Release and the
//! Acquire of whoever sees the frozen word ([`Row`](crate::Row)).
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]

use crate::atomic::{AtomicU32, Ordering};
use crate::filter::{Filter, Ranges};
use crate::function_id::FunctionId;
use crate::identifiers::{Action, Identifiers, MAX_RANGES};

/// The cells of one range: its first and its last identifier, and the number of its action.
#[derive(Debug)]
struct Cells([AtomicU32; 3]);

impl Cells {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; 3])
    }

    #[cfg(loom)]
    fn new() -> Self {
        Self(core::array::from_fn(|_| AtomicU32::new(0)))
    }

    fn first(&self) -> u32 {
        let Self([first, ..]) = self;
        first.load(Ordering::Relaxed)
    }

    fn load(&self) -> Identifiers {
        let [first, last, action] = self.0.each_ref().map(|cell| cell.load(Ordering::Relaxed));
        Identifiers { first, last, action: Action::from_number(action as u8).unwrap_or(Action::Deny) }
    }

    fn store(&self, range: &Identifiers) {
        for (cell, value) in self.0.iter().zip([range.first, range.last, range.action as u32]) {
            cell.store(value, Ordering::Relaxed);
        }
    }
}

/// A published filter: ranges that do not overlap, in ascending order.
#[derive(Debug)]
pub struct Published {
    len: AtomicU32,
    ranges: [Cells; MAX_RANGES],
}

impl Published {
    /// Nothing is published.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { len: AtomicU32::new(0), ranges: [const { Cells::new() }; MAX_RANGES] }
    }

    /// Nothing is published.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { len: AtomicU32::new(0), ranges: core::array::from_fn(|_| Cells::new()) }
    }

    /// Publishes a copy of `filter`. The caller knows that no vCPU of the VM runs, and freezes the VM's row next.
    pub fn publish(&self, filter: &Filter) {
        let mut len = 0;
        for (cells, range) in self.ranges.iter().zip(filter.ranges()) {
            cells.store(range);
            len += 1;
        }
        self.len.store(len, Ordering::Relaxed);
    }

    /// Takes the copy back, for a VM that is made anew: under the conditions of [`Row::create`](crate::Row::create) and
    /// before it.
    pub fn take_back(&self) {
        self.len.store(0, Ordering::Relaxed);
    }

    /// Index of the range that hands `id` to EL3, if one does.
    pub fn forwarding(&self, id: FunctionId) -> Option<usize> {
        self.find(id).filter(|(_, range)| range.action == Action::Forward).map(|(index, _)| index)
    }

    /// Whether a range is forwarded.
    pub fn forwards(&self) -> bool {
        self.cells().iter().any(|cells| cells.load().action == Action::Forward)
    }

    fn cells(&self) -> &[Cells] {
        self.ranges.get(..self.len.load(Ordering::Relaxed) as usize).unwrap_or_default()
    }

    /// The range that holds `id`, with its index.
    fn find(&self, id: FunctionId) -> Option<(usize, Identifiers)> {
        let cells = self.cells();
        let index = cells.partition_point(|cells| cells.first() <= id.0).checked_sub(1)?;
        let range = cells.get(index)?.load();
        (id.0 <= range.last).then_some((index, range))
    }
}

impl Ranges for Published {
    fn action(&self, id: FunctionId) -> Action {
        self.find(id).map_or(Action::Handle, |(_, range)| range.action)
    }
}

impl Default for Published {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::identifiers::RangeRequest;
    use crate::profile::Profile;

    /// The lowest identifier of the ranges: the silicon provider's, which may go to EL3.
    const BASE: u32 = 0xc200_0000;

    /// A filter with up to as many ranges as there can be, in any order of insertion.
    fn random(state: &mut u32) -> Filter {
        let mut random = |bound: u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*state >> 8) % bound
        };
        let mut filter = Filter::new();
        for _ in 0..random(60) {
            let request = RangeRequest {
                base: BASE + random(240),
                count: 1 + random(8),
                action: random(3) as u8,
                ..RangeRequest::default()
            };
            let _ = filter.insert(&request, Profile(0), true);
        }
        filter
    }

    /// One slot through many lives: it says what the filter says that was published last, and nothing of those before.
    #[test]
    fn a_published_filter_says_what_the_filter_says() {
        let (published, mut state) = (Published::new(), 1);
        for _ in 0..if cfg!(miri) { 3 } else { 300 } {
            let filter = random(&mut state);
            published.publish(&filter);
            for id in (BASE - 1..BASE + 260).step_by(if cfg!(miri) { 7 } else { 1 }).map(FunctionId) {
                assert_eq!(published.action(id), filter.action(id), "{id}");
                let holds = |range: &Identifiers| (range.first..=range.last).contains(&id.0);
                let index = filter.ranges().iter().position(holds).filter(|_| filter.action(id) == Action::Forward);
                assert_eq!(published.forwarding(id), index, "{id}");
            }
            assert_eq!(published.forwards(), filter.forwarded().next().is_some());
            published.take_back();
            assert_eq!((published.action(FunctionId(BASE)), published.forwards()), (Action::Handle, false));
        }
    }
}
