//! The commands against the hypervisor's own code.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use manager::exit::Exit;
use manager::port::Port;
use portcullis_abi::manage::{
    ALL, BASE, COUNT, EVENT_FAILED, EVENT_LINK, EVENT_PHASE, EVENT_REFUSALS, EVENT_SIZE, EVENT_VERSION, EVENT_WATCHDOG,
    FAILURE_ACCESS, FAILURE_WATCHDOG, PHASE_CREATED, PHASE_RUNNING, POWER_OFF, RECREATE, START, STATUSES,
};
use serde_json::json;

use crate::rig::{Linux, run};

#[test]
fn vms_are_shown_as_text_and_as_json() {
    let linux = Linux::new();
    let text = linux.ok("vms");
    for line in [
        "0   ops               running  1 of 1    0      4 MiB   0         control\n",
        "2   b-with-16-chars-  created  0 of 2    2,3    4 MiB   0         restarts on failure\n",
        "12 KiB of memory are free, 4 cores\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let shown = linux.json("vms b-with-16-chars-");
    assert_eq!(shown["vms"].as_array().unwrap().len(), 1);
    let vm = &shown["vms"][0];
    assert_eq!((&vm["number"], &vm["state"], &vm["failure"]), (&json!(2), &json!("created"), &json!(null)));
    assert_eq!(vm["vcpus"][1], json!({ "core": 3, "state": "off", "ran_ns": 0, "stolen_ns": 0, "switches": 0 }));
}

#[test]
fn registers_are_set_by_names_and_read_back() {
    let linux = Linux::new();
    assert_eq!(linux.ok("set a std trng"), "std = 0x1 (trng)\n");
    assert_eq!(linux.ok("get 1 vendor-hyp"), "vendor-hyp = 0x0 (none)\n", "the first write has cleared it");
    assert_eq!(linux.ok("set a vendor-hyp func-feat --quiet"), "");
    assert_eq!(
        linux.json("get a vendor-hyp"),
        json!({
            "register": "vendor-hyp", "identifier": 0x6030_0000_0016_0002_u64, "value": 1, "names": "func-feat"
        })
    );
    let registers = linux.json("regs a");
    assert_eq!(registers["registers"].as_array().unwrap().len(), portcullis_abi::firmware::ALL.len());
    assert_eq!((&registers["written"], &registers["frozen"]), (&json!(true), &json!(false)));
    assert!(linux.ok("regs a").ends_with("rule clear, written, writable\n"));
    assert_eq!(linux.ok("rule a keep"), "rule keep\n");
    assert_eq!(linux.json("rule a"), json!({ "rule": "keep" }));
    assert_eq!(linux.ok("clear a"), "every bitmap register of a is clear\n");
    assert_eq!(linux.ok("get a std"), "std = 0x0 (none)\n");
}

#[test]
fn a_vm_is_started_paused_stopped_and_made_anew() {
    let linux = Linux::new();
    assert_eq!(linux.ok("start a"), "a is running\n");
    assert_eq!(linux.ok("wait a running 5"), "a is running\n");
    assert_eq!(linux.json("pause a"), json!({ "vm": "a", "state": "paused", "progress": "", "restarts": 0 }));
    assert_eq!(linux.ok("resume a -q"), "");
    linux.ok("restart a");
    linux.ok("stop a");
    linux.fails("pause a", Exit::State, "BAD_STATE: a is stopped; pause is for a VM that is running, suspended");
    linux.fails("set a std 0", Exit::State, "FROZEN: the VM has started; `stop` and `recreate` make it writable again");
    linux.fails("wait a running 0.02", Exit::TimeOver, "a is still stopped after 0.02 s");
    assert_eq!(linux.ok("recreate a"), "a is created\n");
    linux.ok("set a std 0");
}

#[test]
fn counters_refusals_and_audit_are_shown() {
    let linux = Linux::new();
    assert!(linux.ok("stats ops").starts_with("service     answered by hvc"), "a table");
    let stats = linux.json("stats a");
    assert_eq!(
        stats["services"]["trng"],
        json!({ "answered": { "hvc": 0, "smc": 0 }, "refused": { "hvc": 0, "smc": 0 } })
    );
    assert_eq!((&stats["exits"]["timer"], &stats["forwarded"]["smc"]), (&json!(0), &json!(0)));
    assert_eq!(stats["links"], json!([]));
    assert_eq!(linux.ok("links"), "there are no links\n");
    assert_eq!(linux.json("links"), json!({ "ends": [], "more": 0 }));
    assert_eq!(linux.ok("refused a"), "nothing was refused\n");
    assert_eq!(linux.json("refused a"), json!({ "total": 0, "calls": [] }));
    assert_eq!(linux.ok("audit a on"), "a will be audited\n");
    assert_eq!(linux.json("audit a")["audited"], json!(true));
    assert!(linux.ok("audit a").starts_with("# it has called nothing\n[vm.firmware]\n"));
    assert_eq!(linux.ok("audit a off"), "a will not be audited\n");
}

#[test]
fn a_filter_takes_ranges() {
    let linux = Linux::new();
    assert_eq!(linux.ok("filter a"), "no ranges: the registers alone decide\n");
    assert_eq!(linux.ok("filter a deny TRNG_VERSION 4"), "0x84000050 to 0x84000053: deny\n");
    let ranges = json!([{ "first": 0x8400_0050_u64, "last": 0x8400_0053_u64, "count": 4, "action": "deny" }]);
    assert_eq!(linux.json("filter a"), json!({ "ranges": ranges }));
    let overlaps = "OVERLAPS: the range overlaps another, 0x80000000-0x8000ffff or 0xc0000000-0xc000ffff";
    linux.fails("filter a handle 0x84000053 1", Exit::Refused, overlaps);
    linux.fails(
        "filter a deny 0x84000060 0",
        Exit::Refused,
        "EMPTY: the range has no function; it must have 1 or more",
    );
    let no_firmware = "NO_FIRMWARE: this board has no firmware at EL3 to forward to; handle or deny the range";
    linux.fails("filter a forward 0xc2000000 1", Exit::Refused, no_firmware);
    let none = "\"TRNG\" is no function: TRNG_VERSION, or a number up to 0xffffffff";
    linux.fails("filter a deny TRNG 4", Exit::Usage, none);
    assert_eq!(linux.run("filter a deny 1").0, Exit::Usage);
}

#[test]
fn the_time_of_day_is_set_and_shown() {
    let linux = Linux::new();
    assert!(linux.ok("time").starts_with("unknown: "));
    assert_eq!(linux.json("time"), json!({ "time": null, "ns": null, "source": "unknown" }));
    assert_eq!(linux.ok("time set 2031-05-17T09:30:00Z"), "2031-05-17T09:30:00Z\n");
    assert_eq!(linux.json("time")["source"], json!("set"));
    assert_eq!(linux.ok("time"), "2031-05-17T09:30:00Z, as it was set\n");
    let none = "\"noon\" is no time: 2031-05-17T09:30:00Z, or seconds since 1970";
    linux.fails("time set noon", Exit::Usage, none);
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let linux = Linux::new();
    linux.fails(
        "start b-with-16-char",
        Exit::NoVm,
        "no VM is called \"b-with-16-char\", did you mean \"b-with-16-chars-\"? There are ops, a, b-with-16-chars-",
    );
    linux.fails("start zzz", Exit::NoVm, "no VM is called \"zzz\". There are ops, a, b-with-16-chars-");
    linux.fails("regs 3", Exit::NoVm, "UNKNOWN_VM: no VM has this number; `vms` lists them");
    linux.fails("pause ops", Exit::NotPermitted, "NOT_PERMITTED: not permitted on this VM or this board");
    linux.fails(
        "set a std 2",
        Exit::Refused,
        "UNSUPPORTED: std = 0x2 is not supported here; what is supported is 0x1 (trng)",
    );
    linux.fails(
        "get a 5",
        Exit::Refused,
        "UNKNOWN_REGISTER: no firmware register has this identifier; `regs VM` lists them",
    );
    assert_eq!(linux.ok("logs a"), "", "it has written nothing");
    assert_eq!(linux.json("logs 2"), json!({ "lines": [] }));
    assert_eq!(linux.run("logs nobody").0, Exit::NoVm);
    assert_eq!(linux.run("get a nothing").0, Exit::Usage);
    for line in ["", "strat a", "start", "wait a runing", "wait a running x", "rule a none", "power on", "start a b"] {
        let (exit, out, errors) = linux.run(line);
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""), "{line}");
        assert!(errors.contains("Usage: portcullis") || errors.contains("--help"), "{line}: {errors}");
    }
    assert!(linux.run("strat a").2.contains("'start'"), "the nearest command is offered");
}

#[test]
fn watch_tells_what_changes() {
    let linux = Linux::new();
    let place = linux.place();
    let told = thread::scope(|scope| {
        let others = linux.place_maker();
        scope.spawn(move || {
            let place = others();
            // The first look comes before what is watched for.
            thread::sleep(Duration::from_millis(300));
            assert_eq!(run(&place, "start a --wait 20").0, Exit::Success);
        });
        run(&place, "watch --interval 0.02 --for 3")
    });
    assert_eq!((told.0, told.2.as_str()), (Exit::Success, ""));
    let lines: Vec<&str> = told.1.lines().collect();
    assert_eq!(lines[..3], ["ops: running", "a: created", "b-with-16-chars-: created"]);
    let last = lines[3..].last().copied().unwrap_or_default();
    assert!(last.starts_with("a: ") && last.ends_with("-> running"), "{lines:?}");
    let first = linux.ok("watch --for 0 --json");
    assert_eq!(first.lines().count(), 3, "{first}");
    assert!(first.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{first}");
}

/// Records of events that the hypervisor says: kind, lost, VM with link, value.
fn records(events: &[(u64, u64, u64, u64)]) -> Vec<u8> {
    let record = |&(kind, lost, subject, value): &(u64, u64, u64, u64)| {
        let head = EVENT_SIZE | EVENT_VERSION << 8 | kind << 16 | lost << 32;
        [head, 1000, subject, value].map(u64::to_le_bytes).concat()
    };
    events.iter().flat_map(record).collect()
}

#[test]
fn watch_is_told_by_the_port_of_events() {
    let linux = Linux::new();
    let told = [
        (EVENT_PHASE, 0, 1, PHASE_CREATED | PHASE_RUNNING << 8),
        (EVENT_FAILED, 0, 1, FAILURE_ACCESS | 0x9200_0007 << 32),
        (EVENT_PHASE, 0, 1, PHASE_RUNNING | PHASE_RUNNING << 8 | 1 << 32),
        (EVENT_WATCHDOG, 0, 1, FAILURE_WATCHDOG | 1 << 8),
        (EVENT_LINK, 0, 2 | 7 << 16 | 1 << 32, 1),
        (EVENT_REFUSALS, 0, 0, 4711),
        (99, 0, 0, 5),
        (EVENT_REFUSALS, 3, 0, 200),
    ];
    let bytes = records(&told);
    // They come in parts of records.
    let speak = |mut end: UnixStream| {
        for part in bytes.chunks(13) {
            end.write_all(part).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
    };
    let watch = |line: &str| {
        let end = linux.events();
        let place = linux.place();
        thread::scope(|scope| {
            scope.spawn(|| speak(end));
            run(&place, line)
        })
    };
    let cut = "portcullis: the port was cut off in the middle of a call: `vms` shows whether that was done\n";
    let (exit, out, errors) = watch("watch");
    assert_eq!((exit, errors.as_str()), (Exit::CutOff, cut), "the hypervisor has closed it");
    let expected = "ops: running\na: created\nb-with-16-chars-: created\n\
                    a: created -> running\n\
                    a: fails: access outside memory and devices: vCPU 0, syndrome 0x92000007\n\
                    a: running -> running, 1 restarts\n\
                    a: fails: watchdog: vCPU 1, syndrome 0x0\n\
                    b-with-16-chars-: link 7 is up\n\
                    ops: 4711 calls were refused within a second\n\
                    ops: event 99, 0x5: the hypervisor is newer than this program\n\
                    3 events were lost, as they came too fast\n\
                    ops: 200 calls were refused within a second\n\
                    a: running -> created, 0 restarts\n";
    assert_eq!(out, expected, "in the end it has looked again");
    let (_, out, _) = watch("watch --json");
    let values: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let phase = json!({
        "event": "phase", "vm": "a", "time": 1000, "lost": 0, "before": "created", "state": "running", "progress": "",
        "restarts": 0
    });
    assert_eq!(values[3], phase);
    let link = json!({
        "event": "link", "vm": "b-with-16-chars-", "time": 1000, "lost": 0, "link": "7", "end": 1, "up": true
    });
    assert_eq!(values[7], link);
    // Without anything that happens it ends in time; bytes that are no records are said.
    let end = linux.events();
    assert_eq!(linux.ok("watch --for 0.05").lines().count(), 3);
    drop(end);
    let mut end = linux.events();
    end.write_all(&[7; 64]).unwrap();
    assert_eq!(linux.run("watch").0, Exit::CutOff);
}

#[test]
fn the_machine_goes_off_with_the_port() {
    assert_eq!(Linux::new().ok("power off"), "the machine is switched off\n");
}

/// Whatever is asked, each request has its answer, and that is the one of the interface.
#[test]
fn any_request_is_answered_in_turn() {
    let linux = Linux::new();
    let place = linux.place();
    let mut port = Port::open(&place, &place.lock, Duration::from_secs(5)).unwrap();
    let mut seed = 17_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut succeeded = 0;
    for _ in 0..20_000 {
        let function = match random(8) {
            0 => random(1 << 31) << 17,
            1 => u64::from(BASE) + random(u64::from(COUNT)),
            _ => u64::from(ALL[random(ALL.len() as u64) as usize].1),
        };
        // The machine stays on, and the control VM as it is.
        let moves = (u64::from(START)..=u64::from(RECREATE)).contains(&function);
        if function == u64::from(POWER_OFF) {
            continue;
        }
        let mut argument = || if random(4) == 0 { random(1 << 31) << 33 } else { random(6) };
        let vm = if moves { argument().max(1) } else { argument() };
        let [status, values @ ..] = port.ask([function, vm, argument(), argument()]).unwrap();
        let status = status.cast_signed();
        assert!(STATUSES.iter().any(|(_, known)| *known == status), "{function:#x}: {status}");
        assert!(status == 0 || function == u64::from(BASE) || values == [0; 3], "{function:#x}: {status} {values:x?}");
        succeeded += u32::from(status == 0);
    }
    assert!(succeeded > 1000, "{succeeded}");
}
