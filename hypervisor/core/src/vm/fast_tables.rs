//! The tables of a VM from which the vectors answer calls: worked out once its registers are frozen.

use alloc::boxed::Box;

use portcullis_arch::context::Context;
use portcullis_gate::{Conduit, Conduits, Filter, Profile, fast_table::Answers};

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
        let [hvc, smc] = self.by_conduit();
        hvc.build(profile, Some(filter), Conduit::Hvc, |group, outcome| Context::counter(group, false, outcome));
        let counter = |group, outcome| Context::counter(group, true, outcome);
        if profile.conduits() == Conduits::BOTH {
            smc.build_like(hvc, counter);
        } else {
            smc.build(profile, Some(filter), Conduit::Smc, counter);
        }
    }
}
