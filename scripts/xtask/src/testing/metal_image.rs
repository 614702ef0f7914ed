//! What the hypervisor's image must keep to.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol, SectionKind};

use super::filter::Filter;
use super::speculation::{self, Instruction};
use super::tally::Tally;
use crate::bench::rows;
use crate::environment::Environment;
use crate::metal;

/// The row of the figures that says how large the image may be.
const ROW: &str = "image";

/// AT instructions that the vectors know, by symbol: SYS with op1 0, CRn 7, CRm 8, and op2 0 and 2, of x0 (Arm ARM, C5.4).
const TRANSLATIONS: [(&str, u32); 2] = [("portcullis_at_s1e1r", 0xd508_7800), ("portcullis_at_s1e0r", 0xd508_7840)];
/// What all AT instructions have in common: SYS, CRn 7, CRm 8 or 9.
const TRANSLATION: u32 = 0xd508_7800;
const TRANSLATION_MASK: u32 = 0xfff8_fe00;

/// Builds the image and checks it.
///
/// # Errors
///
/// The build, or what cannot be read.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let checks: [Check; 3] = [("size", size), ("translations", translations), ("exception returns", returns)];
    for (name, check) in checks.into_iter().filter(|(name, _)| filter.selects("image", name)) {
        let start = Instant::now();
        metal::build(environment)?;
        match check(environment) {
            Ok(result) => tally.pass(&format!("image {name}: {result}"), start.elapsed()),
            Err(error) => tally.fail(&format!("image {name}"), &format!("{error:#}")),
        }
    }
    Ok(())
}

/// A check's name, and what it finds.
type Check = (&'static str, fn(&Environment) -> Result<String>);

/// The size against what was asked for, which holds with every compiler.
fn size(environment: &Environment) -> Result<String> {
    let size = fs::metadata(metal::image(environment, metal::HYPERVISOR)?)?.len();
    let largest = rows::load(environment)?.into_iter().find(|row| row.name == ROW).and_then(|row| row.at_most);
    let largest = largest.with_context(|| format!("no row '{ROW}' that says at-most"))?;
    match size <= largest {
        true => Ok(format!("{size} of at most {largest} bytes")),
        false => bail!("{size} bytes; at most {largest} are allowed"),
    }
}

/// An AT instruction of EL2's can end in an exception that a guest causes: each is one that the vectors know by its place.
fn translations(environment: &Environment) -> Result<String> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    let mut found = code(&file)?;
    found.retain(|(_, word)| word & TRANSLATION_MASK == TRANSLATION);
    let mut known = Vec::new();
    for (name, word) in TRANSLATIONS {
        let symbol = file.symbol_by_name(name).with_context(|| format!("there is no symbol '{name}'"))?;
        known.push((symbol.address(), word));
    }
    found.sort_unstable();
    known.sort_unstable();
    match found == known {
        true => Ok(format!("{} that the vectors know", found.len())),
        false => bail!("AT instructions, by address, are {found:x?}; the vectors know {known:x?}"),
    }
}

/// Behind every exception return is a barrier to speculation.
fn returns(environment: &Environment) -> Result<String> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    Ok(format!("{} with a barrier behind them", speculation::barriers(&code(&file)?)?))
}

/// The code of a program, by address.
fn code(file: &ElfFile64<'_, LittleEndian>) -> Result<Vec<Instruction>> {
    let mut code = Vec::new();
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        let words = section.data()?.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        code.extend((section.address()..).step_by(4).zip(words));
    }
    Ok(code)
}
