//! What an exit from a guest can begin with, so that what the guest has taught the branch predictor steers nothing of EL2's.

/// See the module; [`harden`](crate::vectors::harden) has a core do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardening {
    /// Nothing.
    None,
    /// A loop of so many iterations that overwrites the history of branches (Arm, "Spectre-BHB").
    Loop(u8),
    /// CLRBHB (FEAT_CLRBHB).
    Clear,
    /// A call of this function at EL3, which takes no argument and can be made at any time: SMCCC_ARCH_WORKAROUND_1 or _3 (DEN0028,
    /// section 7).
    Call(u32),
}
