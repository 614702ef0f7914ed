//! Interrupt controllers.

/// A generation of Arm's interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gic {
    /// GICv2.
    V2,
    /// GICv3.
    V3,
}

impl Gic {
    /// The one with this number.
    ///
    /// # Errors
    ///
    /// One sentence, if there is none.
    pub fn parse(number: &str) -> Result<Self, String> {
        match number {
            "2" => Ok(Self::V2),
            "3" => Ok(Self::V3),
            _ => Err(format!("--gic {number}: expected one of 2, 3")),
        }
    }

    /// Its number.
    pub const fn version(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_to_interrupt_controllers() {
        assert_eq!([Gic::V2, Gic::V3].map(|gic| Gic::parse(&gic.version().to_string())), [Ok(Gic::V2), Ok(Gic::V3)]);
        assert!(Gic::parse("4").unwrap_err().contains("--gic 4: expected one of 2, 3"));
    }
}
