//! Metrics, read by somebody else's parser of their format, and by HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use manager::exit::Exit;
use manager::metrics::{Reading, Server, address, text};
use manager::port::Port;
use portcullis_abi::manage::{
    AUDIT_LIST, CLOCK_GET, COUNTER, EXITS, LINK, LINK_COUNTER, LINK_END, MACHINE, SERVICES, SYSTEM_COUNTER, VERSION,
    VM_FAILURE, VM_NAME, VM_STATE, VM_VCPU, VM_VCPU_TIMES,
};
use prometheus_parse::{Sample, Scrape, Value};

use crate::rig::{Linux, Reply, honest, run};

fn parse(text: &str) -> Vec<Sample> {
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).unwrap();
    // What the parser could not read it leaves out.
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(scrape.samples.len(), series, "{text}");
    scrape.samples
}

/// The value of the one series with this name and these labels.
#[track_caller]
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |sample: &&Sample| {
        sample.metric == name && labels.iter().all(|(label, value)| sample.labels.get(label) == Some(*value))
    };
    let found: Vec<_> = samples.iter().filter(has).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?}");
    match found[0].value {
        Value::Counter(value) | Value::Gauge(value) => value,
        ref other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn all_that_is_counted_is_there_with_its_type() {
    let linux = Linux::new();
    linux.ok("start a");
    let text = linux.ok("metrics");
    let samples = parse(&text);
    for name in ["portcullis_calls_total", "portcullis_exits_total", "portcullis_vcpu_run_seconds_total"] {
        assert!(
            text.contains(&format!("# TYPE {name} counter\n# "))
                || text.contains(&format!("# TYPE {name} counter\n{name}{{"))
        );
    }
    assert_eq!(value(&samples, "portcullis_cores", &[]), 4.0);
    assert_eq!(value(&samples, "portcullis_free_memory_bytes", &[]), 12345.0);
    assert_eq!(value(&samples, "portcullis_vm_state", &[("vm", "a"), ("state", "running")]), 1.0);
    assert_eq!(value(&samples, "portcullis_vm_state", &[("vm", "a"), ("state", "stopped")]), 0.0);
    assert_eq!(value(&samples, "portcullis_vm_memory_bytes", &[("vm", "b-with-16-chars-")]), f64::from(4 << 20));
    value(
        &samples,
        "portcullis_vcpu_stolen_seconds_total",
        &[("vm", "b-with-16-chars-"), ("vcpu", "1"), ("core", "3")],
    );
    for vm in ["ops", "a", "b-with-16-chars-"] {
        for service in SERVICES {
            for (conduit, verdict) in [("hvc", "answered"), ("smc", "answered"), ("hvc", "refused"), ("smc", "refused")]
            {
                let labels = [("vm", vm), ("service", service), ("conduit", conduit), ("verdict", verdict)];
                value(&samples, "portcullis_calls_total", &labels);
            }
        }
        for cause in EXITS {
            value(&samples, "portcullis_exits_total", &[("vm", vm), ("cause", cause)]);
        }
    }
    // Each metric is told of once, in one piece, whoever reads it.
    let helps: Vec<_> = text.lines().filter(|line| line.starts_with("# HELP")).collect();
    assert!(helps.iter().all(|help| helps.iter().filter(|other| *other == help).count() == 1), "{helps:#?}");
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let linux = Linux::new();
    let file = linux.folder.path().join("portcullis.prom");
    fs::write(&file, "old").unwrap();
    let old = fs::File::open(&file).unwrap();
    assert_eq!(linux.ok(&format!("metrics --out {}", file.display())), "");
    parse(&fs::read_to_string(&file).unwrap());
    // Who had it open reads it as it was.
    let mut before = String::new();
    { old }.read_to_string(&mut before).unwrap();
    assert_eq!(before, "old");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "the collector is another user");
    let names: Vec<_> = fs::read_dir(linux.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("tmp")), "{names:?}");
    let (exit, _, errors) = linux.run("metrics --out /proc/none/x.prom");
    assert_eq!(exit, Exit::Output);
    assert!(errors.starts_with("portcullis: /proc/none/x.prom cannot be written: "), "{errors}");
    assert_eq!(linux.run("metrics --out x --listen 1").0, Exit::Usage);
    assert_eq!(linux.run("metrics --every 1").0, Exit::Usage);
    assert_eq!(linux.run("metrics --listen host").0, Exit::Usage);
    assert_eq!(linux.run("metrics --json").0, Exit::Usage);
}

/// Sends bytes, and returns what comes until the end.
fn ask(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    // The other end may have answered, and gone, before it has all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn whoever_asks_by_http_is_answered_and_changes_nothing() {
    let linux = Linux::with(|machine, request| {
        let reads = [VERSION, MACHINE, VM_NAME, VM_STATE, VM_FAILURE, VM_VCPU, VM_VCPU_TIMES, COUNTER, LINK, LINK_END];
        let more = [LINK_COUNTER, SYSTEM_COUNTER, CLOCK_GET, AUDIT_LIST];
        let is_read = reads.iter().chain(&more).any(|function| request[0] == u64::from(*function));
        assert!(is_read, "{:#x} is asked for", request[0]);
        let Reply::Answer(answer) = honest(machine, request) else { return Reply::Close };
        Reply::Answer(answer)
    });
    let server = Server::listen(address("0").unwrap()).unwrap();
    let to = server.address().unwrap();
    assert!(to.ip().is_loopback());
    let (place, ended) = (linux.place_maker(), &AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(move || {
            let place = place();
            // The machine is the next test's when nobody has its port any more.
            while !ended.load(Ordering::SeqCst) {
                let read = || Reading::read(&mut Port::open(&place, &place.lock, Duration::from_millis(50))?);
                server.answer(&mut || read().map(text).map_err(|error| error.to_string())).unwrap();
            }
        });
        let asked = panic::catch_unwind(AssertUnwindSafe(|| ask_all(&linux, to)));
        ended.store(true, Ordering::SeqCst);
        ask(to, b"");
        asked.unwrap_or_else(|panic| panic::resume_unwind(panic));
    });
}

fn ask_all(linux: &Linux, to: SocketAddr) {
    let answer = ask(to, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    parse(body);
    assert!(ask(to, b"HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
    for (request, status) in [
        (&b"POST /metrics HTTP/1.1\r\n\r\n"[..], "405"),
        (b"GET /start HTTP/1.1\r\n\r\n", "404"),
        (b"\0\0\0\0", "400"),
        (b"GET /metrics HTTP/1.1\r\n", "400"),
        (&[b'a'; 20_000], "400"),
        (b"", "400"),
    ] {
        let answer = ask(to, request);
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    // Who goes away without a word ends nothing.
    drop(TcpStream::connect(to).unwrap());
    let lock = fs::File::open(linux.folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let busy = ask(to, b"GET /metrics HTTP/1.1\r\n\r\n");
    assert!(busy.starts_with("HTTP/1.1 503 ") && busy.contains("the port is busy"), "{busy}");
    lock.unlock().unwrap();
    assert!(ask(to, b"GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
}

/// Two controls at once: one that tells what happens, and one that counts again and again. Neither has an error, and each command
/// beside them has its turn.
#[test]
fn metrics_and_watch_stand_beside_each_other_and_beside_commands() {
    let linux = Linux::new();
    let file = linux.folder.path().join("portcullis.prom");
    let counts = format!("metrics --out {} --wait 20", file.display());
    thread::scope(|scope| {
        let (watches, measures) = (linux.place_maker(), linux.place_maker());
        let watch = scope.spawn(move || run(&watches(), "watch --interval 0.02 --for 2 --wait 20"));
        let metrics = scope.spawn(move || {
            let place = measures();
            (0..20).map(|_| run(&place, &counts)).collect::<Vec<_>>()
        });
        for command in ["start a", "pause a", "resume a", "stop a"] {
            assert_eq!(linux.run(&format!("{command} --wait 20")).0, Exit::Success, "{command}");
            thread::sleep(Duration::from_millis(50));
        }
        for (exit, _, errors) in metrics.join().unwrap() {
            assert_eq!((exit, errors.as_str()), (Exit::Success, ""));
        }
        let (exit, told, errors) = watch.join().unwrap();
        assert_eq!((exit, errors.as_str()), (Exit::Success, ""));
        assert!(told.contains("-> stopped"), "{told}");
    });
    let text = fs::read_to_string(&file).unwrap();
    assert!(!parse(&text).is_empty());
}
