//! Links the guest as a flat, position-independent arm64 Image.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        for argument in [
            "-Tguest.ld",
            "-pie",
            "--no-dynamic-linker",
            "-zmax-page-size=4096",
            "-znorelro",
            "--fix-cortex-a53-843419",
        ] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
