//! Another VM's console, on a terminal of the kernel's whose other end is the test.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use manager::exit::Exit;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::rig::{Linux, run};

/// A person at a terminal, who is attached to VM a.
struct Person {
    /// The person's end of the terminal, and the program's, whose settings are looked at.
    glass: File,
    terminal: File,
    vm: UnixStream,
    program: JoinHandle<(Exit, String, String)>,
}

fn terminal() -> (File, File) {
    let glass = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&glass).unwrap();
    unlockpt(&glass).unwrap();
    let name = ptsname(&glass, Vec::new()).unwrap();
    let terminal = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (File::from(glass), File::from(terminal))
}

impl Person {
    /// Attaches with these words behind the command.
    fn attach(linux: &Linux, words: &str) -> Self {
        let (glass, terminal) = terminal();
        let vm = linux.console(terminal.try_clone().unwrap(), terminal.try_clone().unwrap());
        let (place, line) = (linux.place_maker(), format!("console a {words}"));
        let program = thread::spawn(move || run(&place(), &line));
        Self { glass, terminal, vm, program }
    }

    /// What is seen up to this.
    fn sees(&mut self, end: &str) -> String {
        let (mut seen, mut byte) = (Vec::new(), [0]);
        while !seen.ends_with(end.as_bytes()) {
            self.glass.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        String::from_utf8(seen).unwrap()
    }

    fn types(&mut self, keys: &[u8]) {
        self.glass.write_all(keys).unwrap();
    }

    /// The VM hears exactly this next.
    fn heard(&mut self, keys: &[u8]) {
        let mut heard = vec![0; keys.len()];
        self.vm.read_exact(&mut heard).unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(keys));
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal)
            .unwrap()
            .local_modes
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// How the program ends. The terminal is as it was before.
    fn ends(self) -> (Exit, String) {
        let Self { program, terminal, glass, .. } = self;
        // The program waits for nobody to look at what it says at last.
        let looks = thread::spawn(move || {
            let (mut glass, mut seen) = (glass, [0; 4096]);
            while glass.read(&mut seen).is_ok_and(|count| count != 0) {}
        });
        let (exit, out, errors) = program.join().unwrap();
        assert_eq!(out, "");
        let modes = tcgetattr(&terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
        drop(terminal);
        looks.join().unwrap();
        (exit, errors)
    }
}

#[test]
fn a_person_sees_what_the_vm_writes_and_types_for_it() {
    let linux = Linux::new();
    let mut person = Person::attach(&linux, "");
    let said = person.sees("helps\r\n");
    assert_eq!(said, "\r\nportcullis: attached to a, which is created; Ctrl-\\ then d detaches, ? helps\r\n");
    assert!(said.trim().len() <= 80, "it has a line of its own on a serial line");
    assert!(person.is_raw());
    person.vm.write_all(b"login: \xc3\xa4\x1b[1m").unwrap();
    assert_eq!(person.sees("\x1b[1m"), "login: \u{e4}\x1b[1m");
    // Ctrl-C is the VM's.
    person.types(b"root\r\x03");
    person.heard(b"root\r\x03");
    person.types(b"\x1c?");
    assert_eq!(person.sees("VM\r\n"), "\r\nportcullis: Ctrl-\\ then d detaches, Ctrl-\\ twice sends it to the VM\r\n");
    // Other commands have their turns meanwhile.
    assert_eq!(linux.ok("get a std --wait 1"), "std = 0x1 (trng)\n");
    person.types(b"\x1c\x1cx");
    person.heard(b"\x1cx");
    person.types(b"\x1cd");
    assert_eq!(person.ends(), (Exit::Success, "portcullis: detached from a\n".to_owned()));
}

#[test]
fn another_key_detaches_and_nothing_is_said_quietly() {
    let linux = Linux::new();
    let mut person = Person::attach(&linux, "--escape ^T --quiet");
    person.vm.write_all(b"$ ").unwrap();
    assert_eq!(person.sees("$ "), "$ ");
    person.types(b"\x1cd\x14d");
    person.heard(b"\x1cd");
    assert_eq!(person.ends(), (Exit::Success, String::new()));
}

#[test]
fn it_ends_with_the_vm_whose_last_words_are_shown() {
    let linux = Linux::new();
    linux.ok("start a");
    let mut person = Person::attach(&linux, "");
    person.sees("a, which is running; Ctrl-\\ then d detaches, ? helps\r\n");
    linux.ok("stop a");
    person.vm.write_all(b"last words").unwrap();
    person.sees("last words");
    assert_eq!(person.ends(), (Exit::State, "portcullis: a is stopped\n".to_owned()));
}

#[test]
fn it_ends_with_the_port_and_with_its_time() {
    let linux = Linux::new();
    let mut person = Person::attach(&linux, "");
    person.sees("helps\r\n");
    person.vm.write_all(b"bye").unwrap();
    person.vm.shutdown(std::net::Shutdown::Both).unwrap();
    person.sees("bye");
    let gone = "portcullis: the port console.a is closed from the other side: its driver was taken down, or the machine ends\n";
    assert_eq!(person.ends(), (Exit::CutOff, gone.to_owned()));
    let mut person = Person::attach(&linux, "--for 0.3");
    person.sees("helps\r\n");
    assert_eq!(person.ends(), (Exit::Success, "portcullis: detached from a\n".to_owned()));
}

/// Whoever is at the other end of the terminal goes: the line hangs up.
#[test]
fn it_ends_with_the_terminal() {
    let linux = Linux::new();
    let mut person = Person::attach(&linux, "");
    person.sees("helps\r\n");
    let Person { glass, program, .. } = person;
    drop(glass);
    assert!(matches!(program.join().unwrap().0, Exit::Success | Exit::Output));
}

/// Pipes have no keys: what comes is typed, and waits for a VM that does not read.
#[test]
fn a_script_has_pipes() {
    let linux = Linux::new();
    let folder = linux.folder.path();
    let typed: Vec<u8> = (0..2 << 20).map(|n: u32| (n % 253) as u8).collect();
    std::fs::write(folder.join("typed"), &typed).unwrap();
    let shown = File::create(folder.join("shown")).unwrap();
    let typing = File::open(folder.join("typed")).unwrap();
    let mut vm = linux.console(typing, shown);
    let place = linux.place_maker();
    let program = thread::spawn(move || run(&place(), "console a --for 4"));
    vm.write_all(b"a prompt").unwrap();
    let mut heard = vec![0; typed.len()];
    thread::sleep(Duration::from_millis(300));
    vm.read_exact(&mut heard).unwrap();
    assert!(heard == typed, "all of it, and the escape key too");
    let (exit, _, errors) = program.join().unwrap();
    assert_eq!((exit, errors.as_str()), (Exit::Success, "portcullis: detached from a\n"));
    assert_eq!(std::fs::read(folder.join("shown")).unwrap(), b"a prompt");
}
