//! Sizes of the hypervisor: image, sections, static memory.

use std::fs;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection};

use super::measurement::{Measurements, single};
use crate::environment::Environment;
use crate::flatten::{self, Sections};
use crate::metal;

/// The sections of the program, and the measurements `image` and `static`.
///
/// # Errors
///
/// The program was not built.
pub fn sizes(environment: &Environment) -> Result<(Sections, Measurements)> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let sections = flatten::sections(&elf)?;
    let image = fs::read(metal::image(environment, metal::HYPERVISOR)?)?;
    let memory = image_size(&image).context("the hypervisor's image has no arm64 Image header")?;
    let memory = memory.saturating_sub(size_of_section(&elf, TABLES)?);
    let mut found = Measurements::new();
    found.insert("image-bytes".into(), single(image.len() as u64));
    found.insert("static".into(), single(memory));
    Ok((sections, found))
}

/// The section of the early map's tables, which are page tables as those are that replace them.
const TABLES: &str = ".early_tables";

/// Bytes of a section of a program in memory.
fn size_of_section(elf: &[u8], name: &str) -> Result<u64> {
    let file = ElfFile64::<LittleEndian>::parse(elf).context("the hypervisor's program")?;
    let section = file.section_by_name(name).with_context(|| format!("it has no section {name}"))?;
    Ok(section.size())
}

/// Bytes that an arm64 Image takes in memory: `image_size` of its header (Linux, Documentation/arch/arm64/booting.rst).
fn image_size(image: &[u8]) -> Option<u64> {
    let size = image.get(16..24)?.try_into().ok()?;
    Some(u64::from_le_bytes(size))
}
