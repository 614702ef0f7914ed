//! The registers of a vCPU's private interrupts (SGIs and PPIs): in its redistributor, or banked in a GICv2's distributor.

use core::sync::atomic::Ordering;

use super::list_register::ListRegisters;
use super::registers::Register;
use super::vcpu::{CpuState, PRIVATE, SGIS};
use super::{HARDWARE_LINKED, VcpuSet, Vgic};

/// What a write to the registers of private interrupts asks of the caller.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[must_use = "vCPUs may have to be kicked"]
pub struct PrivateWrite {
    /// Other vCPUs to kick.
    pub kick: VcpuSet,
    /// Interrupts of [`HARDWARE_LINKED`] that this write has enabled for the vCPU whose they are.
    pub enabled: u32,
    /// Interrupts of [`HARDWARE_LINKED`] that this write has disabled for the vCPU whose they are.
    pub disabled: u32,
}

impl CpuState {
    /// Reads a register of its private interrupts; `here` says whether this is its core.
    #[inline(always)]
    pub fn read_private(&self, register: Register, here: bool, lrs: &impl ListRegisters) -> u64 {
        let state = self.state.lock();
        let slots = &state.slots;
        let resident = slots.states(0, |n| if here { lrs.read(n) } else { slots.value(n) });
        let incoming = match register {
            Register::SetPending | Register::ClearPending => self.incoming(),
            _ => 0,
        };
        state.bank.read(register, resident) | u64::from(incoming)
    }
}

impl Vgic {
    /// Writes a register of the private interrupts of vCPU `index`, that is `owner`, as vCPU `writer`.
    #[inline(always)]
    pub(super) fn write_private(
        &self,
        owner: &CpuState,
        writer: usize,
        index: usize,
        register: Register,
        value: u64,
    ) -> PrivateWrite {
        let mut result = PrivateWrite::default();
        let mut state = owner.state.lock();
        if register == Register::ClearPending {
            owner.withdraw(value as u32 & SGIS);
        }
        let changed = state.bank.write(register, value, SGIS);
        match register {
            Register::SetEnable => result.enabled = changed & HARDWARE_LINKED,
            Register::ClearEnable => result.disabled = changed & HARDWARE_LINKED,
            _ => {}
        }
        let relevant = state.bank.lr.held | state.bank.deliverable(self.control.load(Ordering::Relaxed));
        if changed & relevant != 0 && owner.notify(PRIVATE) && index != writer {
            result.kick.insert(index);
        }
        result
    }
}
