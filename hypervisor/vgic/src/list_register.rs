//! List registers: the encoding of `ICH_LR<n>_EL2` (IHI 0069, section 12.4.12), and what is asked of the hardware.
//!
//! It is the model's form for a GICv2's too, whose interface translates it. There an SGI has a source: in bits 34:32, which
//! are the place of CPUID in `GICH_LR<n>`, the lowest bits of the physical INTID that an SGI does not have.

use crate::fields::ICH_LR;

/// The virtual interface control registers of the core that this runs on.
pub trait ListRegisters {
    /// Whether an SGI is pending for each of its senders by itself, and has its sender's number in its list register: GICv2.
    const SOURCES: bool;
    /// Number of list registers, 1 to 16 (ICH_VTR_EL2.ListRegs + 1).
    fn count(&self) -> usize;
    /// Reads `ICH_LR<n>_EL2`.
    fn read(&self, n: usize) -> u64;
    /// Writes `ICH_LR<n>_EL2`.
    fn write(&mut self, n: usize, value: u64);
    /// Reads ICH_ELRSR_EL2: bit n is set when list register n is free and has no end of interrupt to report. A
    /// [`write`](Self::write) is seen here after a context synchronization event only (Arm ARM, D24.1.2.2): an exception, or
    /// [`synchronize`](Self::synchronize).
    fn empty(&self) -> u32;
    /// Has [`empty`](Self::empty) see what was written before.
    fn synchronize(&mut self);
    /// Sets ICH_HCR_EL2.NPIE: a maintenance interrupt while no list register is pending. (UIE would not do: it stays
    /// asserted while one register is valid, so a guest that handles its last interrupt would never get to run.)
    fn set_no_pending_maintenance(&mut self, enable: bool);
    /// Deactivates a physical interrupt of this core (ICC_DIR_EL1).
    fn deactivate(&mut self, intid: u32);
    /// Whether the line of a physical private interrupt of this core is asserted. One that is pending in the model is only
    /// presented while it is: the guest may have turned its timer off meanwhile.
    fn line(&self, _intid: u32) -> bool {
        true
    }
}

/// Bit of a list register with HW = 0: a maintenance interrupt when the guest deactivates it.
pub const EOI: u64 = ICH_LR::EOI::SET.value;
/// Bit: deactivation goes on to the physical interrupt.
pub const HW: u64 = ICH_LR::HW::SET.value;

/// State of an interrupt in a list register.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The register is free, or the guest has ended its interrupt.
    Inactive,
    /// Waits for the guest to acknowledge it.
    Pending,
    /// The guest has acknowledged it.
    Active,
    /// Acknowledged, and pending again.
    PendingActive,
}

impl State {
    /// The state that a list register's value has.
    #[inline]
    pub fn of(value: u64) -> Self {
        match ICH_LR::State.read(value) {
            0 => Self::Inactive,
            1 => Self::Pending,
            2 => Self::Active,
            _ => Self::PendingActive,
        }
    }

    /// Pending, active as well or not.
    #[inline]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::PendingActive)
    }

    /// Active, pending as well or not.
    #[inline]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active | Self::PendingActive)
    }
}

/// A pending interrupt without a physical one behind it.
#[inline]
pub fn pending(intid: u32, priority: u8, group_1: bool) -> u64 {
    let interrupt = ICH_LR::VINTID.val(intid.into()) + ICH_LR::Priority.val(priority.into());
    (interrupt + ICH_LR::Group1.val(group_1.into()) + ICH_LR::State::Pending).value
}

/// The bits that link an interrupt to the physical one `intid` (0 to 1019).
#[inline]
pub fn linked(intid: u32) -> u64 {
    (ICH_LR::HW::SET + ICH_LR::PINTID.val(intid.into())).value
}

/// The value without its link.
#[inline]
pub fn unlinked(value: u64) -> u64 {
    (ICH_LR::HW::CLEAR + ICH_LR::PINTID::CLEAR).modify(value)
}

/// The bits that name the vCPU that has sent an SGI (0 to 7): GICv2 only.
#[inline]
pub fn sent_by(source: u32) -> u64 {
    ICH_LR::CPUID.val(source.into()).value
}

/// The vCPU that has sent an SGI.
#[inline]
pub fn source(value: u64) -> u32 {
    ICH_LR::CPUID.read(value) as u32
}

/// The value with another state.
#[inline]
pub fn with_state(value: u64, state: State) -> u64 {
    ICH_LR::State.val(state as u64).modify(value)
}

/// The value without a link, with a maintenance interrupt at its end.
#[inline]
pub fn with_end_reported(value: u64) -> u64 {
    let value = if ICH_LR::HW.is_set(value) { unlinked(value) } else { value };
    ICH_LR::EOI::SET.modify(value)
}

/// Priority of the interrupt in a list register.
#[inline]
pub fn priority(value: u64) -> u8 {
    ICH_LR::Priority.read(value) as u8
}
