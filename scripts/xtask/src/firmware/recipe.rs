//! How TF-A is built: everything that its bytes depend on, in words that a built one keeps with it.

use crate::board::Gic;

use super::place;

/// Our part of BL31, from the checkout's root.
pub const GLUE: &str = "scripts/firmware/trng.c";
/// What make is asked for.
pub const GOALS: [&str; 4] = ["bl1", "bl2", "bl31", "fip"];

/// One build of TF-A.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    gic: Gic,
    version: String,
    glue: String,
}

impl Recipe {
    /// TF-A of this version with the text of our part of BL31.
    pub fn new(gic: Gic, version: &str, glue: &str) -> Self {
        Self { gic, version: version.to_owned(), glue: glue.to_owned() }
    }

    /// Its name among the firmware's files.
    pub fn name(&self) -> String {
        format!("tf-a-gicv{}", self.gic.version())
    }

    /// What it is, in messages.
    pub fn title(&self) -> String {
        let version = self.version.split('+').next().unwrap_or_default();
        format!("TF-A {version} for a GICv{}", self.gic.version())
    }

    /// make's variables.
    pub fn variables(&self) -> Vec<String> {
        let mut variables: Vec<String> = [
            "PLAT=qemu",
            "CROSS_COMPILE=aarch64-linux-gnu-",
            "HOSTCC=cc",
            // A release says little: the console is the hypervisor's.
            "DEBUG=0",
            "LOG_LEVEL=20",
            // TF-A's service for random numbers, which GLUE is the source of.
            "TRNG_SUPPORT=1",
            // Enters the image as Linux is entered: the device tree's address in x0.
            "ARM_LINUX_KERNEL_AS_BL33=1",
            // What TF-A prints of itself. Else it is the time, and the commit of this checkout.
            "BUILD_STRING=portcullis",
            "BUILD_MESSAGE_TIMESTAMP=\"from source\"",
        ]
        .map(str::to_owned)
        .into();
        variables.push(format!("PRELOADED_BL33_BASE={:#x}", place::IMAGE));
        // TF-A's own choice is the GICv2.
        if self.gic == Gic::V3 {
            variables.push("QEMU_USE_GIC_DRIVER=QEMU_GICV3".to_owned());
        }
        variables
    }

    /// All of it. Two builds with the same text give the same firmware.
    pub fn text(&self) -> String {
        let (version, variables, goals) = (&self.version, self.variables().join("\n"), GOALS.join(" "));
        format!("version {version}\n{variables}\n{goals}\n\n{GLUE}:\n{}", self.glue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_the_firmware_changes_the_text() {
        let recipe = Recipe::new(Gic::V3, "2.12.1+dfsg", "int a;");
        assert_eq!(recipe.text(), recipe.clone().text());
        for other in [
            Recipe::new(Gic::V2, "2.12.1+dfsg", "int a;"),
            Recipe::new(Gic::V3, "2.12.2+dfsg", "int a;"),
            Recipe::new(Gic::V3, "2.12.1+dfsg", "int b;"),
        ] {
            assert_ne!(recipe.text(), other.text());
        }
        for variable in recipe.variables() {
            assert!(recipe.text().contains(&variable), "{variable}");
        }
    }

    #[test]
    fn each_gic_has_a_place_and_a_driver() {
        let (two, three) = (Recipe::new(Gic::V2, "2.12.1+dfsg", ""), Recipe::new(Gic::V3, "2.12.1+dfsg", ""));
        assert_eq!((two.name(), three.name()), ("tf-a-gicv2".to_owned(), "tf-a-gicv3".to_owned()));
        assert_eq!(two.title(), "TF-A 2.12.1 for a GICv2");
        let driver = |recipe: &Recipe| recipe.variables().iter().any(|variable| variable.contains("GIC_DRIVER"));
        assert_eq!((driver(&two), driver(&three)), (false, true));
        assert!(three.variables().contains(&"PRELOADED_BL33_BASE=0x60000000".to_owned()));
    }
}
