//! What a function is: the shape of a row of the [table](crate::table).

use crate::group::Group;
use crate::register::Register;
use crate::verdict::Service;

/// A function that the gate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its identifier, compared over all 32 bits: a yielding form, reserved bits or a width that the function does not
    /// define name nothing.
    pub id: u32,
    /// What its calls are counted as.
    pub group: Group,
    /// What a VM must have to be offered it.
    pub need: Need,
    /// How it is answered.
    pub reply: Reply,
    /// The discovery calls that know it.
    pub queries: Queries,
}

/// What a VM must have to be offered a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// This PSCI version, or a newer one.
    Psci(u32),
    /// This bit of a bitmap register.
    Bit(Register, u64),
    /// A level of this workaround register at which there is something to call.
    Level(Register),
    /// PSCI 1.0, and the permission to suspend itself.
    Suspend,
    /// A SoC that it is told of, and SMCCC 1.2.
    Soc,
    /// To be the control VM.
    Control,
}

/// How a function is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With these words in x0 to x3, always.
    Words([u32; 4]),
    /// With the value of this register.
    Register(Register),
    /// With whether the function that is asked about exists, as far as this discovery call knows it.
    Features(Query),
    /// With the vendor's feature words.
    VendorWords,
    /// By a service.
    Serve(Service),
    /// As a management call, whichever it is.
    Manage,
}

/// A discovery call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Query {
    /// `SMCCC_ARCH_FEATURES` (DEN0028 section 7.3).
    Arch = 0,
    /// `PSCI_FEATURES` (DEN0022): PSCI itself and `SMCCC_VERSION`.
    Psci = 1,
    /// `TRNG_FEATURES` (DEN0098 section 2.3).
    Trng = 2,
    /// `PV_TIME_FEATURES` (DEN0057).
    PvTime = 3,
    /// The vendor's feature words: the function's number is that of its bit.
    Vendor = 4,
}

/// A set of discovery calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queries(u8);

impl Queries {
    /// The set of these.
    pub const fn of(queries: &[Query]) -> Self {
        let mut bits = 0;
        let mut rest = queries;
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = others;
        }
        Self(bits)
    }

    /// Whether `query` is one of them.
    pub const fn contain(self, query: Query) -> bool {
        self.0 >> query as u8 & 1 == 1
    }
}
