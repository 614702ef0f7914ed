//! The power state of a vCPU.

/// Power state of a vCPU (DEN0022, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PowerState {
    /// Off.
    Off = 0,
    /// Off; its core is about to load the VM's images and then to start it.
    LoadPending = 1,
    /// Off; its core is about to start it.
    OnPending = 2,
    /// On.
    On = 3,
}
