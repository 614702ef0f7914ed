//! What becomes of a call.

use portcullis_abi::result;

use crate::function_id::Width;

/// The registers x0 to x3 that a call returns. The gate never touches x4 to x17.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Return(pub [u64; 4]);

impl Return {
    /// x0 = -1 over 64 bits, the others zero: what a denied or unknown call returns.
    pub const NOT_SUPPORTED: Self = Self::code(result::NOT_SUPPORTED);
    /// Everything zero.
    pub const SUCCESS: Self = Self::value(0);

    /// A return code, sign-extended in x0.
    pub const fn code(code: i64) -> Self {
        Self([code.cast_unsigned(), 0, 0, 0])
    }

    /// One value in x0.
    pub const fn value(value: u64) -> Self {
        Self([value, 0, 0, 0])
    }

    /// Four 32-bit words, each zero-extended.
    pub const fn words(words: [u32; 4]) -> Self {
        let [a, b, c, d] = words;
        Self([a as u64, b as u64, c as u64, d as u64])
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Finished: return this to the guest.
    Answer(Return),
    /// Allowed: this service has the answer. Its arguments are [`Call::arguments`](crate::Call::arguments).
    Serve(Service),
    /// Allowed: EL3 has the answer.
    Forward,
    /// Refused: return [`Return::NOT_SUPPORTED`], count it, touch nothing else.
    Deny,
}

/// A service behind the gate, with the function that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// PSCI, Arm DEN0022.
    Psci(PsciFunction, Width),
    /// TRNG, Arm DEN0098.
    Trng(TrngFunction),
    /// `PV_TIME_ST`, Arm DEN0057.
    PvTimeSt,
    /// The PTP call of Linux KVM.
    Ptp,
    /// The implementation-version call of Linux KVM.
    ImplVersion,
    /// The implementation-CPU call of Linux KVM.
    ImplCpus,
    /// `SMCCC_ARCH_SOC_ID`.
    SocId,
    /// The watchdog call of Linux' `arm,smc-wdt`.
    Watchdog,
    /// A management call, by its function identifier. Not each of them has a meaning.
    Management(u32),
}

/// The PSCI functions that act on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsciFunction {
    /// `CPU_SUSPEND`.
    CpuSuspend,
    /// `CPU_OFF`.
    CpuOff,
    /// `CPU_ON`.
    CpuOn,
    /// `AFFINITY_INFO`.
    AffinityInfo,
    /// `SYSTEM_OFF`.
    SystemOff,
    /// `SYSTEM_RESET`.
    SystemReset,
    /// `SYSTEM_RESET2`.
    SystemReset2,
    /// `SYSTEM_OFF2`.
    SystemOff2,
    /// `SYSTEM_SUSPEND`.
    SystemSuspend,
}

impl PsciFunction {
    /// What `PSCI_FEATURES` says of it where it is offered (DEN0022, `PSCI_FEATURES`): 0 stands for no flags.
    pub const fn features(self) -> i64 {
        match self {
            Self::SystemOff2 => result::PSCI_FEATURE_HIBERNATE_OFF,
            _ => 0,
        }
    }
}

/// The TRNG functions that need the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrngFunction {
    /// `TRNG_GET_UUID`.
    GetUuid,
    /// `TRNG_RND32`.
    Rnd32,
    /// `TRNG_RND64`.
    Rnd64,
}
