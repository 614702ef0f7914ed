//! The libraries that programs of Debian's need, by what stands in their files (ELF, `DT_NEEDED`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::elf::DT_NEEDED;
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, elf};

/// Where the libraries of arm64 packages lie.
const FOLDERS: [&str; 2] = ["lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu"];

/// Each shared library below `root`, where Debian's packages were unpacked, by its file name.
///
/// # Errors
///
/// A folder cannot be read.
pub fn below(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for folder in FOLDERS.map(|folder| root.join(folder)) {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.contains(".so") && path.is_file() {
                found.insert(name, path);
            }
        }
    }
    Ok(found)
}

/// Of `libraries`, by their file names, those that `programs` need, and those that these need in turn.
///
/// # Errors
///
/// A file cannot be read, or one is missing.
pub fn of<'a>(
    libraries: &'a BTreeMap<String, PathBuf>,
    programs: &[PathBuf],
) -> Result<BTreeMap<&'a String, &'a PathBuf>> {
    let mut missing = BTreeSet::new();
    for program in programs {
        missing.extend(needed(program)?);
    }
    let mut taken = BTreeMap::new();
    while let Some(name) = missing.pop_first() {
        if taken.contains_key(&name) {
            continue;
        }
        let found = libraries.get_key_value(&name);
        let (name, from) = found.with_context(|| format!("no package of the programs' has the library {name}"))?;
        taken.insert(name, from);
        missing.extend(needed(from)?);
    }
    Ok(taken)
}

/// The names of the libraries that a program or a library needs.
///
/// # Errors
///
/// It cannot be read, or is none.
pub fn needed(file: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    names_needed(&bytes).with_context(|| format!("{} is no program of Linux's", file.display()))
}

fn names_needed(bytes: &[u8]) -> Result<Vec<String>> {
    let header = elf::FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some((entries, link)) = sections.dynamic(endian, bytes)? else { return Ok(Vec::new()) };
    let strings = sections.strings(endian, bytes, link)?;
    let mut names = Vec::new();
    for entry in entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED) {
        let name = entry.string(endian, strings)?;
        names.push(String::from_utf8(name.to_owned()).context("a library's name is no text")?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_needs_is_read_from_it() {
        // The program that runs this test is one; that it needs the C library is true of all of Debian's.
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let names = names_needed(&own).unwrap();
        assert!(names.iter().any(|name| name.starts_with("libc.so.")), "{names:?}");
        assert!(names_needed(b"#!/bin/sh\n").is_err());
    }
}
