//! Links between VMs, and what was counted at their ends.

use core::fmt;

use heapless::{String, Vec};
use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::manage::{self, LINK_DISK, LINK_END_DRIVES, LINK_END_UP, LINK_NETWORK, LINK_WIRE, LINKS};

use crate::calls::Calls;
use crate::management;
use crate::names::name;
use crate::table::{self, Cell, cell};

/// Most ends that are told of.
const MOST: usize = 96;

/// A link, as it is known before its ends are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub number: u64,
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

/// An end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The link.
    pub link: Link,
    /// The name of the VM at it.
    pub vm: String<NAME_MAX>,
    /// Whether it is up, or high.
    pub up: bool,
    /// What its kind says of it.
    pub about: u64,
    /// The INTID of its interrupt; zero if it has none.
    pub intid: u64,
}

/// The ends of all links.
pub type Ends = Vec<End, MOST>;

/// Reads the links with their ends.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C) -> Result<Listed, C::Error> {
    let mut ends = Ends::new();
    for link in links(calls)? {
        for end in 0..link.ends {
            let [vm, about, intid] = calls.call(manage::LINK_END, [link.number, end, 0])?;
            let name = management::vm_name(calls, vm & 0xff)?;
            _ = ends.push(End { link: link.clone(), vm: name, up: vm & LINK_END_UP != 0, about, intid });
        }
    }
    Ok(Listed(ends))
}

/// All links.
fn links<C: Calls + ?Sized>(calls: &mut C) -> Result<Vec<Link, MOST>, C::Error> {
    let (mut links, mut number) = (Vec::new(), 0);
    management::each(
        |index| calls.call(manage::LINK, [index, 0, 0]),
        |[low, high, rest]| {
            let (name, kind, ends) = (management::name_of([low, high]), rest & 0xff, rest >> 8 & 0xff);
            _ = links.push(Link { number, name, kind, ends });
            number += 1;
        },
    )?;
    Ok(links)
}

/// The ends of all links, as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed(pub Ends);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "there are no links");
        }
        table::print(f, ["link", "kind", "VM", "interrupt", "state", "about"], |number| {
            let end = self.0.get(number)?;
            let interrupt = if end.intid == 0 { cell(format_args!("-")) } else { cell(format_args!("{}", end.intid)) };
            Some([
                cell(format_args!("{}", end.link.name)),
                cell(format_args!("{}", end.link.kind_name())),
                cell(format_args!("{}", end.vm)),
                interrupt,
                cell(format_args!("{}", state(end))),
                about(end),
            ])
        })
    }
}

const fn state(end: &End) -> &'static str {
    match (end.link.kind, end.up) {
        (LINK_WIRE, true) => "high",
        (LINK_WIRE, false) => "low",
        (_, true) => "up",
        (_, false) => "down",
    }
}

/// What the kind of an end says of it.
fn about(end: &End) -> Cell {
    match end.link.kind {
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

/// What was counted at the ends that a VM has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(pub Vec<(Link, Vec<u64, 24>), MOST>);

/// Reads what was counted at the ends that VM `vm` has.
///
/// # Errors
/// Those of a call.
pub fn counted<C: Calls + ?Sized>(calls: &mut C, vm: u64) -> Result<Counted, C::Error> {
    let mut counted = Counted::default();
    for link in links(calls)? {
        for end in 0..link.ends {
            let [at, ..] = calls.call(manage::LINK_END, [link.number, end, 0])?;
            if at & 0xff != vm {
                continue;
            }
            let mut counts = Vec::new();
            management::each(
                |index| calls.call(manage::LINK_COUNTER, [link.number, end, index]),
                |[count, ..]| _ = counts.push(count),
            )?;
            _ = counted.0.push((link.clone(), counts));
        }
    }
    Ok(counted)
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (link, counts) in &self.0 {
            write!(f, "{} {}: ", link.kind_name(), link.name)?;
            let names = manage::link_counters(link.kind);
            for (number, count) in counts.iter().enumerate() {
                let gap = if number == 0 { "" } else { ", " };
                write!(f, "{gap}{} {count}", name(names, number as u64))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
