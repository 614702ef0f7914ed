//! The tables of a VM from which the vectors answer calls: worked out once its registers are frozen.

use alloc::boxed::Box;
use core::ops::Range;

use portcullis_arch::context::Context;
use portcullis_gate::{Conduit, Conduits, Filter, KNOWN, Profile, fast_table::Answers};

/// The parts in which tables can be worked out one after the other.
pub const PARTS: usize = 4;

/// A VM's tables by HVC and by SMC: 8 KiB, which is a block of the heap's.
pub struct FastTables([Answers; 2]);

const _: () = assert!(size_of::<FastTables>() == 8 << 10);

impl FastTables {
    /// Makes tables that are yet to be worked out.
    pub fn new() -> Box<Self> {
        // SAFETY: every field of the tables is an atomic integer, for which zero is a value.
        unsafe { Box::new_zeroed().assume_init() }
    }

    /// The tables by HVC and by SMC.
    pub const fn by_conduit(&self) -> [&Answers; 2] {
        let Self([hvc, smc]) = self;
        [hvc, smc]
    }

    /// Leaves every call to the gate.
    pub fn close(&self) {
        self.by_conduit().iter().for_each(|table| table.close(true));
    }

    /// Works out what the vectors answer a VM with this `profile` and `filter`, both final.
    pub fn work_out(&self, profile: Profile, filter: &Filter) {
        self.work_out_functions(profile, filter, 0..KNOWN.len());
    }

    /// Does one of the [`PARTS`] parts of that, by its number. They have to be done in their order.
    pub fn work_out_part(&self, profile: Profile, filter: &Filter, part: usize) {
        let first = |part: usize| KNOWN.len().saturating_mul(part).checked_div(PARTS).unwrap_or_default();
        self.work_out_functions(profile, filter, first(part)..first(part.saturating_add(1)));
    }

    fn work_out_functions(&self, profile: Profile, filter: &Filter, functions: Range<usize>) {
        let [hvc, smc] = self.by_conduit();
        let is_last = functions.end == KNOWN.len();
        let counter = |group, outcome| Context::counter(group, false, outcome);
        hvc.build_part(profile, Some(filter), Conduit::Hvc, counter, functions.clone());
        let counter = |group, outcome| Context::counter(group, true, outcome);
        if profile.conduits() != Conduits::BOTH {
            smc.build_part(profile, Some(filter), Conduit::Smc, counter, functions);
        } else if is_last {
            smc.build_like(hvc, counter);
        }
    }
}
