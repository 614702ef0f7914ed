//! One firmware call as the guest made it.

use portcullis_abi::bundle;

use crate::function_id::{FunctionId, Width};

/// The instruction by which a call comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// HVC.
    Hvc,
    /// SMC.
    Smc,
}

/// The conduits that are open to a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduits(u32);

impl Conduits {
    /// No conduit: every call is denied.
    pub const NONE: Self = Self(0);
    /// HVC alone.
    pub const HVC: Self = Self(bundle::CONDUIT_HVC);
    /// SMC alone.
    pub const SMC: Self = Self(bundle::CONDUIT_SMC);
    /// Both.
    pub const BOTH: Self = Self(bundle::CONDUIT_HVC | bundle::CONDUIT_SMC);

    /// From the bundle's `conduits` property; `None` if a bit has no meaning.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !Self::BOTH.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// As the bundle's `conduits` property has them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether `conduit` is open.
    pub const fn contains(self, conduit: Conduit) -> bool {
        let bit = match conduit {
            Conduit::Hvc => bundle::CONDUIT_HVC,
            Conduit::Smc => bundle::CONDUIT_SMC,
        };
        self.0 & bit != 0
    }
}

/// A firmware call: everything that a verdict or a service looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// x0 to x3 as the guest left them.
    pub x: [u64; 4],
    /// HVC or SMC.
    pub conduit: Conduit,
    /// The instruction's immediate.
    pub immediate: u16,
    /// The caller is in AArch32 state.
    pub aarch32: bool,
}

impl Call {
    /// A call from AArch64 state with immediate zero.
    pub const fn new(conduit: Conduit, x: [u64; 4]) -> Self {
        Self { x, conduit, immediate: 0, aarch32: false }
    }

    /// The function identifier.
    pub const fn function(&self) -> FunctionId {
        let [x0, ..] = self.x;
        FunctionId::from_x0(x0)
    }

    /// x1 to x3 as the convention of the function has them: an SMC32 call's are 32 bits wide, and what a caller left
    /// in the upper halves is no part of them (DEN0028).
    pub const fn arguments(&self) -> [u64; 3] {
        let [_, x1, x2, x3] = self.x;
        match self.function().width() {
            Width::Smc32 => [x1 & 0xffff_ffff, x2 & 0xffff_ffff, x3 & 0xffff_ffff],
            Width::Smc64 => [x1, x2, x3],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_cut_for_smc32_only() {
        let x = [0x8400_0003, u64::MAX, 0x1_0000_0002, 3];
        assert_eq!(Call::new(Conduit::Hvc, x).arguments(), [0xffff_ffff, 2, 3]);
        let x = [0xc400_0003, u64::MAX, 0x1_0000_0002, 3];
        assert_eq!(Call::new(Conduit::Smc, x).arguments(), [u64::MAX, 0x1_0000_0002, 3]);
    }

    #[test]
    fn conduits_hold_their_bits() {
        assert_eq!(Conduits::from_bits(3), Some(Conduits::BOTH));
        assert_eq!(Conduits::from_bits(4), None);
        assert!(Conduits::HVC.contains(Conduit::Hvc) && !Conduits::HVC.contains(Conduit::Smc));
        assert!(Conduits::SMC.contains(Conduit::Smc) && !Conduits::SMC.contains(Conduit::Hvc));
        assert!(!Conduits::NONE.contains(Conduit::Hvc) && !Conduits::NONE.contains(Conduit::Smc));
    }
}
