//! What a VM is doing, in the words and numbers of a manager.

use portcullis_abi::manage;

use super::Vm;
use super::power::PowerState;
use super::state::Phase;

impl Vm {
    /// Whether its guest has suspended it, and nothing has woken it yet.
    pub fn is_suspended(&self) -> bool {
        self.vcpus().iter().any(|vcpu| vcpu.power() == PowerState::Suspended)
    }

    /// What the VM is doing, in one word.
    pub fn phase_name(&self) -> &'static str {
        manage::PHASES.get(self.shown_phase() as usize).copied().unwrap_or_default()
    }

    /// What the VM is doing, as a management call tells it: a running one may sleep.
    pub fn shown_phase(&self) -> u64 {
        match self.phase() {
            Phase::Running if self.is_suspended() => manage::PHASE_SUSPENDED,
            phase => phase.shown(),
        }
    }
}
