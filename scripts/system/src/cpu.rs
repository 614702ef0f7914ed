//! `cpu`: the CPU that a VM is shown in place of its cores' own. One that is named, what several have in common, or either with
//! less.

mod parts;

use portcullis_abi::id_register::{COUNT, named, number};
use portcullis_abi::state::Cpu;
use portcullis_bundle::features::{common, differing, is_of_aarch32};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use self::parts::{PARTS, Part, ZEROING};
use super::diagnostic::{Diagnostics, Span};
use super::key::{self, nearest, quoted};
use super::section::Section;

/// What the manifest says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its names, joined.
    pub name: String,
    /// Its registers.
    pub registers: Cpu,
}

/// Fields of the Cryptographic Extension: register, with the bits of its fields. ID_AA64ISAR0_EL1: AES, SHA1, SHA2, SHA3, SM3, SM4;
/// ID_ISAR5_EL1: AES, SHA1, SHA2.
const CRYPTO: [(usize, u64); 2] = [(number(6, 0), 0xfff_0000_fff0), (number(2, 5), 0xfff0)];

/// Reads `cpu` of a VM, with its place.
pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<Shown>> {
    let value = section.value("cpu")?;
    let shown = if value.get_ref().as_table().is_some() {
        let braces = section.section("cpu", &key::CPU, diagnostics)?;
        braces.require("base", diagnostics);
        let base = bases(&braces, "base", braces.value("base")?, diagnostics)?;
        less(&braces, base, diagnostics)?
    } else {
        bases(section, "cpu", value, diagnostics)?
    };
    Some(Spanned::new(value.span(), shown))
}

/// The CPU that the VM is shown, where a CPU of the board is known that it cannot be shown on: the first register of which that one
/// has less, with the bits.
pub fn lacking(shown: &Cpu, model: &str) -> Option<(&'static str, u64)> {
    use portcullis_bundle::shown::shown_of;
    use portcullis_vgic::GicVersion;

    let here = registers_of(PARTS.iter().find(|part| part.name == model)?);
    let see = |cpu: &Cpu, number: usize| shown_of(GicVersion::V3, number, cpu.features[number]);
    let more = |number: usize| {
        let (wanted, has) = (see(shown, number), see(&here, number));
        let beyond = differing(wanted, common(number, wanted, has));
        (beyond != 0).then_some(beyond)
    };
    named().find_map(|(number, name)| Some((name, more(number)?)))
}

/// The CPUs that `value` names: one, or a list of them, of which it is what they have in common, with the first one's name.
fn bases(
    section: &Section<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Shown> {
    let one = [value.clone()];
    let names: &[Spanned<DeValue<'_>>] = match value.get_ref() {
        DeValue::String(_) => &one,
        DeValue::Array(list) if !list.is_empty() => list,
        _ => return section.wrong_type(key, value, "the name of a CPU, or a list of names", diagnostics),
    };
    let mut all: Vec<&Part> = Vec::new();
    for name in names {
        let Some(text) = name.get_ref().as_str() else {
            return section.wrong_type(key, name, "the name of a CPU, or a list of names", diagnostics);
        };
        let part = part(text, name.span(), diagnostics)?;
        if all.iter().any(|other| other.name == part.name) {
            diagnostics.error(name.span(), format!("{text:?} is listed twice in `{key}`"), "list it once");
        }
        all.push(part);
    }
    let mut registers = all.iter().map(|part| registers_of(part));
    let first = registers.next()?;
    let name = all.iter().map(|part| part.name).collect::<Vec<_>>().join(" and ");
    Some(Shown { name, registers: registers.fold(first, |both, other| in_common(&both, &other)) })
}

fn part(name: &str, span: Span, diagnostics: &mut Diagnostics<'_>) -> Option<&'static Part> {
    let found = PARTS.iter().find(|part| part.name == name);
    if found.is_none() {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        let help = match nearest(name, &names) {
            Some(near) => format!("did you mean {near:?}? There are {}", quoted(&names)),
            None => format!("there are {}", quoted(&names)),
        };
        diagnostics.error(span, format!("there is no CPU {name:?} here"), help);
    }
    found
}

fn registers_of(part: &Part) -> Cpu {
    let mut features = [0; COUNT];
    for (number, name) in named() {
        let value = part.registers.iter().find(|(known, _)| *known == name);
        features[number] = value.map_or(0, |(_, value)| *value);
    }
    Cpu {
        version: Cpu::VERSION,
        reserved: 0,
        implementation: [part.midr, part.revidr, 0],
        cache_type: part.cache_type,
        zeroing: ZEROING,
        features,
    }
}

/// What two CPUs have in common, identified as the first.
fn in_common(one: &Cpu, other: &Cpu) -> Cpu {
    let mut features: [u64; COUNT] =
        core::array::from_fn(|number| common(number, one.features[number], other.features[number]));
    // ID_AA64PFR0_EL1.EL0: AArch32.
    if features[number(4, 0)] & 0xf < 2 {
        features.iter_mut().enumerate().filter(|(number, _)| is_of_aarch32(*number)).for_each(|(_, value)| *value = 0);
    }
    Cpu { features, cache_type: common_cache_type(one.cache_type, other.cache_type), ..*one }
}

/// A CTR_EL0 that holds for two: smallest lines as small as either's, largest units as large, no maintenance left out that one of
/// them needs, and the policy of the one that is not physically indexed (Arm ARM, D24.2.34).
fn common_cache_type(one: u64, other: u64) -> u64 {
    let field = |shift: u32, width: u32, choose: fn(u64, u64) -> u64| {
        let of = |value: u64| value >> shift & !(u64::MAX << width);
        choose(of(one), of(other)) << shift
    };
    // Zero says nothing of a unit: it may be the largest there is.
    let unit = |a: u64, b: u64| if a == 0 || b == 0 { 0 } else { a.max(b) };
    let (lines, maintenance) = (field(0, 4, u64::min) | field(16, 4, u64::min), field(28, 2, |a, b| a & b));
    let units = field(20, 4, unit) | field(24, 4, unit);
    lines | maintenance | units | field(14, 2, u64::min) | one & 1 << 31
}

/// `base` with what its braces say.
fn less(section: &Section<'_>, base: Shown, diagnostics: &mut Diagnostics<'_>) -> Option<Shown> {
    let Shown { name, mut registers } = base;
    for (index, key) in ["midr", "revidr"].into_iter().enumerate() {
        let Some(number) = section.number(key, diagnostics) else { continue };
        if *number.get_ref() > u32::MAX.into() && key == "midr" {
            let message = format!("{:#x} in `midr` is out of range", number.get_ref());
            diagnostics.error(number.span(), message, "MIDR_EL1 has 32 bits: numbers up to 0xffffffff");
        }
        // Another CPU's REVIDR_EL1 means nothing beside this MIDR_EL1.
        if key == "midr" {
            registers.implementation[1] = 0;
        }
        registers.implementation[index] = number.into_inner();
    }
    if section.boolean("crypto", diagnostics) == Some(false) {
        CRYPTO.iter().for_each(|(number, fields)| registers.features[*number] &= !fields);
    }
    if let Some(value) = section.value("registers") {
        let Some(table) = value.get_ref().as_table() else {
            return section.wrong_type("registers", value, "a list of registers in braces", diagnostics);
        };
        limit(section, &name, table, &mut registers, diagnostics);
    }
    Some(Shown { name, registers })
}

/// Limits registers to what `table` says of them, which is no more than they are.
fn limit(
    section: &Section<'_>,
    cpu: &str,
    table: &DeTable<'_>,
    registers: &mut Cpu,
    diagnostics: &mut Diagnostics<'_>,
) {
    for (key, value) in table {
        let text: &str = key.get_ref();
        let Some((number, name)) = named().find(|(_, name)| *name == text) else {
            let names: Vec<&str> = named().map(|(_, name)| name).collect();
            let help = match nearest(text, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", names.join(", ")),
            };
            diagnostics.error(key.span(), format!("there is no ID register `{}`", text.escape_debug()), help);
            continue;
        };
        let Some(integer) = value.get_ref().as_integer() else {
            section.wrong_type::<()>("registers", value, "a list of registers in braces", diagnostics);
            continue;
        };
        let Some(wanted) = section.unsigned(name, value.span(), integer, diagnostics).map(Spanned::into_inner) else {
            continue;
        };
        let base = registers.features[number];
        let beyond = differing(wanted, common(number, base, wanted));
        if beyond != 0 {
            let message = format!("{wanted:#x} in `{name}` is more than {cpu} has, in the bits {beyond:#x}");
            diagnostics.error(value.span(), message, format!("keep each field within {base:#x}"));
            continue;
        }
        registers.features[number] = wanted;
    }
}
