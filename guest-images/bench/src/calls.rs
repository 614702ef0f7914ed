//! The firmware calls that are measured. The first twelve are those of the peers' figures.

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name in the results.
    pub name: &'static str,
    /// x0: the function id.
    pub function: u32,
    /// x1; the others are zero.
    pub argument: u32,
}

impl Call {
    /// x0 to x3.
    pub const fn arguments(&self) -> [u64; 4] {
        [self.function as u64, self.argument as u64, 0, 0]
    }
}

const fn call(name: &'static str, function: u32, argument: u32) -> Call {
    Call { name, function, argument }
}

/// Every call; by HVC its test has its own index, by SMC [`SMC`] more.
pub static CALLS: [Call; 15] = [
    call("unknown", 0x8600_beef, 0),
    call("smccc-version", 0x8000_0000, 0),
    call("arch-features", 0x8000_0001, 0x8000_8000),
    call("workaround-1", 0x8000_8000, 0),
    call("psci-version", 0x8400_0000, 0),
    call("psci-features", 0x8400_000a, 0xc400_0003),
    call("trng-version", 0x8400_0050, 0),
    call("trng-rnd64", 0xc400_0053, 192),
    call("vendor-uid", 0x8600_ff01, 0),
    call("vendor-features", 0x8600_0000, 0),
    call("ptp", 0x8600_0001, 0),
    call("pv-time-features", 0xc500_0020, 0xc500_0021),
    // SYSTEM_RESET2 of a reserved type: known to be served, and refused at once (DEN0022, section 5.12).
    call("refused-reset", 0x8400_0012, 1),
    // An id of the silicon's owner, which range filters are made for.
    call("silicon", FILTERED, 0),
    call("silicon-32", FILTERED_32, 0),
];

/// What is added to a call's index for its test by SMC.
pub const SMC: usize = 20;
/// A function id for range filters (SiP, 64 bits).
pub const FILTERED: u32 = 0xc200_1f00;

/// A function id for range filters (SiP, 32 bits).
pub const FILTERED_32: u32 = 0x8200_1f00;

/// Index of the call of this name.
pub fn index(name: &str) -> Option<usize> {
    CALLS.iter().position(|call| call.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark;

    #[test]
    fn names_are_unique_and_tests_have_marks() {
        for (number, call) in CALLS.iter().enumerate() {
            assert_eq!(index(call.name), Some(number));
        }
        assert!(CALLS.len() <= SMC && SMC + CALLS.len() <= mark::RESTART as usize);
    }
}
