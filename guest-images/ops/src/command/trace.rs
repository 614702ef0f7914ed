//! `trace`: what cores do with VMs, noted by them while it is on.

use controls::names::Names;
use controls::report::links::link;
use controls::trace::{self, Line, Read, Record, Standing};
use controls::{number, vm};
use heapless::String;
use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::manage::{SYSTEM_COUNTER, TRACE_COPY};
use portcullis_abi::map::MAX_VMS;

use super::entry::{Command, Kind, usage};
use crate::context::Context;
use crate::error::Error;

/// Records that are shown if nobody says how many.
const SHOWN: u64 = 20;
/// Cores of which one is shown at the most.
const CORES: usize = 32;

/// The command.
pub static TRACE: Command = Command {
    name: "trace",
    arguments: "[on [VM...]|off|VM [COUNT]]",
    about: "what cores do with VMs: switches it on, for all but this one, or off, or shows the last that was noted of a VM",
    kinds: &[Kind::VmOr(&["on", "off"]), Kind::Vm, Kind::Vm, Kind::Vm],
    count: (0, 1 + MAX_VMS),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    match *arguments {
        [] => tell(context),
        ["off"] => Ok(trace::switch(context.manager, 0)?),
        ["on", ref vms @ ..] => switch_on(context, vms),
        [vm] => show(context, vm, SHOWN),
        [vm, count] => {
            let count = number::parse(count);
            show(context, vm, count.ok_or_else(|| Error::wrong(format_args!("COUNT is a number of records")))?)
        }
        _ => Err(usage(&TRACE)),
    }
}

/// Says how it stands.
fn tell(context: &mut Context) -> Result<(), Error> {
    let standing = trace::standing(context.manager)?;
    let names = vm::names(context.manager)?;
    let of = names.iter().enumerate().filter(|(vm, _)| standing.has(*vm as u64)).map(|(_, name)| name.as_str());
    match standing {
        Standing { vms: 0, .. } => context.line(format_args!("no trace was on yet")),
        Standing { on: true, .. } => context.line(format_args!("a trace is on of {}", Names(of))),
        _ => context.line(format_args!("no trace is on; the last one was of {}", Names(of))),
    }
    Ok(())
}

fn switch_on(context: &mut Context, words: &[&str]) -> Result<(), Error> {
    let mut vms = 0;
    for word in words {
        let vm = context.vm(word)?;
        vms |=
            trace::bit(vm).ok_or_else(|| Error::wrong(format_args!("no VM has the number {vm}; `vms` lists them")))?;
    }
    if words.is_empty() {
        let machine = controls::management::machine(context.manager)?;
        vms = trace::others(&machine);
        if vms == 0 {
            return Err(Error::wrong(format_args!("there is no other VM; `trace on {}` is for this one", machine.own)));
        }
    }
    Ok(trace::switch(context.manager, vms)?)
}

/// A core's records, read one after the other.
#[derive(Clone, Copy, Debug, Default)]
struct Source {
    position: u64,
    next: Option<Record>,
    lost: u64,
}

impl Source {
    /// Goes on to the next record of VM `vm`.
    fn advance(&mut self, context: &mut Context, core: u64, vm: u64) -> Result<(), Error> {
        self.next = None;
        loop {
            match trace::read(context.manager, core, self.position)? {
                Read::Nothing => return Ok(()),
                Read::Lost(count) => {
                    self.position = self.position.saturating_add(count);
                    self.lost = self.lost.saturating_add(count);
                }
                Read::Record(record) => {
                    self.position = self.position.saturating_add(1);
                    if record.vm == vm {
                        self.next = Some(record);
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Shows the last records of a VM, those of all cores in the order of time.
fn show(context: &mut Context, word: &str, count: u64) -> Result<(), Error> {
    let vm = context.vm(word)?;
    // There is such a VM.
    controls::management::vm_state(context.manager, vm)?;
    let standing = trace::standing(context.manager)?;
    let [_, _, frequency] = context.call(SYSTEM_COUNTER, [0; 3])?;
    if !standing.has(vm) {
        let title = context.title(vm);
        return Err(Error::wrong(format_args!("no trace was on of {title}; `trace on` begins one")));
    }
    let cores = standing.cores.min(CORES as u64);
    // Those that are there now: while it is on, more may come than can be shown.
    let mut ends = [0_u64; CORES];
    let (mut all, mut lost) = (0_u64, 0_u64);
    for (core, end) in (0..cores).zip(&mut ends) {
        let mut source = Source::default();
        loop {
            source.advance(context, core, vm)?;
            if source.next.is_none() || source.position > limit(source.lost) {
                break;
            }
            all = all.saturating_add(1);
            *end = source.position;
        }
        lost = lost.saturating_add(source.lost);
    }
    let mut sources = [Source::default(); CORES];
    for (core, source) in (0..cores).zip(&mut sources) {
        source.advance(context, core, vm)?;
    }
    if lost != 0 {
        context.line(format_args!("{lost} records of all VMs were overwritten"));
    }
    let mut skipped = all.saturating_sub(count);
    loop {
        let there = sources.iter().zip(&ends).enumerate().filter_map(|(core, (source, end))| {
            source.next.filter(|_| source.position <= *end).map(|record| (record.time, core, record))
        });
        let Some((_, core, record)) = there.min_by_key(|(time, core, _)| (*time, *core)) else { return Ok(()) };
        if skipped == 0 {
            let link = link_of(context, &record);
            let (since, core) = (standing.since, core as u64);
            context.print(&Line { record: &record, core, since, frequency, link: &link });
        }
        skipped = skipped.saturating_sub(1);
        if let Some(source) = sources.get_mut(core) {
            source.advance(context, core as u64, vm)?;
        }
    }
}

/// Where a core that goes on noting is left: at twice what is kept of it.
const fn limit(lost: u64) -> u64 {
    lost.saturating_add(2 * portcullis_abi::manage::TRACE_KEPT)
}

/// The name of the link of a copy; its number if it has none.
fn link_of(context: &mut Context, record: &Record) -> String<NAME_MAX> {
    if record.kind != TRACE_COPY {
        return String::new();
    }
    link(context.manager, record.value).ok().flatten().map(|link| link.name).unwrap_or_default()
}
