//! `[vm.firmware]`: the firmware registers of a VM and its filters.

use std::fmt;
use std::ops::RangeInclusive;

use portcullis_abi::function::{
    PSCI_VERSION_0_2, PSCI_VERSION_1_0, PSCI_VERSION_1_1, PSCI_VERSION_1_2, PSCI_VERSION_1_3, SMCCC_VERSION_1_1,
    SMCCC_VERSION_1_2,
};
use portcullis_abi::{bundle, firmware as abi, manage};
use portcullis_gate::{ARCHITECTURE, Filter as GateFilter, FilterError, MAX_RANGES, Profile, RangeRequest, meet};
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::{Diagnostics, Span};
use super::key::{self, enumeration, nearest, quoted};
use super::section::Section;

/// Names of bits or of versions, and what they stand for.
type Names = [(&'static str, u64)];

/// What the values of a register are called.
enum Values {
    /// A list of services, a bit each.
    Services(&'static Names),
    /// One of these versions, of what it is called first.
    Version(&'static str, &'static Names),
}

/// The names of the values of the register with this identifier.
fn values(register: u64) -> Values {
    match register {
        abi::STD => Values::Services(&[("trng", abi::STD_TRNG)]),
        abi::STD_HYP => Values::Services(&[("pv-time", abi::STD_HYP_PV_TIME)]),
        abi::VENDOR_HYP => Values::Services(&[("func-feat", abi::VENDOR_HYP_FUNC_FEAT), ("ptp", abi::VENDOR_HYP_PTP)]),
        abi::VENDOR_HYP_2 => Values::Services(&[
            ("impl-ver", abi::VENDOR_HYP_2_IMPL_VERSION),
            ("impl-cpus", abi::VENDOR_HYP_2_IMPL_CPUS),
        ]),
        abi::PSCI_VERSION => Values::Version(
            "PSCI version",
            &[
                ("0.2", PSCI_VERSION_0_2 as u64),
                ("1.0", PSCI_VERSION_1_0 as u64),
                ("1.1", PSCI_VERSION_1_1 as u64),
                ("1.2", PSCI_VERSION_1_2 as u64),
                ("1.3", PSCI_VERSION_1_3 as u64),
            ],
        ),
        abi::SMCCC_VERSION => {
            Values::Version("SMCCC version", &[("1.1", SMCCC_VERSION_1_1 as u64), ("1.2", SMCCC_VERSION_1_2 as u64)])
        }
        _ => Values::Services(&[]),
    }
}

/// The firmware registers of a VM whose manifest has a `[vm.firmware]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Values of the registers that the section names, in the order of [`bundle::REGISTERS`]. Of the others a set of services
    /// is cleared, and a version keeps its default.
    pub registers: [Option<u64>; bundle::REGISTERS.len()],
    /// Services that are not named keep their default instead of being cleared.
    pub keep: bool,
    /// Ranges of function identifiers with a rule of their own.
    pub filters: Vec<Filter>,
}

impl Firmware {
    /// The value of the register with this identifier, if the section names it.
    pub fn register(&self, id: u64) -> Option<u64> {
        let mut known = bundle::REGISTERS.iter().zip(self.registers);
        known.find(|((_, register), _)| *register == id).and_then(|(_, value)| value)
    }
}

impl Firmware {
    /// Every service by its name in a manifest, and whether the section names it.
    pub fn services(&self) -> Vec<(&'static str, bool)> {
        let mut services = Vec::new();
        for ((_, id), value) in bundle::REGISTERS.into_iter().zip(self.registers) {
            if let Values::Services(names) = values(id) {
                services.extend(names.iter().map(|(name, bit)| (*name, value.unwrap_or_default() & bit != 0)));
            }
        }
        services
    }

    /// The versions that the section names.
    pub fn versions(&self) -> Vec<String> {
        let named = bundle::REGISTERS.into_iter().zip(self.registers);
        let versions = named.filter_map(|((_, id), value)| match (values(id), value) {
            (Values::Version(what, _), Some(version)) => Some(format!("{what} {}.{}", version >> 16, version & 0xffff)),
            _ => None,
        });
        versions.collect()
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keep {
            f.write_str("(keep) ")?;
        }
        let mut joint = "";
        for ((key, id), value) in bundle::REGISTERS.into_iter().zip(self.registers) {
            match values(id) {
                Values::Services(names) => {
                    let value = value.unwrap_or_default();
                    for (name, _) in names.iter().filter(|(_, bit)| value & bit != 0) {
                        write!(f, "{joint}{name}")?;
                        joint = " ";
                    }
                }
                Values::Version(_, names) => {
                    // The newest PSCI is what a VM is shown whose manifest says nothing.
                    let newest = names.last().filter(|_| id == abi::PSCI_VERSION).map(|(_, version)| *version);
                    let Some(version) = value.or(newest) else { continue };
                    write!(f, "{joint}{key}-{}.{}", version >> 16, version & 0xffff)?;
                    joint = " ";
                }
            }
        }
        Ok(())
    }
}

/// A rule for a range of function identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// First function identifier.
    pub base: u32,
    /// Number of function identifiers.
    pub count: u32,
    /// What becomes of a call.
    pub action: Action,
}

impl Filter {
    /// The function identifiers that it is about, of which there is one at least and none behind the last of all.
    fn functions(&self) -> RangeInclusive<u32> {
        self.base..=self.base.saturating_add(self.count.saturating_sub(1))
    }
}

/// What a filter does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Refuse it.
    Deny,
    /// Let the gate decide.
    Handle,
    /// Pass it on to EL3.
    Forward,
}

impl Action {
    /// Its number in a bundle and in management calls.
    pub fn number(self) -> u32 {
        let number = match self {
            Self::Deny => manage::FILTER_DENY,
            Self::Handle => manage::FILTER_HANDLE,
            Self::Forward => manage::FILTER_FORWARD,
        };
        number as u32
    }
}

const ACTIONS: &[(&str, Action)] = &[("deny", Action::Deny), ("handle", Action::Handle), ("forward", Action::Forward)];

const RULES: &[(&str, bool)] = &[("clear", false), ("keep", true)];

/// Reads the registers of `section`, without its filters.
pub fn registers(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Firmware {
    Firmware {
        registers: bundle::REGISTERS.map(|(key, id)| match values(id) {
            Values::Services(names) => register(section, key, names, diagnostics),
            Values::Version(noun, names) => {
                let version = section.string(key, diagnostics)?;
                choice(key, noun, &version, names, diagnostics)
            }
        }),
        keep: section
            .string("rule", diagnostics)
            .and_then(|rule| choice("rule", "rule for what is not named", &rule, RULES, diagnostics))
            .unwrap_or(false),
        filters: Vec::new(),
    }
}

/// Reads the filters of `section`, with their places.
pub fn filters(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Vec<Spanned<Filter>> {
    let sections = section.sections("filter", &key::FILTER, diagnostics);
    let mut filters: Vec<Spanned<Filter>> = Vec::new();
    for section in &sections {
        let Some(filter) = filter(section, diagnostics) else { continue };
        fits(&filter, &section.span, &filters, diagnostics);
        filters.push(Spanned::new(section.span.clone(), filter));
    }
    if let Some(beyond) = filters.get(MAX_RANGES) {
        let message = format!("{} filters are more than a VM can have", filters.len());
        diagnostics.error(beyond.span(), message, format!("keep {MAX_RANGES} of them at the most"));
    }
    filters
}

/// Reports it if `filter` meets one of the `earlier` ones, or what no filter touches.
fn fits(filter: &Filter, span: &Span, earlier: &[Spanned<Filter>], diagnostics: &mut Diagnostics<'_>) {
    let range = filter.functions();
    let text = format!("{:#x} to {:#x}", range.start(), range.end());
    if ARCHITECTURE.iter().any(|calls| meet(&range, calls)) {
        let [narrow, wide] = ARCHITECTURE.map(|calls| format!("{:#x} to {:#x}", calls.start(), calls.end()));
        let help = format!("no filter touches {narrow} and {wide}");
        diagnostics.error(span.clone(), format!("{text} has Arm architecture calls in it"), help);
    }
    let request = RangeRequest {
        base: filter.base,
        count: filter.count,
        action: filter.action.number() as u8,
        ..RangeRequest::default()
    };
    if GateFilter::new().insert(&request, Profile(0), true) == Err(FilterError::ForwardRefused) {
        let help =
            "docs/gate.md lists what is never forwarded: PSCI, FF-A, hypervisor calls, yielding calls and others";
        diagnostics.error(span.clone(), format!("{text} has calls that are never forwarded"), help);
    }
    if let Some(other) = earlier.iter().find(|other| meet(&range, &other.get_ref().functions())) {
        let line = diagnostics.line(&other.span());
        let message = format!("{text} overlaps the filter in line {line}");
        diagnostics.error(span.clone(), message, "ranges of one VM do not overlap: keep one of the two, or cut it");
    }
}

/// The union of the bits that `names` stand for; what is unknown or named twice is reported. `noun` is what one of them
/// is called.
pub fn flags<T: Copy + Into<u64>>(
    key: &str,
    noun: &str,
    names: &[Spanned<&str>],
    known: &[(&str, T)],
    diagnostics: &mut Diagnostics<'_>,
) -> u64 {
    let mut value = 0;
    for name in names {
        let Some(bit) = choice(key, noun, name, known, diagnostics).map(Into::into) else { continue };
        if value & bit != 0 {
            let message = format!("{:?} is listed twice in `{key}`", name.get_ref());
            diagnostics.error(name.span(), message, "list it once");
        }
        value |= bit;
    }
    value
}

/// What `name` stands for among `known`; an unknown name is reported.
pub fn choice<T: Copy>(
    key: &str,
    noun: &str,
    name: &Spanned<impl AsRef<str>>,
    known: &[(&str, T)],
    diagnostics: &mut Diagnostics<'_>,
) -> Option<T> {
    let text = name.get_ref().as_ref();
    let found = known.iter().find(|(known, _)| *known == text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let help = match nearest(text, &names) {
            // The nearest version number is not the one that was meant.
            Some(near) if near.starts_with(|c: char| c.is_ascii_lowercase()) => format!("did you mean {near:?}?"),
            _ => format!("`{key}` knows {}", quoted(&names)),
        };
        diagnostics.error(name.span(), format!("{text:?} is not a {noun}"), help);
    }
    found
}

fn register(section: &Section<'_>, key: &str, services: &Names, diagnostics: &mut Diagnostics<'_>) -> Option<u64> {
    let value = section.value(key)?;
    match value.get_ref() {
        DeValue::Integer(_) => {
            let number = section.number(key, diagnostics)?;
            let unknown = number.get_ref() & !services.iter().fold(0, |mask, (_, bit)| mask | bit);
            if unknown != 0 {
                let bits: Vec<String> =
                    (0..64).filter(|bit| unknown >> bit & 1 != 0).map(|bit| bit.to_string()).collect();
                let (word, verb) = if bits.len() == 1 { ("bit", "is") } else { ("bits", "are") };
                let message = format!("{word} {} of `{key}` {verb} not supported", enumeration(&bits));
                let known: Vec<String> =
                    services.iter().map(|(name, bit)| format!("{} ({name:?})", bit.trailing_zeros())).collect();
                diagnostics.error(value.span(), message, format!("its bits are {}", enumeration(&known)));
            }
            Some(number.into_inner())
        }
        DeValue::Array(_) => {
            let names = section.strings(key, diagnostics)?;
            Some(flags(key, &format!("service of `{key}`"), names.get_ref(), services, diagnostics))
        }
        _ => section.wrong_type(key, value, "a list of services or a number", diagnostics),
    }
}

fn filter(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Filter> {
    for key in ["base", "count", "action"] {
        section.require(key, diagnostics);
    }
    let action = section.string("action", diagnostics);
    let action = action.and_then(|action| choice("action", "filter action", &action, ACTIONS, diagnostics));
    let (base, count) = (section.number("base", diagnostics), section.number("count", diagnostics));
    let (base, count) = (base?, count?);
    let end = base.get_ref().checked_add(*count.get_ref());
    if *count.get_ref() == 0 || end.is_none_or(|end| end > 1 << 32) {
        let message = format!("a filter of {} functions from {:#x}", count.get_ref(), base.get_ref());
        let help = "a range has at least one function and ends at 0xffffffff at the latest";
        diagnostics.error(count.span(), message, help);
        return None;
    }
    // A range of all 2^32 identifiers is the only one that fails here; the last one is not a valid call anyway.
    let count = u32::try_from(count.into_inner()).unwrap_or(u32::MAX);
    Some(Filter { base: u32::try_from(base.into_inner()).ok()?, count, action: action? })
}
