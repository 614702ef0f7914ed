//! QEMU's monitor, by the protocol QMP (QEMU's docs/interop/qmp-spec): a VM is stopped and saved to a pipe.

use std::io::{self, BufRead, BufReader, Error, Write};
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use peer_links::Work;

use crate::mark;

/// Where `host` has QEMU's monitor.
const SOCKET: &str = "/tmp/monitor";

struct Monitor {
    lines: BufReader<UnixStream>,
}

impl Monitor {
    fn open() -> io::Result<Self> {
        let mut monitor = Self { lines: BufReader::new(UnixStream::connect(SOCKET)?) };
        monitor.until("\"QMP\"")?;
        Ok(monitor)
    }

    /// Reads on until a line has these words.
    fn until(&mut self, words: &str) -> io::Result<()> {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(Error::other(format!("the monitor ended before {words}")));
            }
            if line.contains("\"error\"") || line.contains("\"failed\"") {
                return Err(Error::other(line));
            }
        }
        Ok(())
    }

    /// Asks for something, until a line has these words.
    fn ask(&mut self, request: &str, words: &str) -> io::Result<()> {
        self.lines.get_mut().write_all(format!("{request}\n").as_bytes())?;
        self.until(words)
    }
}

/// Saves the VM, from the request until all of it went into a pipe whose other end drops it.
pub fn save() -> io::Result<()> {
    let mut monitor = Monitor::open()?;
    let events =
        r#"{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"events","state":true}]}}"#;
    let fast = r#"{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":100000000000}}"#;
    for request in [r#"{"execute":"qmp_capabilities"}"#, events, fast] {
        monitor.ask(request, "\"return\"")?;
    }
    let monitor = std::cell::RefCell::new(monitor);
    let ask = |request, words| {
        if let Err(error) = monitor.borrow_mut().ask(request, words) {
            println!("links: FAILED: {error}");
        }
    };
    // A VM that was saved has to go on before it can be saved again.
    let before = || {
        ask(r#"{"execute":"cont"}"#, "\"return\"");
        sleep(Duration::from_millis(100));
        ask(r#"{"execute":"stop"}"#, "\"return\"");
        sleep(Duration::from_secs(1));
    };
    let work = || ask(r#"{"execute":"migrate","arguments":{"uri":"exec:cat>/dev/null"}}"#, "\"completed\"");
    // QEMU has more to do for it behind the event, and refuses to let the VM go on before that.
    let after = || sleep(Duration::from_secs(1));
    mark::test::<{ mark::of(Work::Save) }>(before, work, after);
    ask(r#"{"execute":"quit"}"#, "\"return\"");
    Ok(())
}
