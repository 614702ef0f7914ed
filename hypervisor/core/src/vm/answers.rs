//! The answers of a VM for the vectors: worked out once its registers are frozen.

use alloc::boxed::Box;

use portcullis_arch::context::Context;
use portcullis_gate::{Conduit, Register, answers::Answers};

use super::Vm;

/// A VM's tables by HVC and by SMC.
pub struct VmAnswers([Answers; 2]);

impl VmAnswers {
    /// Tables that are yet to be worked out.
    pub fn new() -> Box<Self> {
        // SAFETY: every field of the tables is an atomic integer, for which zero is a value.
        unsafe { Box::new_zeroed().assume_init() }
    }
}

impl Vm {
    /// Works out what the vectors answer. To be called when the registers are frozen and before a vCPU runs.
    pub fn work_out_answers(&self) {
        let VmAnswers([hvc, smc]) = &*self.answers;
        let profile = self.row.profile();
        hvc.build(profile, None, Conduit::Hvc, |group, denied| Context::counter(group, false, denied));
        smc.build(profile, None, Conduit::Smc, |group, denied| Context::counter(group, true, denied));
    }

    /// Tells a vCPU's context where the answers are.
    pub fn give_answers(&'static self, context: &mut Context) {
        let VmAnswers([hvc, smc]) = &*self.answers;
        context.answers = [Some(hvc), Some(smc)];
        context.beyond = 0;
        let profile = self.row.profile();
        let succeeds = |conduit| profile.conduits().contains(conduit) && profile.register(Register::Workaround1) != 0;
        context.workaround_1 = [Conduit::Hvc, Conduit::Smc].map(|conduit| u64::from(!succeeds(conduit)));
    }
}
