//! One run of QEMU: the process, the terminal, and what the console says.

pub mod lines;
pub mod report;
pub mod rows;
pub mod script;
pub mod summary;
pub mod terminal;

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Signal, set_parent_process_death_signal};

use lines::Lines;
pub use lines::Next;
use script::Step;

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// The machine powered itself off.
    PowerOff,
    /// QEMU ended with an error of its own, or was killed.
    Broken(ExitStatus),
    /// The time was up.
    Timeout,
    /// Whoever watches has seen enough.
    Stopped,
}

/// Receives what the machine writes to its console.
pub trait Watcher {
    /// Bytes as they come.
    fn bytes(&mut self, bytes: &[u8]);

    /// A complete line, without its end.
    fn line(&mut self, line: &str) -> Next;

    /// The last line, which goes on: this is all of it now.
    fn longer(&mut self, line: &str) -> Next;
}

/// Where the machine's console gets its input from.
#[derive(Clone, Copy, Debug)]
pub enum Keyboard {
    /// Nowhere.
    None,
    /// The standard input of this process.
    Person,
    /// A script.
    Script(&'static [Step]),
}

enum Event {
    Output(Vec<u8>),
    OutputEnded,
}

/// Runs QEMU until it ends or the time is up, with `keyboard` at its console.
///
/// # Errors
///
/// QEMU could not be started.
pub fn run(mut qemu: Command, keyboard: Keyboard, timeout: Option<Duration>, watcher: &mut dyn Watcher) -> Result<End> {
    qemu.stdin(if matches!(keyboard, Keyboard::None) { Stdio::null() } else { Stdio::piped() }).stdout(Stdio::piped());
    end_with_parent(&mut qemu);
    let mut child = qemu.spawn().with_context(|| format!("{} could not be started", qemu.get_program().display()))?;
    let (sender, events) = mpsc::channel();
    let mut output = child.stdout.take().context("QEMU has no output")?;
    thread::spawn(move || pump(&mut output, &sender));
    let mut player = None;
    match (child.stdin.take(), keyboard) {
        (Some(input), Keyboard::Script(steps)) => player = Some(script::play(steps, input)),
        // Ends with the process: there is no way to call a read of the terminal back.
        (Some(input), _) => _ = thread::spawn(move || copy_keys(input)),
        (None, _) => {}
    }

    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut lines = Lines::default();
    let mut last = String::new();
    loop {
        let event = match deadline {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(deadline) => events.recv_timeout(deadline.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(Event::Output(bytes)) => {
                watcher.bytes(&bytes);
                if let Some(player) = &player {
                    // One that has come to its end listens no more.
                    _ = player.send(bytes.clone());
                }
                let next = lines.push(&bytes, |row| take_row(&mut last, row, watcher));
                if next == Next::Stop {
                    return end(child).map(|_| End::Stopped);
                }
            }
            Err(RecvTimeoutError::Timeout) => return end(child).map(|_| End::Timeout),
            Ok(Event::OutputEnded) | Err(RecvTimeoutError::Disconnected) => {
                lines.finish(|row| take_row(&mut last, row, watcher));
                let status = child.wait()?;
                return Ok(if status.success() { End::PowerOff } else { End::Broken(status) });
            }
        }
    }
}

/// Gives the watcher a row: a line, or more of the last one.
fn take_row(last: &mut String, row: &str, watcher: &mut dyn Watcher) -> Next {
    match rows::continuation(row) {
        Some(more) => {
            last.push_str(more);
            watcher.longer(last)
        }
        None => {
            row.clone_into(last);
            watcher.line(last)
        }
    }
}

/// Ends the program with this process: a QEMU whose starter dies would run on forever, and a make would go on writing.
pub fn end_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: between fork and exec only one system call is made; nothing is allocated and no lock is taken.
    unsafe {
        command.pre_exec(|| set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from));
    }
}

fn end(mut child: Child) -> Result<ExitStatus> {
    child.kill()?;
    Ok(child.wait()?)
}

fn pump(output: &mut dyn Read, sender: &Sender<Event>) {
    let mut buffer = [0; 4096];
    loop {
        let event = match output.read(&mut buffer) {
            Ok(0) => Event::OutputEnded,
            Ok(length) => Event::Output(buffer[..length].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => Event::OutputEnded,
        };
        let ended = matches!(event, Event::OutputEnded);
        if sender.send(event).is_err() || ended {
            return;
        }
    }
}

/// Every key goes to the machine as it is.
fn copy_keys(mut input: impl Write) {
    let mut keys = io::stdin().lock();
    let mut buffer = [0; 256];
    while let Ok(length @ 1..) = keys.read(&mut buffer) {
        if input.write_all(&buffer[..length]).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Log {
        lines: Vec<String>,
        stop_at: Option<&'static str>,
    }

    impl Watcher for Log {
        fn bytes(&mut self, _: &[u8]) {}

        fn line(&mut self, line: &str) -> Next {
            self.lines.push(line.to_owned());
            if self.stop_at == Some(line) { Next::Stop } else { Next::Continue }
        }

        fn longer(&mut self, line: &str) -> Next {
            self.lines.pop();
            self.line(line)
        }
    }

    fn shell(script: &str, timeout: Duration, log: &mut Log) -> End {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, Keyboard::None, Some(timeout), log).unwrap()
    }

    #[test]
    fn ends_are_told_apart() {
        let long = Duration::from_secs(60);
        let mut log = Log::default();
        assert!(matches!(shell("echo one; printf two", long, &mut log), End::PowerOff));
        assert_eq!(log.lines, ["one", "two"]);
        assert!(matches!(shell("exit 3", long, &mut log), End::Broken(status) if status.code() == Some(3)));
        assert!(matches!(shell("echo x; exec sleep 60", Duration::from_millis(200), &mut log), End::Timeout));
        let mut log = Log { stop_at: Some("here"), ..Log::default() };
        assert!(matches!(shell("echo here; exec sleep 60", long, &mut log), End::Stopped));
    }

    #[test]
    fn a_script_types_when_its_turn_has_come() {
        const STEPS: &[Step] = &[
            Step::Wait("name?"),
            Step::Type("x\n"),
            Step::Wait("lines?"),
            Step::Lines { before: "n", numbers: 8..11, rate: None },
        ];
        let mut command = Command::new("sh");
        let program = "printf name?; read name; echo; printf lines?; read a; read b; read c; echo; echo $name $a $b $c";
        command.args(["-c", program]);
        let mut log = Log::default();
        let end = run(command, Keyboard::Script(STEPS), Some(Duration::from_secs(60)), &mut log).unwrap();
        assert!(matches!(end, End::PowerOff), "{end:?}");
        assert_eq!(log.lines, ["name?", "lines?", "x n0000008 n0000009 n0000010"]);
    }

    #[test]
    fn broken_lines_are_put_together() {
        let mut log = Log::default();
        shell(r"printf 'portcullis: a \nportcullis> b\n[x] c\n[x]> d'", Duration::from_secs(60), &mut log);
        assert_eq!(log.lines, ["portcullis: a b", "[x] cd"]);
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let error = run(Command::new("/nonexistent/qemu"), Keyboard::None, None, &mut Log::default()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/qemu"));
    }
}
