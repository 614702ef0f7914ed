//! Links the firmware for the flash that the machine starts from.

fn main() {
    println!("cargo:rerun-if-changed=firmware.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo names the crate's folder");
        println!("cargo:rustc-link-search={folder}");
        for argument in ["-Tfirmware.ld", "-zmax-page-size=4096", "-znorelro", "--fix-cortex-a53-843419"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
