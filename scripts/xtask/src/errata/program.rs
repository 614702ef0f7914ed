//! The code of a program, as its ELF file has it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol, SectionKind};

/// Where veneers may be, if the linker script has left room for some.
const VENEERS: [&str; 2] = ["__veneers_start", "__veneers_end"];

/// One word of the code that is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its address.
    pub at: u64,
    /// Where it is in the file.
    pub offset: usize,
    /// The instruction.
    pub word: u32,
}

/// The code of a program.
#[derive(Debug, Default)]
pub struct Program {
    /// Its instructions, by address. What the assembler says is data is none (ELF for the Arm 64-bit Architecture, "Mapping
    /// symbols").
    pub code: Vec<Word>,
    /// Addresses that have a name: functions begin there, and labels that are known elsewhere.
    pub names: BTreeSet<u64>,
    /// Room for veneers: address, place in the file, bytes.
    pub room: Option<(u64, usize, u64)>,
}

impl Program {
    /// Reads a program.
    ///
    /// # Errors
    ///
    /// It is no ELF file of 64 bits.
    pub fn read(elf: &[u8]) -> Result<Self> {
        let file = ElfFile64::<LittleEndian>::parse(elf).context("the program")?;
        let mut program = Self::default();
        let mut marks: Vec<(u64, bool)> = Vec::new();
        for symbol in file.symbols() {
            match symbol.name().unwrap_or_default() {
                name if name == "$x" || name.starts_with("$x.") => marks.push((symbol.address(), true)),
                name if name == "$d" || name.starts_with("$d.") => marks.push((symbol.address(), false)),
                _ => _ = program.names.insert(symbol.address()),
            }
        }
        marks.sort_unstable();
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let Some((start, _)) = section.file_range() else { continue };
            for (number, bytes) in section.data()?.as_chunks::<4>().0.iter().enumerate() {
                let (at, offset) = (section.address() + number as u64 * 4, start as usize + number * 4);
                let mark =
                    marks.partition_point(|(mark, _)| *mark <= at).checked_sub(1).and_then(|last| marks.get(last));
                if mark.is_none_or(|(_, is_code)| *is_code) {
                    program.code.push(Word { at, offset, word: u32::from_le_bytes(*bytes) });
                }
            }
            let [first, last] = VENEERS.map(|name| file.symbol_by_name(name).map(|symbol| symbol.address()));
            if let Some((first, last)) = first.zip(last)
                && let Some(into) = first.checked_sub(section.address())
                && last <= section.address() + section.size()
            {
                program.room = Some((first, (start + into) as usize, last.saturating_sub(first)));
            }
        }
        program.code.sort_unstable_by_key(|word| word.at);
        if let Some((first, _, size)) = program.room {
            program.code.retain(|word| !(first..first + size).contains(&word.at));
        }
        Ok(program)
    }

    /// The addresses of the named piece of code in which `at` lies: from its name to the next one.
    pub fn piece(&self, at: u64) -> std::ops::Range<u64> {
        let start = self.names.range(..=at).next_back().copied().unwrap_or(0);
        start..self.names.range(at + 1..).next().copied().unwrap_or(u64::MAX)
    }
}
