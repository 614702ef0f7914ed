//! Links the guests as flat, position-independent arm64 Images.

fn main() {
    println!("cargo:rerun-if-changed=image.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo names the crate's folder");
        println!("cargo:rustc-link-search={folder}");
        for argument in [
            "-Timage.ld",
            "-pie",
            "--no-dynamic-linker",
            "-zmax-page-size=4096",
            "-znorelro",
            "--fix-cortex-a53-843419",
        ] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
        // They have their queues on the stack while they are made.
        for program in ["links", "transfers", "windows"] {
            println!("cargo:rustc-link-arg-bin=bench-{program}=--defsym=stack_size=0x8000");
        }
    }
}
