//! What a PSCI node says.

use super::PsciMethod;
use super::error::FactsError;

impl PsciMethod {
    /// Reads the property `method`.
    ///
    /// # Errors
    ///
    /// [`FactsError::Property`]: it is neither of the two.
    pub(super) fn of(property: &[u8]) -> Result<Self, FactsError> {
        match property {
            b"hvc\0" => Ok(Self::Hvc),
            b"smc\0" => Ok(Self::Smc),
            _ => Err(FactsError::Property { node: "PSCI node", property: "method", expected: "\"hvc\" or \"smc\"" }),
        }
    }
}
