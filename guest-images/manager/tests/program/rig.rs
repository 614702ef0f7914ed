//! The port with the hypervisor's own code at its other end: a socket in the place of the device, and what is asked there is
//! answered by the machine of core's tests.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use manager::command;
use manager::console::Terminal;
use manager::exit::Exit;
use manager::port::Place;
use manager::standard::Standard;
use portcullis_abi::manage::POWER_OFF;
use portcullis_core::rig::Machine;
use serde_json::Value;
use tempfile::TempDir;

/// What the other end does with a request.
pub enum Reply {
    /// Answers.
    Answer([u64; 4]),
    /// Answers with so many bytes, then closes.
    Part(usize),
    /// Nothing.
    Silence,
    /// Closes.
    Close,
}

/// What the hypervisor would say, or something else.
pub type Answers = fn(&Machine, [u64; 4]) -> Reply;

/// As the hypervisor does.
pub fn honest(machine: &Machine, request: [u64; 4]) -> Reply {
    if request[0] == u64::from(POWER_OFF) {
        return Reply::Close;
    }
    let answer = machine.call(request);
    machine.settle();
    Reply::Answer(answer)
}

/// The control VM's kernel, as far as the program sees it. A test has one at a time.
pub struct Linux {
    pub folder: TempDir,
    ends: Sender<UnixStream>,
    /// What a program opens that reads events, if nobody reads them yet.
    events: Arc<Mutex<Option<UnixStream>>>,
    /// The same of one that moves data.
    data: Arc<Mutex<Option<UnixStream>>>,
    /// The same of one that has VM a's console, and its terminal.
    console: Arc<Mutex<Option<UnixStream>>>,
    terminal: Arc<Mutex<Option<[File; 2]>>>,
}

impl Linux {
    /// With the hypervisor at the port.
    pub fn new() -> Self {
        Self::with(honest)
    }

    /// With something else there. Ports of other names come before and behind it.
    pub fn with(answers: Answers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (port, name) in [
            ("vport1p1", "to-b"),
            ("vport1p2", "portcullis"),
            ("vport1p3", "portcullis.events"),
            ("vport1p4", "console.a"),
            ("vport1p5", "portcullis.data"),
        ] {
            let sysfs = folder.path().join("sys").join(port);
            fs::create_dir_all(&sysfs).unwrap();
            fs::write(sysfs.join("name"), format!("{name}\n")).unwrap();
        }
        fs::create_dir(folder.path().join("sys").join("vport0p0")).unwrap();
        let (ends, opened) = channel::<UnixStream>();
        let (ready, its_turn) = channel();
        thread::spawn(move || {
            let machine = Machine::new();
            ready.send(()).unwrap();
            for mut end in opened {
                // An error is the program's closing.
                let _ = serve(&machine, &mut end, answers);
            }
        });
        // There is one machine, and another test may have it.
        its_turn.recv().unwrap();
        let (events, data) = (Arc::default(), Arc::default());
        Self { folder, ends, events, data, console: Arc::default(), terminal: Arc::default() }
    }

    /// Where the program looks.
    pub fn place(&self) -> Place {
        self.place_maker()()
    }

    /// The same, for another thread.
    pub fn place_maker(&self) -> impl Fn() -> Place + Send + 'static {
        let (ends, root) = (self.ends.clone(), self.folder.path().to_owned());
        let (events, data) = (self.events.clone(), self.data.clone());
        let (console, terminal) = (self.console.clone(), self.terminal.clone());
        move || {
            let (ends, node) = (ends.clone(), root.join("dev").join("vport1p2"));
            let (events, data) = (events.clone(), data.clone());
            let (console, terminal) = (console.clone(), terminal.clone());
            Place {
                sysfs: root.join("sys"),
                nodes: root.join("dev"),
                lock: root.join("lock"),
                patience: Duration::from_secs(60),
                open: Box::new(move |path| {
                    for (port, end) in [("vport1p3", &events), ("vport1p4", &console), ("vport1p5", &data)] {
                        if path.ends_with(port) {
                            let end = end.lock().unwrap().take();
                            return Ok(OwnedFd::from(end.ok_or(io::ErrorKind::ResourceBusy)?).into());
                        }
                    }
                    assert_eq!(path, node);
                    let (ours, theirs) = UnixStream::pair()?;
                    ends.send(theirs).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
                    Ok(OwnedFd::from(ours).into())
                }),
                terminal: Box::new(move || {
                    let [input, output] = terminal.lock().unwrap().take().ok_or(io::ErrorKind::NotFound)?;
                    Terminal::of(input, output)
                }),
                standard: Standard::default(),
                unsaid: Duration::from_secs(60),
            }
        }
    }

    /// The hypervisor's end of the port of events, which the next program that wants to reads.
    pub fn events(&self) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        *self.events.lock().unwrap() = Some(theirs);
        ours
    }

    /// The hypervisor's end of the port of data, which the next program that wants to opens.
    pub fn data(&self) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        *self.data.lock().unwrap() = Some(theirs);
        ours
    }

    /// The hypervisor's end of the port of VM a's console, which the next program that wants to opens, with this input and output.
    pub fn console(&self, input: File, output: File) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        *self.console.lock().unwrap() = Some(theirs);
        *self.terminal.lock().unwrap() = Some([input, output]);
        ours
    }

    /// Runs the program. Returns its exit status, output and errors.
    pub fn run(&self, line: &str) -> (Exit, String, String) {
        run(&self.place(), line)
    }

    /// Runs a command that succeeds, and returns its output.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        let (exit, out, errors) = self.run(line);
        assert_eq!((exit, errors.as_str()), (Exit::Success, ""), "{line}");
        out
    }

    /// Runs a command that succeeds, and returns its output as JSON.
    #[track_caller]
    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("{line} --json"))).unwrap()
    }

    /// Runs a command that fails and prints nothing but why, in a line.
    #[track_caller]
    pub fn fails(&self, line: &str, exit: Exit, error: &str) {
        let (got, out, errors) = self.run(line);
        assert_eq!((got, out.as_str()), (exit, ""), "{line}: {errors}");
        assert_eq!(errors, format!("portcullis: {error}\n"), "{line}");
    }
}

/// Runs the program with the words of a line.
pub fn run(place: &Place, line: &str) -> (Exit, String, String) {
    let words: Vec<&str> = line.split_whitespace().collect();
    run_words(place, &words)
}

/// Runs the program.
pub fn run_words(place: &Place, words: &[&str]) -> (Exit, String, String) {
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let words = ["portcullis"].iter().chain(words).map(Into::into);
    let exit = command::run(words, place, &mut out, &mut errors);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
}

fn serve(machine: &Machine, end: &mut UnixStream, answers: Answers) -> io::Result<()> {
    let bytes_of = |answer: [u64; 4]| answer.map(u64::to_le_bytes).concat();
    loop {
        let mut request = [0; 32];
        end.read_exact(&mut request)?;
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(request.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap());
        }
        match answers(machine, words) {
            Reply::Answer(answer) => end.write_all(&bytes_of(answer))?,
            Reply::Part(length) => return end.write_all(&[0; 32][..length]),
            Reply::Silence => {}
            Reply::Close => return Ok(()),
        }
    }
}
