//! Records as tracks: one for each core, with who was on it, one for each vCPU, with where it was, both with what it came to EL2
//! for; and the bytes that were copied at each link.

use std::collections::BTreeMap;

use controls::trace::{Record, nanoseconds};
use portcullis_abi::manage::{
    TRACE_CALL, TRACE_COPY, TRACE_ENTER, TRACE_EXIT, TRACE_EXIT_CALLED, TRACE_INTERRUPT, TRACE_LEAVE,
};

use super::capture::Noted;
use super::perfetto::{
    ChildTracksOrdering, CounterDescriptor, Data, DebugAnnotation, INCREMENTAL_STATE_CLEARED, Trace, TracePacket,
    TrackDescriptor, TrackEvent, Type, Unit,
};

/// The only source of what is told.
const SEQUENCE: u32 = 1;
/// Numbers of tracks: what they are for, and a number of that.
const CORES: u64 = 1 << 32;
const VMS: u64 = 2 << 32;
const LINKS: u64 = 3 << 32;

const fn core_track(core: u64) -> u64 {
    CORES + 1 + core
}

const fn vm_track(vm: u64) -> u64 {
    VMS + 1 + (vm << 8)
}

const fn vcpu_track(vm: u64, vcpu: u64) -> u64 {
    vm_track(vm) + 1 + vcpu
}

const fn link_track(link: u64) -> u64 {
    LINKS + 1 + link
}

/// The names of what records have by number.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// VMs.
    pub vms: Vec<String>,
    /// Links.
    pub links: Vec<String>,
}

impl Names {
    fn of(list: &[String], number: u64, what: &str) -> String {
        let name = usize::try_from(number).ok().and_then(|number| list.get(number));
        name.map_or_else(|| format!("{what} {number}"), Clone::clone)
    }

    fn vm(&self, vm: u64) -> String {
        Self::of(&self.vms, vm, "VM")
    }

    fn link(&self, link: u64) -> String {
        Self::of(&self.links, link, "link")
    }
}

/// Makes tracks of what cores have noted, by core, each in the order of its positions. The counter has `frequency` ticks in a
/// second.
pub fn convert(noted: &[Vec<Noted>], names: &Names, frequency: u64) -> Trace {
    let mut tracks = Tracks { names, frequency, events: Vec::new(), seen: BTreeMap::new(), copied: BTreeMap::new() };
    for (core, noted) in (0..).zip(noted) {
        tracks.core(core, noted);
    }
    tracks.finish()
}

/// A slice that is open.
struct Running {
    vm: u64,
    vcpu: u64,
}

struct Tracks<'a> {
    names: &'a Names,
    frequency: u64,
    /// With the time, in ticks.
    events: Vec<(u64, TrackEvent)>,
    /// Tracks by number, with their descriptors.
    seen: BTreeMap<u64, TrackDescriptor>,
    /// Copies by link: when, and how many bytes.
    copied: BTreeMap<u64, Vec<(u64, u64)>>,
}

impl Tracks<'_> {
    /// What one core has noted.
    fn core(&mut self, core: u64, noted: &[Noted]) {
        let track = core_track(core);
        self.describe(CORES, "cores", None);
        self.describe(track, &format!("core {core}"), Some(CORES));
        let mut running: Option<Running> = None;
        // Behind this nothing begins any more: slices of one track lie in each other, or behind each other.
        let mut last = 0;
        for entry in noted {
            let record = match entry {
                Noted::Record(record) => record,
                Noted::Lost(count) => {
                    self.leave(core, running.take(), last, None);
                    let text = format!("{count} records lost");
                    let about = [number("count", *count)];
                    self.event(last, track, Type::Instant, "lost", Some(&text), about.to_vec());
                    continue;
                }
            };
            let Record { kind, vm, vcpu, time, .. } = *record;
            let time = time.max(last);
            if kind != TRACE_ENTER && running.as_ref().is_none_or(|here| (here.vm, here.vcpu) != (vm, vcpu)) {
                // What told that it came is lost.
                self.leave(core, running.take(), last, None);
                let begins = time.saturating_sub(record.span()).max(last);
                running = Some(self.enter(core, vm, vcpu, begins));
                last = begins;
            }
            match kind {
                TRACE_ENTER => {
                    self.leave(core, running.take(), time, None);
                    running = Some(self.enter(core, vm, vcpu, time));
                    last = time;
                }
                TRACE_LEAVE => {
                    self.leave(core, running.take(), time, Some(record));
                    last = time;
                }
                TRACE_EXIT | TRACE_CALL => {
                    self.visit(core, record, time.saturating_sub(record.span()).max(last), time);
                    last = time;
                }
                TRACE_INTERRUPT => {
                    let about = vec![number("INTID", record.value)];
                    let text = record.title().to_string();
                    self.event(time, vcpu_track(vm, vcpu), Type::Instant, "interrupt", Some(&text), about);
                }
                TRACE_COPY => {
                    let about = vec![word("link", &self.names.link(record.value)), number("bytes", record.more)];
                    let text = record.title().to_string();
                    self.event(time, vcpu_track(vm, vcpu), Type::Instant, "copy", Some(&text), about);
                    self.copied.entry(record.value).or_default().push((time, record.more));
                }
                // A later hypervisor's.
                _ => self.event(time, track, Type::Instant, "other", Some(&record.title().to_string()), Vec::new()),
            }
        }
        self.leave(core, running, last, None);
    }

    /// A vCPU comes onto a core.
    fn enter(&mut self, core: u64, vm: u64, vcpu: u64, time: u64) -> Running {
        let name = self.names.vm(vm);
        self.describe(VMS, "VMs", None);
        self.describe(vm_track(vm), &name, Some(VMS));
        let own = vcpu_track(vm, vcpu);
        self.describe(own, &format!("{name} vCPU {vcpu}"), Some(vm_track(vm)));
        let text = format!("{name} vCPU {vcpu}");
        self.event(time, core_track(core), Type::SliceBegin, "run", Some(&text), Vec::new());
        self.event(time, own, Type::SliceBegin, "run", Some(&format!("on core {core}")), Vec::new());
        Running { vm, vcpu }
    }

    /// Who is on a core leaves it, `because` of this if it is known.
    fn leave(&mut self, core: u64, running: Option<Running>, time: u64, because: Option<&Record>) {
        let Some(Running { vm, vcpu }) = running else { return };
        let about = || because.map(|record| word("left", record.why())).into_iter().collect();
        self.event(time, core_track(core), Type::SliceEnd, "run", None, about());
        self.event(time, vcpu_track(vm, vcpu), Type::SliceEnd, "run", None, about());
    }

    /// A vCPU was at EL2.
    fn visit(&mut self, core: u64, record: &Record, begin: u64, end: u64) {
        let (category, mut about) = if record.kind == TRACE_CALL {
            let (verdict, conduit) = record.verdict();
            let function = number("function", record.more);
            ("call", vec![word("verdict", verdict), word("conduit", conduit), function])
        } else {
            let syndrome = (record.more != 0).then(|| number("ESR_EL2", record.more));
            ("exit", syndrome.into_iter().collect())
        };
        if record.kind == TRACE_EXIT && record.detail == TRACE_EXIT_CALLED {
            about.push(word("cause", "another core has called this one"));
        }
        let text = record.title().to_string();
        for track in [core_track(core), vcpu_track(record.vm, record.vcpu)] {
            self.event(begin, track, Type::SliceBegin, category, Some(&text), about.clone());
            self.event(end, track, Type::SliceEnd, category, None, Vec::new());
        }
    }

    fn describe(&mut self, uuid: u64, name: &str, parent: Option<u64>) {
        let rank = i32::try_from(uuid & 0xffff_ffff).ok();
        self.seen.entry(uuid).or_insert_with(|| TrackDescriptor {
            uuid: Some(uuid),
            name: Some(name.to_owned()),
            parent_uuid: parent,
            counter: None,
            child_ordering: Some(ChildTracksOrdering::Explicit as i32),
            sibling_order_rank: rank,
        });
    }

    fn event(
        &mut self,
        time: u64,
        track: u64,
        kind: Type,
        category: &str,
        name: Option<&str>,
        about: Vec<DebugAnnotation>,
    ) {
        let event = TrackEvent {
            debug_annotations: about,
            r#type: Some(kind as i32),
            track_uuid: Some(track),
            categories: vec![category.to_owned()],
            name: name.map(ToOwned::to_owned),
            counter_value: None,
        };
        self.events.push((time, event));
    }

    /// The bytes that were copied at each link, since the trace began.
    fn counters(&mut self) {
        for (link, mut copies) in std::mem::take(&mut self.copied) {
            let track = link_track(link);
            self.describe(LINKS, "links", None);
            self.describe(track, &format!("bytes copied at {}", self.names.link(link)), Some(LINKS));
            if let Some(descriptor) = self.seen.get_mut(&track) {
                descriptor.counter = Some(CounterDescriptor { unit: Some(Unit::SizeBytes as i32) });
            }
            copies.sort_by_key(|(time, _)| *time);
            let mut all = 0_u64;
            for (time, bytes) in copies {
                all = all.saturating_add(bytes);
                let event = TrackEvent {
                    r#type: Some(Type::Counter as i32),
                    track_uuid: Some(track),
                    counter_value: i64::try_from(all).ok(),
                    ..TrackEvent::default()
                };
                self.events.push((time, event));
            }
        }
    }

    fn finish(mut self) -> Trace {
        self.counters();
        // What happens at one time stays in its order.
        self.events.sort_by_key(|(time, _)| *time);
        let packet = |timestamp, data| TracePacket {
            timestamp,
            trusted_packet_sequence_id: Some(SEQUENCE),
            sequence_flags: None,
            data: Some(data),
        };
        let frequency = self.frequency;
        let tracks = self.seen.into_values().map(|track| packet(None, Data::TrackDescriptor(track)));
        let events = self
            .events
            .into_iter()
            .map(|(time, event)| packet(u64::try_from(nanoseconds(time, frequency)).ok(), Data::TrackEvent(event)));
        let mut packets: Vec<TracePacket> = tracks.chain(events).collect();
        if let Some(first) = packets.first_mut() {
            first.sequence_flags = Some(INCREMENTAL_STATE_CLEARED);
        }
        Trace { packet: packets }
    }
}

fn number(name: &str, value: u64) -> DebugAnnotation {
    DebugAnnotation { name: Some(name.to_owned()), uint_value: Some(value), string_value: None }
}

fn word(name: &str, value: &str) -> DebugAnnotation {
    DebugAnnotation { name: Some(name.to_owned()), uint_value: None, string_value: Some(value.to_owned()) }
}

#[cfg(test)]
mod tests;
