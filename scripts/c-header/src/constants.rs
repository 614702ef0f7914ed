//! The constants of the ABI, read from its sources as rustfmt leaves them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A public constant of the ABI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Its file from the ABI's `src` on, without the extension: the module. A file whose names the one above hands on is a part
    /// of that.
    pub module: String,
    /// Its name.
    pub name: String,
    /// Its type, as it is written.
    pub kind: String,
    /// Its numbers are written in hexadecimal.
    pub hexadecimal: bool,
}

impl Constant {
    /// Returns its name in the C header.
    #[must_use]
    pub fn c_name(&self) -> String {
        format!("{}{}", prefix(&self.module), self.name)
    }
}

/// Returns what the names of a module begin with in C.
#[must_use]
pub fn prefix(module: &str) -> String {
    format!("PORTCULLIS_{}_", module.to_uppercase())
}

/// Lists every public constant below `source`, those of types included, in the order of files and lines.
///
/// # Errors
///
/// A folder or file cannot be read, or a constant has no type or value in its line.
pub fn list(source: &Path) -> Result<Vec<Constant>> {
    let mut constants = Vec::new();
    for file in files(source)? {
        let module = module(source, &file)?;
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        for line in text.lines() {
            let Some(rest) = line.trim_start().strip_prefix("pub const ") else { continue };
            if rest.starts_with("fn ") {
                continue;
            }
            let parts = rest.split_once(": ").and_then(|(name, rest)| Some((name, rest.split_once(" =")?)));
            let (name, (kind, value)) =
                parts.with_context(|| format!("{}: `{line}` is no constant with type and value", file.display()))?;
            constants.push(Constant {
                module: module.clone(),
                name: name.to_owned(),
                kind: kind.to_owned(),
                hexadecimal: value.contains("0x"),
            });
        }
    }
    Ok(constants)
}

/// Lists the files that make up a module which the header has: its own, then those whose names it hands on.
///
/// # Errors
///
/// A folder or file cannot be read.
pub fn parts(source: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let own = source.join(name).with_extension("rs");
    let mut parts = vec![own.clone()];
    for file in files(source)? {
        if file != own && module(source, &file)? == name {
            parts.push(file);
        }
    }
    Ok(parts)
}

/// Returns the module to which a file belongs: its own, or the one above, if that hands on all of its names.
fn module(source: &Path, file: &Path) -> Result<String> {
    let own = file.strip_prefix(source).unwrap_or(file).with_extension("");
    let (Some(above), Some(name)) = (own.parent(), own.file_name()) else { return Ok(own.display().to_string()) };
    if above.as_os_str().is_empty() {
        return Ok(own.display().to_string());
    }
    let holder = source.join(above).with_extension("rs");
    let text = fs::read_to_string(&holder).with_context(|| format!("{} cannot be read", holder.display()))?;
    let handed_on = format!("pub use self::{}::*;", name.display());
    let is_part = text.lines().any(|line| line == handed_on);
    Ok(if is_part { above } else { &own }.display().to_string())
}

/// Lists the Rust files below `folder`, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("{} cannot be read", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
