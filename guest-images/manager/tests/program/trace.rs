//! `trace`: what the hypervisor says cores have noted becomes a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use manager::exit::Exit;
use manager::trace::perfetto::{Data, Trace, Type};
use portcullis_abi::manage::{BUSY, NO_ITEM, NO_MEMORY, TRACE_LOST, TRACE_READ, TRACE_SET};
use portcullis_core::rig::Machine;
use portcullis_trace::{Event, Leave, Subject, Verdict};
use prost::Message;
use serde_json::json;

use crate::rig::{Answers, Linux, Reply, honest, run};

/// Records of core 1 behind those that were lost.
const RECORDS: u64 = 3000;
/// Records that were lost.
const LOST: u64 = 40;

/// As the hypervisor, whose cores have noted something: core 1 a vCPU of `a` that calls and exits, the others nothing.
fn noted(machine: &Machine, request: [u64; 4]) -> Reply {
    let [function, core, position, _] = request;
    if function != u64::from(TRACE_READ) {
        return honest(machine, request);
    }
    let none = Reply::Answer([NO_ITEM.cast_unsigned(), 0, 0, 0]);
    let Some(number) = position.checked_sub(LOST) else {
        return if core == 1 { Reply::Answer([0, 0, TRACE_LOST, LOST - position]) } else { none };
    };
    if core != 1 || number >= RECORDS {
        return none;
    }
    let event = match number {
        0 => Event::Enter,
        n if n == RECORDS - 1 => Event::Leave(Leave::Paused),
        n if n % 2 == 0 => Event::Exit { cause: 10, span: 3, syndrome: 0x9200_0047 },
        _ => Event::Call { verdict: Verdict::Refused, smc: true, span: 2, function: 0x8400_0050 },
    };
    let [x1, x2, x3] = event.record(1000 + 10 * number, Subject { vm: 1, vcpu: 0 });
    Reply::Answer([0, x1, x2, x3])
}

#[test]
fn what_cores_have_noted_becomes_a_file() {
    let linux = Linux::with(noted);
    let file = linux.folder.path().join("a.pftrace");
    let name = file.display();
    let said = linux.ok(&format!("trace --for 0.02 --vm a --out {name}"));
    assert_eq!(
        said,
        format!("{RECORDS} records of a, {LOST} lost: {name}, which https://ui.perfetto.dev opens\n"),
        "read in pieces, each record once"
    );
    let trace = Trace::decode(&fs::read(&file).unwrap()[..]).unwrap();
    let events = trace.packet.iter().filter_map(|packet| match &packet.data {
        Some(Data::TrackEvent(event)) => Some((packet.timestamp, event)),
        _ => None,
    });
    let events: Vec<_> = events.collect();
    assert!(events.is_sorted_by_key(|(time, _)| *time));
    let count = |kind: Type| events.iter().filter(|(_, event)| event.r#type() == kind).count() as u64;
    // Each on the core's track and on the vCPU's; the first and the last record are one slice.
    assert_eq!([count(Type::SliceBegin), count(Type::SliceEnd)], [2 * (RECORDS - 1); 2]);
    let calls = events.iter().filter(|(_, event)| event.name.as_deref() == Some("call TRNG_VERSION"));
    assert_eq!(calls.count() as u64, RECORDS - 2);
    let lost = events.iter().find(|(_, event)| event.name.as_deref() == Some("40 records lost"));
    assert!(lost.is_some_and(|(_, event)| event.r#type() == Type::Instant));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "whoever reads it sees what VMs do");
    let said = linux.json(&format!("trace --for 0 --out {name}"));
    let expected = json!({
        "file": name.to_string(), "records": RECORDS, "lost": LOST, "vms": ["a", "b-with-16-chars-"]
    });
    assert_eq!(said, expected, "all but this one");
    assert_eq!(linux.ok(&format!("-q trace --for 0 --out {name}")), "");
}

#[test]
fn a_trace_that_is_on_is_another_ones() {
    let linux = Linux::new();
    let file = linux.folder.path().join("trace");
    let mut port = manager::port::Port::open(&linux.place(), &linux.place().lock, std::time::Duration::ZERO).unwrap();
    assert_eq!(port.ask([TRACE_SET.into(), 1, 0b10, 0]).unwrap()[0], 0);
    drop(port);
    let line = format!("trace --for 0 --out {}", file.display());
    linux.fails(&line, Exit::State, "BAD_STATE: a trace is on; `trace off` ends it");
    assert!(!file.exists());
    assert_eq!(linux.ok("trace off"), "the trace is off\n");
    linux.fails("trace off", Exit::State, "BAD_STATE: no trace is on");
    // Nobody has noted anything: the VMs of this machine have no guests. The file is a trace all the same.
    let said = linux.ok(&line);
    assert!(said.starts_with("0 records of a, b-with-16-chars-, 0 lost: "), "{said}");
    assert!(Trace::decode(&fs::read(&file).unwrap()[..]).unwrap().packet.len() >= 5);
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_switched() {
    static SWITCHED: AtomicU64 = AtomicU64::new(0);
    fn counted(machine: &Machine, request: [u64; 4]) -> Reply {
        SWITCHED.fetch_add(u64::from(request[0] == u64::from(TRACE_SET)), Ordering::Relaxed);
        honest(machine, request)
    }
    let linux = Linux::with(counted);
    let (exit, _, errors) = linux.run("trace --out /none/x");
    assert_eq!((exit, errors.contains("/none/x cannot be written: ")), (Exit::Output, true), "{errors}");
    let folder = linux.folder.path().display().to_string();
    assert_eq!(linux.run(&format!("trace --out {folder}")).0, Exit::Output, "a folder");
    let out = linux.folder.path().join("x").display().to_string();
    assert_eq!(linux.run(&format!("trace --vm nobody --out {out}")).0, Exit::NoVm);
    let none = "no VM has the number 7; `portcullis vms` lists them";
    linux.fails(&format!("trace --vm 7 --out {out}"), Exit::NoVm, none);
    for line in ["trace", "trace on --out x", "trace off --out x", "trace --for x --out y", "trace off --vm a"] {
        assert_eq!(linux.run(line).0, Exit::Usage, "{line}");
    }
    assert_eq!(SWITCHED.load(Ordering::Relaxed), 0);
}

#[test]
fn a_hypervisor_that_cannot_is_believed() {
    fn no_memory(machine: &Machine, request: [u64; 4]) -> Reply {
        match request {
            [function, 1, ..] if function == u64::from(TRACE_SET) => {
                Reply::Answer([NO_MEMORY.cast_unsigned(), 0, 0, 0])
            }
            _ => honest(machine, request),
        }
    }
    fn behind(machine: &Machine, request: [u64; 4]) -> Reply {
        match request {
            [function, 1, ..] if function == u64::from(TRACE_SET) => Reply::Answer([BUSY.cast_unsigned(), 0, 0, 0]),
            _ => honest(machine, request),
        }
    }
    let file = |linux: &Linux| format!("trace --for 0 --out {}", linux.folder.path().join("x").display());
    let linux = Linux::with(no_memory);
    let text = "NO_MEMORY: the hypervisor has no memory for it; `vms` shows how much is free";
    linux.fails(&file(&linux), Exit::NoMemory, text);
    // There is one machine.
    drop(linux);
    let linux = Linux::with(behind);
    let text = "BUSY: cores have yet to follow the last switch of the trace; ask again";
    linux.fails(&file(&linux), Exit::InProgress, text);
}

/// As the hypervisor, whose port breaks when a core's records are read, or when a trace is switched so: before the
/// hypervisor does it, or behind it, and so often.
struct Breaks(AtomicU64);

impl Breaks {
    fn at(&self, switch: u64, done: bool, machine: &Machine, request: [u64; 4]) -> Reply {
        let [function, on, ..] = request;
        if function == u64::from(TRACE_READ) && switch == 0 {
            return Reply::Part(7);
        }
        let breaks = function == u64::from(TRACE_SET) && on == switch;
        let left = || self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if !breaks || !left() {
            return honest(machine, request);
        }
        if done {
            honest(machine, request);
        }
        Reply::Close
    }
}

/// The port is cut off while a trace is on, or when it is switched: it is off in the end, and no file is there.
#[test]
fn a_port_that_is_cut_off_leaves_no_trace_on() {
    static LEFT: Breaks = Breaks(AtomicU64::new(0));
    let breaks: [(Answers, u64); 6] = [
        (|machine, request| LEFT.at(0, false, machine, request), 0),
        (|machine, request| LEFT.at(0, false, machine, request), 2),
        (|machine, request| LEFT.at(0, true, machine, request), 1),
        (|machine, request| LEFT.at(0, true, machine, request), 2),
        (|machine, request| LEFT.at(1, false, machine, request), 1),
        (|machine, request| LEFT.at(1, true, machine, request), 1),
    ];
    for (number, (answers, times)) in breaks.into_iter().enumerate() {
        let linux = Linux::with(answers);
        LEFT.0.store(times, Ordering::Relaxed);
        let file = linux.folder.path().join("x");
        let (exit, out, errors) = linux.run(&format!("trace --for 5 --out {}", file.display()));
        let cut = "portcullis: the port was cut off in the middle of a call: `vms` shows whether that was done\n";
        assert_eq!((exit, out.as_str(), errors.as_str()), (Exit::CutOff, "", cut), "{number}");
        assert!(!file.exists(), "{number}");
        linux.fails("trace off", Exit::State, "BAD_STATE: no trace is on");
    }
    let linux = Linux::with(|machine, request| LEFT.at(0, false, machine, request));
    LEFT.0.store(3, Ordering::Relaxed);
    let (exit, _, errors) = linux.run(&format!("trace --for 5 --out {}", linux.folder.path().join("x").display()));
    assert_eq!(exit, Exit::CutOff, "{errors}");
    assert!(errors.contains("cut off"), "{errors}");
    assert_eq!(linux.ok("trace off"), "the trace is off\n", "it was said, and is ended by the next command that can");
}

/// Somebody else has the port for longer than --wait when the trace is to end.
#[test]
fn a_trace_ends_when_the_port_is_free_again() {
    let linux = Linux::new();
    let (place, line) =
        (linux.place_maker(), format!("trace --for 0.2 --wait 0.02 --out {}/x", linux.folder.path().display()));
    let lock = linux.place().lock;
    let traced = thread::scope(|scope| {
        let traced = scope.spawn(move || run(&place(), &line));
        thread::sleep(Duration::from_millis(100));
        let other = fs::File::options().read(true).write(true).open(&lock).unwrap();
        other.lock().unwrap();
        thread::sleep(Duration::from_millis(400));
        drop(other);
        traced.join().unwrap()
    });
    assert_eq!((traced.0, traced.2.as_str()), (Exit::Success, ""));
    linux.fails("trace off", Exit::State, "BAD_STATE: no trace is on");
}
