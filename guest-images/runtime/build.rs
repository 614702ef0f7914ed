//! Lets guests find the linker script: their own build script passes `-Tguest.ld`.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo names the crate's folder");
    println!("cargo:rustc-link-search={folder}");
    println!("cargo:rerun-if-changed=guest.ld");
}
