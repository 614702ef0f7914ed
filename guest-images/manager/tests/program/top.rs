//! The full screen, by the bytes that a terminal gets, which somebody else's code makes a screen of.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use manager::error::Error;
use manager::exit::Exit;
use manager::port::Port;
use manager::top::{self, Key, Screen};
use portcullis_abi::manage::{MACHINE, SYSTEM_COUNTER, UNKNOWN_VM, VM_STATE, VM_VCPU_TIMES};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

use crate::rig::{Linux, Reply, honest, run};

/// What a person does, or the world.
enum Step {
    /// A key.
    Press(Key),
    /// Another program runs meanwhile, and the time to the next look is over.
    Meanwhile(&'static str),
    /// Something else happens meanwhile.
    Then(fn()),
}
use Step::{Meanwhile, Press, Then};

const fn character(character: char) -> Step {
    Press(Key::Character(character))
}

/// A terminal, which is what its bytes make of it.
#[derive(Clone)]
struct Glass(Rc<RefCell<vt100::Parser>>);

impl Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().process(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A screen on which a script is played; then the person leaves.
struct Script<'a> {
    linux: &'a Linux,
    glass: Glass,
    terminal: Terminal<CrosstermBackend<Glass>>,
    steps: VecDeque<Step>,
    shown: Vec<String>,
}

impl Screen for Script<'_> {
    fn draw(&mut self, draw: &mut dyn FnMut(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame))?;
        let contents = self.glass.0.borrow().screen().contents();
        self.shown.push(contents.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
        Ok(())
    }

    fn key(&mut self, _: Duration) -> io::Result<Option<Key>> {
        match self.steps.pop_front() {
            Some(Press(key)) => return Ok(Some(key)),
            Some(Meanwhile(line)) => {
                let (exit, _, errors) = run(&self.linux.place(), line);
                assert_eq!((exit, errors.as_str()), (Exit::Success, ""), "{line}");
            }
            Some(Then(act)) => act(),
            None => return Ok(Some(Key::Character('q'))),
        }
        Ok(None)
    }
}

/// Plays it on a terminal of this size. How it ended, and what was to be seen at first and after each step.
fn play(linux: &Linux, (width, height): (u16, u16), steps: Vec<Step>) -> (Result<(), Error>, Vec<String>) {
    let side = |length| NonZeroU16::new(length).unwrap();
    let glass = Glass(Rc::new(RefCell::new(vt100::Parser::new(side(height), side(width), 0))));
    let viewport = Viewport::Fixed(Rect { x: 0, y: 0, width, height });
    let backend = CrosstermBackend::new(glass.clone());
    let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let mut script = Script { linux, glass, terminal, steps: steps.into(), shown: Vec::new() };
    let place = linux.place();
    let open = || Port::open(&place, &place.lock, Duration::from_millis(50));
    let ended = top::run(&open, &mut script, Duration::from_secs(3600), None);
    (ended, script.shown)
}

/// The same on a serial line, to an end that is none of an error.
#[track_caller]
fn serial(linux: &Linux, steps: Vec<Step>) -> Vec<String> {
    let (ended, shown) = play(linux, (80, 24), steps);
    assert!(ended.is_ok(), "{ended:?}");
    for screen in &shown {
        assert!(screen.lines().all(|line| line.chars().count() <= 80) && screen.lines().count() <= 24, "{screen}");
    }
    shown
}

/// The row of the VM `name`, and the last row.
#[track_caller]
fn row<'a>(screen: &'a str, name: &str) -> &'a str {
    screen
        .lines()
        .find(|line| line.get(3..).is_some_and(|line| line.starts_with(name)))
        .unwrap_or_else(|| panic!("{screen}"))
}

fn last(screen: &str) -> &str {
    screen.trim_end().lines().last().unwrap_or_default()
}

#[test]
fn all_of_it_is_on_a_serial_line() {
    let linux = Linux::new();
    let shown = serial(&linux, vec![Meanwhile("vms"), character('t'), Press(Key::Down), Press(Key::Tab)]);
    let screen = &shown[1];
    assert!(
        screen.starts_with("portcullis top: 3 VMs, 1 running, 4 cores, 12 KiB free; counts per second\n"),
        "{screen}"
    );
    assert!(row(screen, "ops ").starts_with(" 0 ops              running"), "{screen}");
    assert!(row(screen, "b-with-16-chars- ").contains(" created "), "{screen}");
    for word in ["vCPU core state", "stolen", "calls", "allowed", "refused", "exits", "memory", "restarts"] {
        assert!(screen.contains(word), "{word}\n{screen}");
    }
    for name in portcullis_abi::manage::SERVICES.into_iter().chain(portcullis_abi::manage::EXITS) {
        assert!(screen.contains(name), "{name}\n{screen}");
    }
    assert!(last(screen).starts_with("s start p pause") && last(screen).trim_end().ends_with("q quit"), "{screen}");
    assert!(shown[2].contains("counts since creation"), "{}", shown[2]);
    assert!(shown.last().unwrap().contains("It has no links."), "{}", shown.last().unwrap());
}

#[test]
fn keys_start_and_end_vms_and_ask_before_they_end_one() {
    let linux = Linux::new();
    let shown = serial(
        &linux,
        vec![
            Press(Key::Down),
            character('s'),
            character('S'),
            character('n'),
            character('S'),
            character('y'),
            character('p'),
            character('C'),
            character('y'),
            character('?'),
            character('q'),
        ],
    );
    let said: Vec<_> = shown.iter().map(|screen| last(screen)).collect();
    assert!(said.iter().any(|line| line.starts_with("start: a is ")), "{said:#?}");
    assert_eq!(said.iter().filter(|line| **line == "stop a? y: yes, any other key: no").count(), 2, "{said:#?}");
    assert!(said.iter().any(|line| line.starts_with("stop: a is ")), "{said:#?}");
    assert!(said.contains(&"BAD_STATE: a is stopped; pause is for a VM that is running, suspended"), "{said:#?}");
    assert!(said.iter().any(|line| line.starts_with("recreate: a is ")), "{said:#?}");
    let help = shown.iter().find(|screen| screen.contains("Space   looks at once")).unwrap();
    for action in controls::lifecycle::ACTIONS {
        assert!(help.contains(&format!("   {}: {}", action.name, action.about)), "{help}");
    }
    assert!(linux.ok("vms a").contains("created"));
}

/// Whatever becomes of a VM between two looks, no number is shown that is none.
#[test]
fn a_vm_that_is_started_stopped_or_made_anew_meanwhile_says_nothing_wrong() {
    let linux = Linux::new();
    let shown = serial(
        &linux,
        vec![
            Press(Key::Down),
            Meanwhile("start a"),
            Meanwhile("restart a"),
            Meanwhile("stop a"),
            Meanwhile("recreate a"),
            Meanwhile("start a"),
        ],
    );
    let words: Vec<_> = shown.iter().map(|screen| row(screen, "a ").split_whitespace().nth(2).unwrap()).collect();
    for word in ["created", "running", "stopped"] {
        assert!(words.contains(&word), "{words:?}");
    }
    for screen in &shown {
        for line in screen.lines() {
            let shares = line.split_whitespace().filter_map(|word| word.strip_suffix('%'));
            for share in shares {
                assert!((0.0..=100.0).contains(&share.parse::<f64>().unwrap()), "{screen}");
            }
        }
        let state = row(screen, "a ").split_whitespace().nth(2).unwrap();
        assert!(state == "running" || !row(screen, "a ").contains('%'), "{screen}");
    }
}

/// How many VMs there are, as the hypervisor of one test says.
static THERE: AtomicU64 = AtomicU64::new(3);
/// How often it was asked for a time.
static ASKED: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_vm_that_vanishes_is_gone_and_times_are_shares_of_what_passed() {
    let linux = Linux::with(|machine, request| {
        let there = THERE.load(Ordering::Relaxed);
        let asked = |function: u32| request[0] == u64::from(function);
        let Reply::Answer(mut answer) = honest(machine, request) else { return Reply::Close };
        if asked(MACHINE) {
            answer[1] = there;
        } else if asked(SYSTEM_COUNTER) {
            // A second from look to look.
            answer[1] = 1_000_000 * ASKED.fetch_add(1, Ordering::Relaxed);
            answer[3] = 1_000_000;
        } else if request[1] >= there && !asked(portcullis_abi::manage::VERSION) {
            answer = [UNKNOWN_VM.cast_unsigned(), 0, 0, 0];
        } else if asked(VM_VCPU_TIMES) && request[1] == 0 {
            // 400 ms of each second ran, 50 ms were stolen.
            let seconds = ASKED.load(Ordering::Relaxed);
            (answer[1], answer[2]) = (seconds * 400_000_000, seconds * 50_000_000);
        } else if asked(VM_STATE) && request[1] == 2 && ASKED.load(Ordering::Relaxed) > 3 {
            // It goes while the others are still read.
            THERE.store(2, Ordering::Relaxed);
        }
        Reply::Answer(answer)
    });
    let shown = serial(
        &linux,
        vec![Press(Key::Last), Then(|| {}), Then(|| {}), Then(|| THERE.store(1, Ordering::Relaxed)), Then(|| {})],
    );
    let usual = &shown[2];
    let words: Vec<_> = row(usual, "ops ").split_whitespace().collect();
    assert_eq!(words[4..6], ["40.0%", "5.0%"], "{usual}");
    let all = shown.join("\n");
    assert!(all.contains("b-with-16-chars-"), "{all}");
    assert!(shown.iter().any(|screen| last(screen).starts_with("UNKNOWN_VM: ")), "{all}");
    let end = shown.last().unwrap();
    assert!(end.starts_with("portcullis top: 1 VMs") && !end.contains("b-with-16-chars-"), "{end}");
    assert!(end.contains("ops:"), "what is selected is a VM that is there\n{end}");
}

#[test]
fn a_port_that_is_busy_is_said_and_what_was_seen_stays() {
    let linux = Linux::new();
    let lock = std::fs::File::create(linux.folder.path().join("lock")).unwrap();
    static LOCKED: std::sync::Mutex<Option<std::fs::File>> = std::sync::Mutex::new(None);
    *LOCKED.lock().unwrap() = Some(lock);
    let take = || LOCKED.lock().unwrap().as_ref().unwrap().lock().unwrap();
    let give = || LOCKED.lock().unwrap().as_ref().unwrap().unlock().unwrap();
    let shown = serial(&linux, vec![Then(take), Then(give), Press(Key::Resized), Press(Key::Escape)]);
    assert!(last(&shown[1]).starts_with("the port is busy: "), "{}", shown[1]);
    assert!(row(&shown[1], "ops ").contains("running"), "{}", shown[1]);
    assert!(last(shown.last().unwrap()).starts_with("s start"), "{shown:#?}");
    // With no look at all there is nothing to show.
    LOCKED.lock().unwrap().as_ref().unwrap().lock().unwrap();
    assert!(play(&linux, (80, 24), Vec::new()).0.is_err_and(|error| error.exit() == Exit::Busy));
}

/// Whatever the size: from none to more than there is to show.
#[test]
fn any_size_is_drawn() {
    let linux = Linux::new();
    for size in [(1, 1), (3, 2), (20, 5), (40, 12), (79, 23), (80, 36), (200, 60), (500, 3)] {
        let (ended, shown) = play(&linux, size, vec![Press(Key::Tab), Press(Key::Last), character('?'), Then(|| {})]);
        assert!(ended.is_ok() && shown.len() >= 5, "{size:?}");
    }
    let (_, shown) = play(&linux, (100, 40), vec![]);
    assert!(shown[0].contains("It has no links.") && shown[0].contains("exits"), "both pages\n{}", shown[0]);
}

#[test]
fn top_needs_a_terminal_and_has_no_json() {
    let linux = Linux::new();
    linux.fails("top --json", Exit::Usage, "top is a screen, not JSON; `vms --json` and `stats VM --json` are");
    let (exit, out, errors) = linux.run("top --for 1");
    assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
    assert!(errors.starts_with("portcullis: top needs a terminal"), "{errors}");
}
