//! Firmware functions by name.

use portcullis_abi::{function, manage};

use crate::number;

/// Functions with a name that no VM is offered.
const REFUSED: [(&str, u32); 2] =
    [("SMCCC_ARCH_SOC_ID", function::ARCH_SOC_ID), ("SMCCC_ARCH_SOC_ID", function::ARCH_SOC_ID | function::SMC64)];

fn all() -> impl Iterator<Item = (&'static str, u32)> {
    portcullis_gate::NAMES.into_iter().chain(REFUSED).chain(manage::ALL)
}

/// The name of a function; empty if it has none.
pub fn name(function: u32) -> &'static str {
    all().find(|&(_, known)| known == function).map_or("", |(name, _)| name)
}

/// The function that a word means: a name of this list, or a number of 32 bits.
pub fn parse(word: &str) -> Option<u32> {
    let named = all().find(|&(name, _)| name == word).map(|(_, function)| function);
    named.or_else(|| u32::try_from(number::parse(word)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(parse("TRNG_RND64"), Some(0xc400_0053));
        assert_eq!(parse("0xc4000053"), Some(0xc400_0053));
        assert_eq!(parse("REGISTER_SET"), Some(manage::REGISTER_SET));
        assert_eq!((parse("0x1_0000_0000"), parse("TRNG")), (None, None));
        assert_eq!((name(0x8400_0000), name(0x1234)), ("PSCI_VERSION", ""));
    }
}
