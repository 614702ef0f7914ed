//! Ranges of functions on the command line: `BASE+COUNT,BASE+COUNT`.

use portcullis_gate::{Action, Filter, FilterError, Profile, RangeRequest};

/// Ranges, each as first function and number of functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ranges(&'static str);

impl Ranges {
    /// Reads ranges; none if one of them is no range.
    pub fn parse(text: &'static str) -> Option<Self> {
        let ranges = Self(text);
        let good = text.is_empty() || text.split(',').all(|range| range_of(range).is_some());
        good.then_some(ranges)
    }

    /// The ranges in their order.
    pub fn iter(self) -> impl Iterator<Item = (u32, u32)> {
        self.0.split(',').filter_map(range_of)
    }

    /// Adds each range to `filter` with `action`.
    ///
    /// # Errors
    /// What the gate says of the first one that does not fit.
    pub fn add_to(self, filter: &mut Filter, action: Action) -> Result<(), FilterError> {
        self.iter().try_for_each(|(base, count)| {
            let request = RangeRequest { base, count, action: action as u8, ..RangeRequest::default() };
            filter.insert(&request, Profile(0), true)
        })
    }
}

fn range_of(text: &str) -> Option<(u32, u32)> {
    let (base, count) = text.split_once('+')?;
    Some((number(base)?, number(count)?))
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_in_order() {
        let ranges = Ranges::parse("0xc2000000+0x100,0x84000050+4").unwrap();
        assert!(ranges.iter().eq([(0xc200_0000, 0x100), (0x8400_0050, 4)]));
        assert_eq!(Ranges::parse("").unwrap().iter().count(), 0);
        for wrong in ["0x84000050", "1+", "+1", "1+2,", "1+2;3+4", "0x1_0+1"] {
            assert_eq!(Ranges::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn they_become_a_filter() {
        let mut filter = Filter::new();
        Ranges::parse("0x82000000+2,0x84000050+4").unwrap().add_to(&mut filter, Action::Forward).unwrap();
        assert_eq!(filter.forwarded().count(), 2);
        let psci = Ranges::parse("0x84000000+1").unwrap();
        assert_eq!(psci.add_to(&mut filter, Action::Forward), Err(FilterError::ForwardRefused));
    }
}
