//! From the ELF file that the compiler makes to the raw binary that a loader puts into memory.

use std::fmt;

use object::elf::{EM_AARCH64, ET_DYN, ET_EXEC, FileHeader64, PT_LOAD, ProgramHeader64};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{LittleEndian, Object, ObjectSection, SectionFlags};

/// Largest run of zeros between two segments in bytes. More means that the linker script went wrong.
const GAP_MAX: u64 = 16 << 20;

/// Why an ELF file makes no raw binary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an ELF file, or a damaged one.
    #[error("not a readable 64-bit little-endian ELF file: {0}; build it again")]
    Format(String),
    /// Made for something else.
    #[error("an ELF file for machine {machine} of type {kind}; expected an executable for AArch64 (183)")]
    Target {
        /// `e_machine`.
        machine: u16,
        /// `e_type`.
        kind: u16,
    },
    /// Nothing to load.
    #[error("the ELF file has nothing to load; the linker script must put .text into a PT_LOAD segment")]
    Nothing,
    /// A segment's data lies outside the file.
    #[error("the segment at {address:#x} lies beyond the end of the ELF file, which was cut short; build it again")]
    Short {
        /// Physical address of the segment.
        address: u64,
    },
    /// Two segments claim the same memory.
    #[error("the segment at {address:#x} starts before the one below it ends, at {end:#x}; check the linker script")]
    Overlap {
        /// Physical address of the upper segment.
        address: u64,
        /// End of the lower one.
        end: u64,
    },
    /// Two segments lie far apart.
    #[error("{gap} empty bytes lie below the segment at {address:#x}; at most {GAP_MAX} are allowed")]
    Gap {
        /// Physical address of the upper segment.
        address: u64,
        /// Bytes between the two.
        gap: u64,
    },
    /// The entry is not at the first byte.
    #[error("the entry is {entry:#x}, not the start {start:#x}: the linker script must put it at the first byte")]
    Entry {
        /// `e_entry` as a physical address.
        entry: u64,
        /// Lowest physical address that is loaded.
        start: u64,
    },
}

/// The raw binary of `elf`: its PT_LOAD segments as they lie in memory, from the lowest physical address that has data
/// to the highest. Gaps are zeros; what has no data in the file (.bss) is left out at the end.
///
/// # Errors
///
/// What is wrong with the file; see [`Error`].
pub fn flatten(elf: &[u8]) -> Result<Vec<u8>, Error> {
    let header = FileHeader64::<LittleEndian>::parse(elf).map_err(format_error)?;
    let endian = header.endian().map_err(format_error)?;
    let (machine, kind) = (header.e_machine(endian), header.e_type(endian));
    if machine != EM_AARCH64 || ![ET_EXEC, ET_DYN].contains(&kind) {
        return Err(Error::Target { machine: machine.0, kind: kind.0 });
    }
    let headers = header.program_headers(endian, elf).map_err(format_error)?;
    let loads =
        |segment: &&ProgramHeader64<LittleEndian>| segment.p_type(endian) == PT_LOAD && segment.p_filesz(endian) > 0;
    let mut segments: Vec<_> = headers.iter().filter(loads).collect();
    segments.sort_by_key(|segment| segment.p_paddr(endian));
    let start = segments.first().ok_or(Error::Nothing)?.p_paddr(endian);

    let mut image: Vec<u8> = Vec::new();
    let mut end = start;
    for segment in &segments {
        let address = segment.p_paddr(endian);
        let data = segment.data(endian, elf).map_err(|()| Error::Short { address })?;
        let gap = address.checked_sub(end).ok_or(Error::Overlap { address, end })?;
        if gap > GAP_MAX {
            return Err(Error::Gap { address, gap });
        }
        image.resize(image.len() + gap as usize, 0);
        image.extend_from_slice(data);
        end = address.checked_add(data.len() as u64).ok_or(Error::Short { address })?;
    }

    // The entry is a virtual address; its segment says where that is in memory.
    let entry = header.e_entry(endian);
    let physical = segments.iter().find_map(|segment| {
        let offset = entry.checked_sub(segment.p_vaddr(endian))?;
        (offset < segment.p_filesz(endian)).then(|| segment.p_paddr(endian).wrapping_add(offset))
    });
    match physical {
        Some(physical) if physical == start => Ok(image),
        other => Err(Error::Entry { entry: other.unwrap_or(entry), start }),
    }
}

/// One section that takes memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its virtual address.
    pub address: u64,
    /// Its bytes in memory.
    pub size: u64,
    /// Its bytes in the file: none for .bss.
    pub in_file: u64,
}

/// The sections of an ELF file in the order of their addresses. Displays as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections(pub Vec<Section>);

/// The sections of `elf` that take memory.
///
/// # Errors
///
/// [`Error::Format`] if `elf` is not a readable ELF file.
pub fn sections(elf: &[u8]) -> Result<Sections, Error> {
    let file = ElfFile64::<LittleEndian>::parse(elf).map_err(format_error)?;
    let mut sections = Vec::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        if sh_flags.0 & object::elf::SHF_ALLOC.0 == 0 || section.size() == 0 {
            continue;
        }
        let name = section.name().map_err(format_error)?.to_owned();
        let in_file = section.file_range().map_or(0, |(_, size)| size);
        sections.push(Section { name, address: section.address(), size: section.size(), in_file });
    }
    sections.sort_by_key(|section| section.address);
    Ok(Sections(sections))
}

impl fmt::Display for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name_width =
            self.0.iter().map(|section| section.name.chars().count()).max().unwrap_or(0).max("section".len());
        writeln!(f, "{:name_width$}  {:>18}  {:>10}  {:>10}", "section", "address", "bytes", "in file")?;
        let mut total = (0u64, 0u64);
        for Section { name, address, size, in_file } in &self.0 {
            writeln!(f, "{name:name_width$}  {address:#018x}  {size:>10}  {in_file:>10}")?;
            total = (total.0.saturating_add(*size), total.1.saturating_add(*in_file));
        }
        writeln!(f, "{:name_width$}  {:>18}  {:>10}  {:>10}", "total", "", total.0, total.1)
    }
}

fn format_error(error: object::read::Error) -> Error {
    Error::Format(error.to_string())
}

#[cfg(test)]
mod tests;
