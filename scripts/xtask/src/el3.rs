//! What runs at EL3, and how QEMU's options name files.

use std::path::Path;

use firmware::mode::Setting;

/// What runs at EL3, below the hypervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum El3 {
    /// Nothing: QEMU answers PSCI itself.
    None,
    /// Arm Trusted Firmware-A.
    TfA,
    /// The firmware of `guest-images/firmware`, for tests, with its behaviour.
    Test(Setting),
}

impl El3 {
    /// The firmware of this name.
    ///
    /// # Errors
    ///
    /// One sentence, if there is none.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "none" => Ok(Self::None),
            "tf-a" => Ok(Self::TfA),
            _ => Err(format!("--el3 {name}: expected one of none, tf-a")),
        }
    }
}

/// A file as a value in an option of QEMU's, where a comma is written twice.
pub fn option(file: &Path) -> String {
    file.display().to_string().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_firmware() {
        assert_eq!((El3::parse("none"), El3::parse("tf-a")), (Ok(El3::None), Ok(El3::TfA)));
        assert!(El3::parse("uefi").unwrap_err().contains("--el3 uefi: expected one of none, tf-a"));
    }
}
