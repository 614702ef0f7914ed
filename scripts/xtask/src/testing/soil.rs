//! A machine whose RAM is full of what was there before.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// MiB of its RAM: less than other machines have, as all of it is a file.
const RAM: usize = 192;
/// What is there. As a descriptor of a translation table it is valid, and as a number it is none that a test looks for.
const LEFT: u8 = 0xa5;

/// QEMU's arguments for such a machine. The file is in `folder`; the machine changes a copy of its own.
///
/// # Errors
///
/// The file cannot be written.
pub fn arguments(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join("soiled-ram");
    write(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    let object = format!("memory-backend-file,id=soiled,size={RAM}M,share=off,mem-path={}", path.display());
    let machine = "memory-backend=soiled".to_owned();
    Ok(vec!["-m".into(), format!("{RAM}M"), "-object".into(), object, "-machine".into(), machine])
}

fn write(path: &Path) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    let mib = vec![LEFT; 1 << 20];
    (0..RAM).try_for_each(|_| file.write_all(&mib))
}
