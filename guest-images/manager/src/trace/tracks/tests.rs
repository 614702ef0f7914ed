use std::collections::HashMap;

use controls::trace::Read;
use portcullis_abi::manage::{TRACE_ANSWERED, TRACE_REFUSED, TRACE_SMC};
use portcullis_trace::{Event, Leave, Subject, Verdict};
use prost::Message;

use super::*;

/// A record as the hypervisor writes it.
fn noted(time: u64, vm: usize, event: Event) -> Noted {
    let Read::Record(record) = controls::trace::record(event.record(time, Subject { vm, vcpu: 0 })) else { panic!() };
    Noted::Record(record)
}

fn names() -> Names {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Names { vms: list(&["linux", "a", "b"]), links: list(&["lan"]) }
}

/// What was converted, through the bytes of the file; the counter has a tick a microsecond.
fn converted(noted: &[Vec<Noted>]) -> Trace {
    let bytes = convert(noted, &names(), 1_000_000).encode_to_vec();
    Trace::decode(&bytes[..]).unwrap()
}

/// Every track begins and ends its slices in turns, time never goes back, and every event is on a track that is described before.
/// Returns each track's events by the track's name: time, type, name.
pub(super) fn check(trace: &Trace) -> HashMap<String, Vec<(u64, Type, String)>> {
    let (mut tracks, mut depth, mut events) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut last = 0;
    for (number, packet) in trace.packet.iter().enumerate() {
        assert_eq!(packet.trusted_packet_sequence_id, Some(1));
        assert_eq!(packet.sequence_flags, (number == 0).then_some(1));
        match packet.data.as_ref().unwrap() {
            Data::TrackDescriptor(track) => {
                if let Some(parent) = track.parent_uuid {
                    assert!(tracks.contains_key(&parent), "{track:?}");
                }
                assert_eq!(tracks.insert(track.uuid.unwrap(), track.name.clone().unwrap()), None);
            }
            Data::TrackEvent(event) => {
                let (time, track) = (packet.timestamp.unwrap(), event.track_uuid.unwrap());
                assert!(time >= last, "{event:?}");
                last = time;
                let depth: &mut i32 = depth.entry(track).or_default();
                *depth += match event.r#type() {
                    Type::SliceBegin => 1,
                    Type::SliceEnd => -1,
                    _ => 0,
                };
                assert!(*depth >= 0, "{event:?}");
                let name = event.name.clone().unwrap_or_default();
                events.entry(tracks[&track].clone()).or_insert_with(Vec::new).push((time, event.r#type(), name));
            }
        }
    }
    assert!(depth.values().all(|depth| *depth == 0), "{depth:?}");
    events
}

#[test]
fn cores_and_vcpus_have_tracks_with_what_they_did() {
    let call = |function, verdict, smc| Event::Call { verdict, smc, span: 2, function };
    let trace = converted(&[
        vec![],
        vec![
            noted(100, 1, Event::Enter),
            noted(110, 1, call(0x8400_0000, Verdict::Answered, false)),
            noted(120, 1, Event::Interrupt { intid: 27 }),
            noted(120, 1, Event::Exit { cause: 0, span: 5, syndrome: 0 }),
            noted(130, 1, Event::Copy { link: 0, bytes: 64 }),
            noted(130, 1, Event::Exit { cause: 10, span: 1, syndrome: 0x9200_0047 }),
            noted(140, 1, call(0xc200_0001, Verdict::Refused, true)),
            noted(150, 1, Event::Exit { cause: 7, span: 1, syndrome: 1 << 26 }),
            noted(150, 1, Event::Leave(Leave::Waits)),
            noted(160, 2, Event::Enter),
            noted(170, 2, Event::Copy { link: 0, bytes: 36 }),
            noted(170, 2, Event::Exit { cause: 10, span: 4, syndrome: 0 }),
        ],
    ]);
    let events = check(&trace);
    let titles = |track: &str| events[track].iter().filter(|(_, kind, _)| *kind != Type::SliceEnd);
    let core: Vec<(u64, &str)> = titles("core 1").map(|(time, _, name)| (*time, name.as_str())).collect();
    let expected = [
        (100_000, "a vCPU 0"),
        (108_000, "call PSCI_VERSION"),
        (115_000, "exit timer"),
        (129_000, "exit device"),
        (138_000, "call 0xc2000001"),
        (149_000, "exit wait"),
        (160_000, "b vCPU 0"),
        (166_000, "exit device"),
    ];
    assert_eq!(core, expected);
    let vcpu: Vec<&str> = titles("a vCPU 0").map(|(_, _, name)| name.as_str()).collect();
    let expected = [
        "on core 1",
        "call PSCI_VERSION",
        "exit timer",
        "interrupt 27",
        "exit device",
        "copy of 64 bytes",
        "call 0xc2000001",
        "exit wait",
    ];
    assert_eq!(vcpu, expected);
    let counted = |packet: &TracePacket| match &packet.data {
        Some(Data::TrackEvent(event)) => event.counter_value.map(|value| (packet.timestamp.unwrap(), value)),
        _ => None,
    };
    let bytes: Vec<(u64, i64)> = trace.packet.iter().filter_map(counted).collect();
    assert_eq!(bytes, [(130_000, 64), (170_000, 100)]);
    let refused = trace.packet.iter().find_map(|packet| match &packet.data {
        Some(Data::TrackEvent(event)) if event.name.as_deref() == Some("call 0xc2000001") => {
            Some(event.debug_annotations.clone())
        }
        _ => None,
    });
    let expected = vec![word("verdict", "refused"), word("conduit", "smc"), number("function", 0xc200_0001)];
    assert_eq!(refused, Some(expected));
    assert_eq!([TRACE_ANSWERED, TRACE_REFUSED, TRACE_SMC], [0, 1, 0x80]);
}

#[test]
fn what_is_lost_is_said_and_what_comes_behind_it_is_whole() {
    let events = check(&converted(&[vec![
        noted(100, 1, Event::Enter),
        noted(110, 1, Event::Exit { cause: 4, span: 3, syndrome: 0 }),
        Noted::Lost(4711),
        // That b came is lost.
        noted(500, 2, Event::Exit { cause: 4, span: 3, syndrome: 0 }),
        noted(510, 2, Event::Leave(Leave::Turn)),
        Noted::Lost(1),
        noted(600, 1, Event::Leave(Leave::Off)),
        noted(700, 1, Event::Enter),
    ]]));
    let lost: Vec<&str> =
        events["core 0"].iter().filter(|event| event.1 == Type::Instant).map(|event| event.2.as_str()).collect();
    assert_eq!(lost, ["4711 records lost", "1 records lost"]);
    assert_eq!(events["b vCPU 0"].iter().filter(|event| event.1 == Type::SliceBegin).count(), 2);
}

/// Whatever a hypervisor says, the file is one that is in order.
#[test]
fn any_records_make_a_trace_in_order() {
    let mut seed = 5_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..200 {
        let cores: Vec<Vec<Noted>> = (0..3)
            .map(|core| {
                (0..random(60))
                    .map(|_| {
                        let head = random(9) | (core + random(2)) << 8 | random(256) << 24 | random(100) << 32;
                        match controls::trace::record([random(1000), head, random(1 << 31)]) {
                            Read::Record(record) => Noted::Record(record),
                            _ => Noted::Lost(1 + random(9)),
                        }
                    })
                    .collect()
            })
            .collect();
        check(&converted(&cores));
    }
}
