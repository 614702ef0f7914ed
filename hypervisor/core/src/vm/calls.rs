//! What becomes of the calls of a VM's vCPUs.

use portcullis_arch::timer;
use portcullis_gate::{Call, FunctionId, Ranges, Verdict, decide, decide_watched};

use super::Vm;
use super::audit::{Fate, Watch};

impl Vm {
    /// Decides what becomes of a call of one of its vCPUs.
    #[inline(always)]
    pub fn decide(&self, call: &Call) -> Verdict {
        self.decide_watched(self.audit.watch(), call)
    }

    /// The same, if its calls are watched so.
    #[inline(always)]
    pub fn decide_watched(&self, watch: Option<Watch>, call: &Call) -> Verdict {
        let profile = self.row.profile();
        let filter = profile.is_filtered().then_some(&self.published as &dyn Ranges);
        match watch.and_then(Watch::profile) {
            Some(everything) => decide_watched(everything, filter, call),
            None => decide(profile, filter, call),
        }
    }

    /// Notes a call of a VM that is audited, and what became of it.
    pub fn watch(&self, call: &Call, verdict: &Verdict) {
        let range = |id| self.published.forwarding(id);
        let fate = match (verdict, range(call.function())) {
            (Verdict::Deny, _) => Fate::Refused,
            (Verdict::Forward, Some(range)) => {
                self.audit.reached(range);
                Fate::Forwarded
            }
            (Verdict::Forward, None) => {
                // A discovery call that is offered here, about a function that EL3 has.
                let [_, asked, ..] = call.x;
                range(FunctionId::from_x0(asked)).into_iter().for_each(|range| self.audit.reached(range));
                Fate::Answered
            }
            (Verdict::Answer(_) | Verdict::Serve(_), _) => Fate::Answered,
        };
        self.audit.note(call.function(), call.conduit, fate, timer::count_relaxed());
    }
}
