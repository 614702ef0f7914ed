//! The range filter of a VM: ranges of function identifiers with a rule of their own.

use core::fmt;

use heapless::Vec;
use portcullis_abi::manage::{self, FILTERS};

use crate::calls::Calls;
use crate::management;
use crate::names;
use crate::table::{self, cell};

/// A range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First function.
    pub first: u64,
    /// Number of functions.
    pub count: u64,
    /// A `FILTER_*`.
    pub action: u64,
}

impl Range {
    /// Takes apart what `FILTER_LIST` returns.
    pub const fn new([range, action, _]: [u64; 3]) -> Self {
        Self { first: range & 0xffff_ffff, count: range >> 32, action }
    }

    /// Last function.
    pub const fn last(&self) -> u64 {
        self.first.saturating_add(self.count).saturating_sub(1)
    }

    /// What becomes of its calls, in one word.
    pub fn action_name(&self) -> &'static str {
        names::name(&FILTERS, self.action)
    }
}

/// The ranges, in ascending order.
#[derive(Clone, Debug)]
pub struct Filter(pub Vec<Range, 32>);

/// Reads the filter of a VM.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<Filter, C::Error> {
    let mut ranges = Vec::new();
    management::each(
        |index| calls.call(manage::FILTER_LIST, [vm, index, 0]),
        |values| _ = ranges.push(Range::new(values)),
    )?;
    Ok(Filter(ranges))
}

/// The range with this index.
///
/// # Errors
/// Those of the call.
pub fn range<C: Calls + ?Sized>(calls: &mut C, vm: u64, index: u64) -> Result<Range, C::Error> {
    calls.call(manage::FILTER_LIST, [vm, index, 0]).map(Range::new)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no ranges: the registers alone decide");
        }
        table::print(f, ["first", "last", "count", "action"], |number| {
            let range = self.0.get(number)?;
            Some([
                cell(format_args!("{:#010x}", range.first)),
                cell(format_args!("{:#010x}", range.last())),
                cell(format_args!("{:#x}", range.count)),
                cell(format_args!("{}", range.action_name())),
            ])
        })
    }
}
