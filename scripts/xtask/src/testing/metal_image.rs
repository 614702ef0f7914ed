//! What the hypervisor's image must keep to.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use object::pe;
use object::read::elf::ElfFile64;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile64};
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol, SectionKind};

use super::errata;
use super::filter::Filter;
use super::firmware_calls;
use super::ordering;
use super::speculation::{self, Instruction};
use super::tally::Tally;
use crate::bench::rows;
use crate::environment::Environment;
use crate::errata::mend::{self, Mended, mend};
use crate::errata::program::Program;
use crate::metal;

/// The row of the figures that says how large the image may be.
const ROW: &str = "image";

/// CCMP x18, #0, #13, PL (Arm ARM, C6.2): changes the flags alone, and its first two bytes are "MZ".
const NOTHING: u32 = 0xfa40_5a4d;

/// AT instructions that the vectors know, by symbol: SYS with op1 0, CRn 7, CRm 8, and op2 0 and 2, of x0 (Arm ARM, C5.4).
const TRANSLATIONS: [(&str, u32); 2] = [("portcullis_at_s1e1r", 0xd508_7800), ("portcullis_at_s1e0r", 0xd508_7840)];
/// What all AT instructions have in common: SYS, CRn 7, CRm 8 or 9.
const TRANSLATION: u32 = 0xd508_7800;
const TRANSLATION_MASK: u32 = 0xfff8_fe00;

/// Programs that are free of Cortex-A53's errata.
const MENDED: [&str; 4] = [metal::HYPERVISOR, metal::OPS, "conformance", "firmware"];

/// The table of vectors of a core with CLRBHB.
const CLEARS: &str = "portcullis_vectors_clear";

/// Builds the image and checks it.
///
/// # Errors
///
/// The build, or what cannot be read.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    let checks: [Check; 12] = [
        ("size", size),
        ("header", header),
        ("translations", translations),
        ("exception returns", returns),
        ("predictor instructions", predictor),
        ("erratum-843419", erratum_843419),
        ("erratum-835769", erratum_835769),
        ("acquires", acquires),
        ("translation controls", translation_controls),
        ("instruction caches", instruction_caches),
        ("maintenance of all cores", broadcasts),
        ("firmware calls", firmware_calls),
    ];
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

/// The file is an arm64 Image and an EFI application: what loaders look at of either.
fn header(environment: &Environment) -> Result<String> {
    let image = fs::read(metal::image(environment, metal::HYPERVISOR)?)?;
    let word = |at: usize| image.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    ensure!(word(0) == Some(NOTHING), "it does not begin with the instruction that is also \"MZ\"");
    ensure!(word(4).is_some_and(|word| word >> 26 == 0b00_0101), "its second instruction is no branch");
    ensure!(image.get(56..60) == Some(b"ARM\x64"), "it has no arm64 Image header");
    ensure!(word(60) == Some(64), "its PE header does not follow the other one, where GRUB 2.06 looks for it");
    let file = PeFile64::parse(image.as_slice()).context("it is no PE file")?;
    let (coff, optional) = (file.nt_headers().file_header(), file.nt_headers().optional_header());
    ensure!(coff.machine.get(LittleEndian) == pe::IMAGE_FILE_MACHINE_ARM64, "its machine is not Arm64");
    ensure!(optional.subsystem() == pe::IMAGE_SUBSYSTEM_EFI_APPLICATION, "it is no EFI application");
    ensure!(
        optional.major_image_version() >= 1,
        "boot loaders offer a RAM disk by LoadFile2 from image version 1.0 on"
    );
    let entry = optional.address_of_entry_point();
    let mut end = optional.size_of_headers();
    for section in file.section_table().iter() {
        let [start, length, place, raw] =
            [&section.virtual_address, &section.virtual_size, &section.pointer_to_raw_data, &section.size_of_raw_data]
                .map(|number| number.get(LittleEndian));
        ensure!(
            start == place && start == end && start % optional.section_alignment() == 0,
            "a section begins elsewhere"
        );
        ensure!(raw <= length && raw % optional.file_alignment() == 0, "a section has {raw} bytes in the file");
        ensure!((place + raw) as usize <= image.len(), "a section ends behind the file");
        let flags = section.characteristics.get(LittleEndian).0;
        let (executed, written) = (flags & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0, flags & pe::IMAGE_SCN_MEM_WRITE.0 != 0);
        ensure!(executed != written, "a section can be written and executed, or neither");
        ensure!(executed == (start..start + length).contains(&entry), "the entry is not where instructions are");
        end = start + length;
    }
    ensure!(
        end == optional.size_of_image(),
        "the sections end at {end:#x}, the image at {:#x}",
        optional.size_of_image()
    );
    Ok("an arm64 Image and an EFI application".to_owned())
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

/// No program has a sequence of Cortex-A53's erratum 843419: the linker is told to take them apart.
fn erratum_843419(environment: &Environment) -> Result<String> {
    let (mut looked, mut found) = (0, Vec::new());
    for name in MENDED {
        let elf = fs::read(metal::program(environment, name))?;
        let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).with_context(|| name.to_owned())?;
        let code = code(&file)?;
        looked += code.len();
        found.extend(errata::sequences_of_843419(&code).into_iter().map(|at| (name, at)));
    }
    match found.is_empty() {
        true => Ok(format!("none in {looked} instructions")),
        false => bail!("sequences of Cortex-A53's erratum 843419, by program and address: {found:x?}"),
    }
}

/// No image has a pair of Cortex-A53's erratum 835769: what the compiler has left is mended as the image is made.
fn erratum_835769(environment: &Environment) -> Result<String> {
    let (mut looked, mut done, mut found) = (0, Mended::default(), Vec::new());
    for name in MENDED {
        let mut elf = fs::read(metal::program(environment, name))?;
        let mended = mend(&mut elf).with_context(|| name.to_owned())?;
        let program = Program::read(&elf)?;
        ensure!(program.code.len() > 1000, "{name} has no code: nothing was looked at");
        looked += program.code.len();
        done = Mended { swapped: done.swapped + mended.swapped, moved: done.moved + mended.moved };
        found.extend(mend::pairs(&program).into_iter().map(|at| (name, at)));
        // What a machine gets is what was looked at.
        ensure!(
            fs::read(metal::image(environment, name)?)? == crate::flatten::flatten(&elf)?,
            "the image of {name} is made of something else"
        );
    }
    match found.is_empty() {
        true => Ok(format!("none in {looked} instructions; {} changed places, {} moved", done.swapped, done.moved)),
        false => bail!("pairs of Cortex-A53's erratum 835769, by program and address: {found:x?}"),
    }
}

/// Behind every exception return is a barrier to speculation.
fn returns(environment: &Environment) -> Result<String> {
    Ok(format!("{} with a barrier behind them", speculation::barriers(&hypervisor(environment)?)?))
}

/// Nothing is read by an acquire that is too weak.
fn acquires(environment: &Environment) -> Result<String> {
    Ok(format!("{} instructions, none of them LDAPR", ordering::acquires(&hypervisor(environment)?)?))
}

/// The registers that govern a guest's translation are written in steps.
fn translation_controls(environment: &Environment) -> Result<String> {
    let pairs = ordering::translation_controls(&hypervisor(environment)?)?;
    Ok(format!("{pairs} pairs of TCR_EL1 and SCTLR_EL1, an ISB in each"))
}

/// With a VM's translations a core forgets its instructions.
fn instruction_caches(environment: &Environment) -> Result<String> {
    Ok(format!("forgotten in {} places", ordering::instruction_caches(&hypervisor(environment)?)?))
}

/// Every core of the board takes part in no maintenance but what has to be.
fn broadcasts(environment: &Environment) -> Result<String> {
    Ok(format!("{} instructions, all of them known", ordering::broadcasts(&hypervisor(environment)?)?))
}

/// EFI firmware is called with its own x18 and TPIDR_EL2, and no other way.
fn firmware_calls(environment: &Environment) -> Result<String> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    let mut places = [0; firmware_calls::SYMBOLS.len()];
    for (place, name) in places.iter_mut().zip(firmware_calls::SYMBOLS) {
        *place = file.symbol_by_name(name).with_context(|| format!("there is no symbol '{name}'"))?.address();
    }
    let compiled = firmware_calls::registers(&code(&file)?, places)?;
    let mut written = 0;
    for entry in fs::read_dir(environment.root.join("boot/src/efi"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path)?;
            written += firmware_calls::by_the_way(&source).with_context(|| path.display().to_string())?;
        }
    }
    ensure!(written > 0, "no call in the source: nothing was looked at");
    Ok(format!("{written} in the source, {compiled} in the image, all with the firmware's registers"))
}

/// The hypervisor's code.
fn hypervisor(environment: &Environment) -> Result<Vec<Instruction>> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    code(&file)
}

/// What no machine of QEMU's executes is there, at its place.
fn predictor(environment: &Environment) -> Result<String> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    let table = file.symbol_by_name(CLEARS).with_context(|| format!("there is no symbol '{CLEARS}'"))?;
    let (vectors, restrictions) = speculation::predictor(&code(&file)?, table.address())?;
    Ok(format!("{vectors} vectors begin with CLRBHB; {restrictions} CFP RCTX"))
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
