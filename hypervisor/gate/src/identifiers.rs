//! A range of function identifiers, and what becomes of its functions.

/// Most ranges that one VM's filter can hold.
pub const MAX_RANGES: usize = 32;

/// What becomes of the functions of a range. The numbers are those of KVM's SMCCC filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// The firmware registers decide, as without a range.
    #[default]
    Handle = 0,
    /// Refused.
    Deny = 1,
    /// Handed to EL3, whatever the firmware registers say.
    Forward = 2,
}

impl Action {
    /// The action with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Handle,
            1 => Self::Deny,
            2 => Self::Forward,
            _ => return None,
        })
    }
}

/// A range of function identifiers with one action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Identifiers {
    /// First function identifier.
    pub first: u32,
    /// Last function identifier.
    pub last: u32,
    /// What becomes of them.
    pub action: Action,
}

/// A range as a manager asks for it, unchecked: the fields of KVM's `struct kvm_smccc_filter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeRequest {
    /// First function identifier.
    pub base: u32,
    /// Number of function identifiers.
    pub count: u32,
    /// Number of the action.
    pub action: u8,
    /// Must be zero.
    pub reserved: [u8; 15],
}
