//! Writes the value of every constant that C has a type for, as Rust has it, for the tests: no list to keep.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};

#[allow(dead_code, reason = "the names in C and the header are the crate's")]
#[path = "src/constants.rs"]
mod constants;

fn main() -> Result<()> {
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../hypervisor/abi/src");
    println!("cargo::rerun-if-changed={}", source.display());
    let mut values = String::from("[\n");
    for constant in constants::list(&source)? {
        if matches!(constant.kind.as_str(), "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64")
            && !constant.module.contains('/')
        {
            let path = format!("portcullis_abi::{}::{}", constant.module, constant.name);
            let signed = u8::from(constant.kind.starts_with('i'));
            values.push_str(&format!("(\"{}\", size_of_val(&{path}), {signed}, {path} as i128),\n", constant.c_name()));
        }
    }
    values.push_str("]\n");
    let place = Path::new(&env::var("OUT_DIR")?).join("values.rs");
    fs::write(&place, values).with_context(|| format!("{} cannot be written", place.display()))
}
