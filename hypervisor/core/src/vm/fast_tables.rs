//! The answers of a VM for the vectors: worked out once its registers are frozen.

use alloc::boxed::Box;

use portcullis_arch::context::{BEYOND_SEARCH, BEYOND_TO_GATE, Context};
use portcullis_board::Firmware;
use portcullis_gate::{Conduit, Filter, Profile, Register, answers::Answers};

use super::Vm;
use crate::machine::Machine;

/// A VM's tables by HVC and by SMC: 8 KiB, which is a block of the heap's.
pub struct VmAnswers([Answers; 2]);

const _: () = assert!(size_of::<VmAnswers>() == 8 << 10);

impl VmAnswers {
    /// Tables that are yet to be worked out.
    pub fn new() -> Box<Self> {
        // SAFETY: every field of the tables is an atomic integer, for which zero is a value.
        unsafe { Box::new_zeroed().assume_init() }
    }
}

impl Vm {
    /// Works out what the vectors answer: nothing if the VM is audited, as every call is to be noted. To be called with the
    /// frozen `profile` and `filter` and before a vCPU runs.
    pub fn work_out_answers(&self, profile: Profile, filter: &Filter) {
        let VmAnswers([hvc, smc]) = &*self.answers;
        self.forwards.build(filter);
        if self.audit.profile().is_some() {
            hvc.close();
            smc.close();
            return;
        }
        hvc.build(profile, Some(filter), Conduit::Hvc, |group, outcome| Context::counter(group, false, outcome));
        smc.build(profile, Some(filter), Conduit::Smc, |group, outcome| Context::counter(group, true, outcome));
    }

    /// Tells a vCPU's context where the answers are.
    pub fn give_answers(&'static self, context: &mut Context) {
        let VmAnswers([hvc, smc]) = &*self.answers;
        context.answers = [Some(hvc), Some(smc)];
        let profile = self.row.profile();
        let audited = self.audit.profile().is_some();
        let forwards = self.published.forwards();
        context.beyond = [Conduit::Hvc, Conduit::Smc].map(|conduit| match () {
            // Management calls have no line, and an audited VM has none at all.
            () if profile.is_control() || audited => BEYOND_TO_GATE,
            () if forwards && profile.conduits().contains(conduit) => BEYOND_SEARCH,
            () => 0,
        });
        context.forwards = Some(&self.forwards);
        context.client = u64::from(self.vmid());
        context.wide = u64::from(Machine::get().board.firmware.is_some_and(Firmware::is_wide));
        let succeeds =
            |conduit| !audited && profile.conduits().contains(conduit) && profile.register(Register::Workaround1) != 0;
        context.workaround_1 = [Conduit::Hvc, Conduit::Smc].map(|conduit| u64::from(!succeeds(conduit)));
    }
}
