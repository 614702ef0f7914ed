//! Hands the linker its script; the image is a static, position-independent executable.
fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rerun-if-changed=portcullis.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo:rustc-link-arg-bins=-T{folder}/portcullis.ld");
        let position = ["-pie", "--no-dynamic-linker", "--pack-dyn-relocs=relr"];
        for argument in
            position.iter().chain(&["-zmax-page-size=4096", "-znorelro", "--gc-sections", "--fix-cortex-a53-843419"])
        {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
