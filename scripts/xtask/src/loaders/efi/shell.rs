//! UEFI's shell, and its script.

use super::super::u_boot;

/// Where the shell looks for it.
pub const SCRIPT: &str = "startup.nsh";

/// More characters than a path may have.
const LONG: usize = 300;

/// The script: shows the memory map, and starts the image with each of the `spoiled` bundles, with a name that no file has,
/// with one that is too long, and at last with the bundle.
pub fn script(spoiled: &[&str]) -> String {
    let long = "x".repeat(LONG);
    let names = spoiled.iter().copied().chain(["none.img", &long, u_boot::BUNDLE]);
    let starts: String = names.map(|name| format!("{} initrd=\\{name}\r\n", u_boot::IMAGE)).collect();
    format!("@echo -off\r\nfs0:\r\nmemmap\r\n{starts}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_bundle_comes_last() {
        let script = script(&["cut.img"]);
        assert!(script.contains("memmap\r\nportcullis.img initrd=\\cut.img\r\n"), "{script}");
        assert!(script.ends_with("portcullis.img initrd=\\bundle.img\r\n"), "{script}");
    }
}
