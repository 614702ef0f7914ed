//! What the vectors know of a VM, so that most of its calls end there.

use portcullis_arch::context::Context;
use portcullis_gate::{Conduit, Filter, Profile, Register};

use super::Vm;
use super::audit::Watch;
use crate::cpu::physical_core::Core;

impl Vm {
    /// Works out what the vectors answer: nothing if the VM is audited, as the gate notes every call. To be called with the
    /// frozen `profile` and `filter` and before a vCPU runs.
    pub fn work_out_fast_tables(&self, profile: Profile, filter: &Filter) {
        self.forwards.build(filter);
        match self.audit.profile() {
            Some(_) => self.fast_tables.close(),
            None => self.fast_tables.work_out(profile, filter),
        }
    }

    /// Does one of the [`PARTS`](super::fast_tables::PARTS) parts of that for a VM that is being restored and is not audited yet.
    /// The last one is [`adopt_fast_tables`](Self::adopt_fast_tables).
    pub fn work_out_part(&self, profile: Profile, filter: &Filter, part: usize) {
        self.fast_tables.work_out_part(profile, filter, part);
    }

    /// Takes on tables that were worked out in parts, for this frozen `filter`.
    pub fn adopt_fast_tables(&self, filter: &Filter) {
        self.forwards.build(filter);
        if self.audit.profile().is_some() {
            self.fast_tables.close();
        }
    }

    /// Tells the context of a vCPU that begins on this core, its own, where the tables are. `wide`: EL3 may return results of an
    /// SMC64 call in x4 to x17 too, which only a guest takes for such that is shown SMCCC 1.2.
    pub fn give_fast_tables(&'static self, context: &Context, wide: bool) {
        match self.audit.watch() {
            None => self.give(context, wide, None),
            Some(watch) => {
                self.give_watched(context, wide, watch);
                if watch.is_traced() {
                    // Its traps are yet to be served as the trace needs them.
                    Core::current().into_iter().for_each(Core::call_to_trace);
                }
            }
        }
    }

    /// The same for a vCPU that has begun, on this core, its own, when a trace was switched.
    pub fn renew_fast_tables(&'static self, context: &Context, wide: bool) {
        match self.audit.watch() {
            None => self.give(context, wide, None),
            Some(watch) => self.give_watched(context, wide, watch),
        }
    }

    #[cold]
    #[inline(never)]
    fn give_watched(&'static self, context: &Context, wide: bool, watch: Watch) {
        self.give(context, wide, Some(watch));
        if watch.is_traced()
            && let Some(all_asked) = crate::trace::answers()
        {
            context.answers.set([Some(all_asked); 2]);
        }
    }

    #[inline(always)]
    fn give(&'static self, context: &Context, wide: bool, watch: Option<Watch>) {
        context.answers.set(self.fast_tables.by_conduit().map(Some));
        let profile = self.row.profile();
        let shown = watch.and_then(Watch::profile).unwrap_or(profile);
        let wide = wide && shown.is_smccc_1_2();
        context.forward_ranges.set(Some(&self.forwards));
        context.client.set(u64::from(self.vmid()));
        context.wide.set(u64::from(wide));
        let succeeds = |conduit| {
            watch.is_none() && profile.conduits().contains(conduit) && profile.register(Register::Workaround1) != 0
        };
        context.offer_workaround_1([Conduit::Hvc, Conduit::Smc].map(succeeds));
    }
}
