//! Links between VMs, and what was counted at their ends. A list of them is short of what a stack has; what was counted is read
//! link by link.

use core::fmt;

use heapless::{String, Vec};
use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::manage::{self, LINK_DISK, LINK_END_DRIVES, LINK_END_UP, LINK_NETWORK, LINK_WIRE, LINKS};

use crate::calls::{Calls, Failure};
use crate::management;
use crate::names::name;
use crate::status::Status;
use crate::table::{self, Cell, cell};

/// Most ends that are listed.
const MOST: usize = 64;
/// Most counters of an end.
const COUNTERS: usize = 24;

/// A link, as it is known before its ends are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String<NAME_MAX>,
    /// A `LINK_*`.
    pub kind: u64,
    /// How many ends it has.
    pub ends: u64,
}

impl Link {
    /// What kind it is, in a word.
    pub fn kind_name(&self) -> &'static str {
        name(&LINKS, self.kind)
    }
}

/// The link with this number; none: there is no such.
///
/// # Errors
/// Those of the call.
pub fn link<C: Calls + ?Sized>(calls: &mut C, number: u64) -> Result<Option<Link>, C::Error> {
    match calls.call(manage::LINK, [number, 0, 0]) {
        Ok([low, high, rest]) => {
            Ok(Some(Link { name: management::name_of([low, high]), kind: rest & 0xff, ends: rest >> 8 & 0xff }))
        }
        Err(error) if error.status() == Some(Status(manage::NO_ITEM)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The link's name.
    pub link: String<NAME_MAX>,
    /// Its `LINK_*`.
    pub kind: u8,
    /// Whether it is up, or high.
    pub up: bool,
    /// The INTID of its interrupt; zero if it has none.
    pub intid: u16,
    /// The name of the VM at it.
    pub vm: String<NAME_MAX>,
    /// What its kind says of it.
    pub about: u64,
}

/// The ends of links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The first ones.
    pub ends: Vec<End, MOST>,
    /// How many there are besides.
    pub more: usize,
}

/// Reads the links with their ends.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C) -> Result<Listed, C::Error> {
    let (mut listed, mut number) = (Listed::default(), 0);
    while let Some(Link { name, kind, ends }) = link(calls, number)? {
        for end in 0..ends {
            let [vm, about, intid] = calls.call(manage::LINK_END, [number, end, 0])?;
            let of = management::vm_name(calls, vm & 0xff)?;
            let (kind, intid, up) = (kind as u8, intid as u16, vm & LINK_END_UP != 0);
            let end = End { link: name.clone(), kind, up, intid, vm: of, about };
            listed.more += usize::from(listed.ends.push(end).is_err());
        }
        number += 1;
    }
    Ok(listed)
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.ends.is_empty() {
            return writeln!(f, "there are no links");
        }
        table::print(f, ["link", "kind", "VM", "interrupt", "state", "about"], |number| {
            let end = self.ends.get(number)?;
            let interrupt = if end.intid == 0 { cell(format_args!("-")) } else { cell(format_args!("{}", end.intid)) };
            Some([
                cell(format_args!("{}", end.link)),
                cell(format_args!("{}", name(&LINKS, end.kind.into()))),
                cell(format_args!("{}", end.vm)),
                interrupt,
                cell(format_args!("{}", state(end.kind.into(), end.up))),
                about(end),
            ])
        })?;
        if self.more > 0 { writeln!(f, "and {} ends more", self.more) } else { Ok(()) }
    }
}

/// What an end is like, in a word.
const fn state(kind: u64, up: bool) -> &'static str {
    match (kind, up) {
        (LINK_WIRE, true) => "high",
        (LINK_WIRE, false) => "low",
        (_, true) => "up",
        (_, false) => "down",
    }
}

/// What the kind of an end says of it.
fn about(end: &End) -> Cell {
    match u64::from(end.kind) {
        LINK_NETWORK => {
            let [a, b, c, d, e, g, ..] = end.about.to_le_bytes();
            cell(format_args!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
        }
        LINK_DISK => cell(format_args!("{} KiB", end.about >> 10)),
        LINK_WIRE => {
            let way = if end.about & LINK_END_DRIVES != 0 { "drives" } else { "sees" };
            cell(format_args!("line {}, {way} it", end.about & 0xff))
        }
        _ => Cell::new(),
    }
}

/// What was counted at an end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The link.
    pub link: Link,
    /// Whether the end is up, or high.
    pub up: bool,
    /// The counts, in the order of their names.
    pub counts: Vec<u64, COUNTERS>,
}

impl Counted {
    /// Whether the end is up or down, high or low, in a word.
    pub const fn state_name(&self) -> &'static str {
        state(self.link.kind, self.up)
    }
}

/// Reads what was counted at the ends of link `number` that VM `vm` has, and gives it to `take`. False: there is no such link.
///
/// # Errors
/// Those of a call.
pub fn counted<C: Calls + ?Sized>(
    calls: &mut C,
    vm: u64,
    number: u64,
    mut take: impl FnMut(Counted),
) -> Result<bool, C::Error> {
    let Some(link) = link(calls, number)? else { return Ok(false) };
    for end in 0..link.ends {
        let [at, ..] = calls.call(manage::LINK_END, [number, end, 0])?;
        if at & 0xff == vm {
            let mut counts = Vec::new();
            management::each(
                |index| calls.call(manage::LINK_COUNTER, [number, end, index]),
                |[count, ..]| _ = counts.push(count),
            )?;
            take(Counted { link: link.clone(), up: at & LINK_END_UP != 0, counts });
        }
    }
    Ok(true)
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { link, counts, .. } = self;
        write!(f, "{} {}: ", link.kind_name(), link.name)?;
        let names = manage::link_counters(link.kind);
        for (number, count) in counts.iter().enumerate() {
            let gap = if number == 0 { "" } else { ", " };
            write!(f, "{gap}{} {count}", name(names, number as u64))?;
        }
        writeln!(f)
    }
}
