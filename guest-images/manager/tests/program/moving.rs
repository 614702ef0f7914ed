//! `save`, `load` and `migrate`, when something is wrong: what is said is true of the VM, and says what to do.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use manager::exit::Exit;
use manager::port::Place;
use manager::standard::Standard;
use portcullis_abi::manage::{
    BAD_STATE, BUSY, CLOSED, CORRUPT, GIVE_AWAY, LOAD, NO_ITEM, NO_ROOM, PHASE_GIVEN_AWAY, PHASE_PAUSED, RESTORE,
    RESUME, SAVE, TRANSFER_BY_PORT, TRANSFER_GOES_ON, TRANSFER_LOAD, TRANSFER_REASON, TRANSFER_SAVE, TRANSFER_STATE,
    UNFIT, VM_STATE,
};
use portcullis_core::rig::Machine;

use crate::rig::{Answers, Linux, Reply, honest, run, run_words};

/// Greets back what greets.
const GREETS: &str = "read greeting; echo $greeting; ";

const DONE: Reply = Reply::Answer([0; 4]);

const fn status(status: i64) -> Reply {
    Reply::Answer([status.cast_unsigned(), 0, 0, 0])
}

/// As the hypervisor, for which any VM is movable, and any paused one has been saved as soon as that begins.
fn saves(machine: &Machine, request: [u64; 4]) -> Reply {
    let [function, vm, ..] = request;
    let paused = || machine.call([VM_STATE.into(), vm, 0, 0])[1] & 0xff == PHASE_PAUSED;
    match function as u32 {
        SAVE if paused() => DONE,
        SAVE => status(BAD_STATE),
        GIVE_AWAY => DONE,
        TRANSFER_STATE => Reply::Answer([0, TRANSFER_SAVE | 1 << 8 | TRANSFER_BY_PORT, 0, 0]),
        TRANSFER_REASON => status(NO_ITEM),
        _ => honest(machine, request),
    }
}

/// Hands the running VM a over to a program that does this.
#[track_caller]
fn migrates(answers: Answers, other: &str, exit: Exit, error: &str) {
    let linux = Linux::with(answers);
    linux.ok("start a");
    linux.ok("wait a running");
    let mut data = linux.data();
    let hypervisor = thread::spawn(move || while data.write_all(&[1; 5000]).is_ok() {});
    let (got, out, errors) = run_words(&linux.place(), &["migrate", "a", "--to", other]);
    assert_eq!((errors.as_str(), got, out.as_str()), (format!("portcullis: {error}\n").as_str(), exit, ""));
    hypervisor.join().unwrap();
}

/// As `saves`, with a stream that goes on.
fn streams(machine: &Machine, request: [u64; 4]) -> Reply {
    match request[0] as u32 {
        TRANSFER_STATE => Reply::Answer([0, TRANSFER_SAVE | 1 << 8 | TRANSFER_GOES_ON | TRANSFER_BY_PORT, 0, 0]),
        _ => saves(machine, request),
    }
}

#[test]
fn what_the_other_side_has_said_is_said_however_the_pipe_breaks() {
    let deaf = "read greeting; exec <&-; echo $greeting; ";
    let begin = "a was not moved, and is running here: ";
    let words = "UNFIT: section NEEDS: it needs memory = \"4M\"";
    migrates(streams, &format!("{deaf} echo 'error: {words}'"), Exit::NotMoved, &format!("{begin}{words}"));
    let closed = format!("{begin}the command has ended (exit status: 1) instead of saying \"ready\"");
    migrates(streams, &format!("{deaf} exit 1"), Exit::NotMoved, &closed);
    let linux = Linux::with(streams);
    linux.ok("start a");
    for (command, error) in [
        ("exit 255", "a was not moved, nor paused: the command has ended (exit status: 255) instead of saying"),
        (
            "exec <&-; echo Welcome; exit 127",
            "the command has ended (exit status: 127) instead of saying \"portcullis-moves 1\"; the last that it said: \"Welcome\"",
        ),
        ("kill -9 $$", "the command has ended (signal: 9 (SIGKILL)) instead of"),
        (
            "read greeting; printf \"$greeting\\r\\n\"",
            "a terminal between the two machines, which changes what is sent; ssh does not with -T",
        ),
    ] {
        let (exit, _, errors) = run_words(&linux.place(), &["migrate", "a", "--to", command]);
        assert_eq!((exit, errors.contains(error)), (Exit::NotMoved, true), "{errors}");
    }
}

/// What a profile or a banner writes in front of it is no word of the hand-over.
#[test]
fn what_a_login_says_first_is_passed_over() {
    let other = format!("echo; echo 'Welcome to other'; printf '\\033]0;other\\007'; {GREETS} head -c 4 > /dev/null");
    let error =
        "a was not moved, and is running here: the command has ended (exit status: 0) instead of saying \"ready\"";
    migrates(saves, &other, Exit::NotMoved, error);
}

/// Hands the running VM a over to a program that does this, and that does not end by itself. Returns how it has ended, what was
/// said, and what became of the VM.
fn gives_up(answers: Answers, unsaid: Duration, words: &[&str], other: &str) -> (Exit, String, String) {
    let linux = Linux::with(answers);
    linux.ok("start a");
    linux.ok("wait a running");
    let _data = linux.data();
    let place = Place { unsaid, ..linux.place() };
    let pid = std::process::id();
    let other = other.replace("INTERRUPT", &format!("kill -INT {pid}"));
    let (exit, out, errors) = run_words(&place, &[&["migrate", "a", "--to", &other], words].concat());
    assert_eq!(out, "");
    (exit, errors, linux.ok("vms a"))
}

#[test]
fn whoever_breaks_it_off_finds_the_vm_where_it_was() {
    let (long, taken) = (Duration::from_secs(60), "cat > /dev/null & echo ready; ");
    let broken = |end| format!("portcullis: a was not moved{end}: it was broken off\n");
    for (other, end) in [
        // Before anybody has greeted, and when the pipe has ended by the same key.
        ("sleep 0.2; INTERRUPT; exec sleep 60".to_owned(), ", nor paused"),
        ("exec >&-; sleep 0.2; INTERRUPT; exec sleep 60".to_owned(), ", nor paused"),
        // When all of it has gone.
        (format!("{GREETS} sleep 0.5; INTERRUPT; exec sleep 60"), ", and is running here"),
    ] {
        let (exit, errors, vms) = gives_up(saves, long, &[], &other);
        assert_eq!((exit, errors.as_str()), (Exit::NotMoved, broken(end).as_str()), "{other}");
        assert!(vms.contains("running"), "{vms}");
    }
    // When the same key has ended what reads it.
    let linux = Linux::with(streams);
    linux.ok("start a");
    linux.ok("wait a running");
    let mut data = linux.data();
    let hypervisor = thread::spawn(move || while data.write_all(&[1; 5000]).is_ok() {});
    let other = format!("{GREETS} sleep 0.3; kill -INT {}; kill -INT $$", std::process::id());
    let (exit, _, errors) = run_words(&linux.place(), &["migrate", "a", "--to", &other]);
    assert_eq!((exit, errors.as_str()), (Exit::NotMoved, broken(", and is running here").as_str()));
    hypervisor.join().unwrap();
    drop(linux);
    // Nobody can know any more.
    let (exit, errors, _) =
        gives_up(saves, long, &[], &format!("{GREETS} {taken} sleep 0.5; INTERRUPT; exec sleep 60"));
    assert_eq!(exit, Exit::Elsewhere, "{errors}");
    assert!(errors.contains("whether a runs there is not known (it was broken off): look there first"), "{errors}");
}

/// A pipe whose other end is held, and not read, is one that can be left, too.
#[test]
fn a_side_that_takes_nothing_is_given_up() {
    let linux = Linux::with(streams);
    linux.ok("start a");
    linux.ok("wait a running");
    let mut data = linux.data();
    let hypervisor = thread::spawn(move || while data.write_all(&[1; 5000]).is_ok() {});
    let other = format!("{GREETS} exec sleep 60");
    let place = Place { unsaid: Duration::from_millis(100), ..linux.place() };
    let (exit, _, errors) = run_words(&place, &["migrate", "a", "--to", &other, "--timeout", "0.3"]);
    let said = "portcullis: waiting for the other side to take more of a; here it is paused, and Ctrl-C ends this\n\
                portcullis: a was not moved, and is running here: the other side was silent for 0.3 s; --timeout waits longer\n";
    assert_eq!((exit, errors.as_str()), (Exit::NotMoved, said));
    hypervisor.join().unwrap();
}

#[test]
fn a_side_that_says_nothing_is_given_up_and_before_that_what_is_waited_for_is_said() {
    let (soon, limit) = (Duration::from_millis(100), ["--timeout", "0.6"]);
    let silent = "the other side was silent for 0.6 s; --timeout waits longer";
    let (exit, errors, vms) = gives_up(saves, soon, &limit, &format!("{GREETS} exec sleep 60"));
    let said = format!(
        "portcullis: waiting for the other side to have all of a in place; here it is paused, and Ctrl-C ends this\n\
         portcullis: a was not moved, and is running here: {silent}\n"
    );
    assert_eq!((exit, errors), (Exit::NotMoved, said));
    assert!(vms.contains("running"), "{vms}");
    let quiet = ["--timeout", "0.6", "--quiet"];
    let (_, errors, _) = gives_up(saves, soon, &quiet, &format!("{GREETS} exec sleep 60"));
    assert_eq!(errors, format!("portcullis: a was not moved, and is running here: {silent}\n"));
    let (exit, errors, _) = gives_up(saves, soon, &limit, &format!("{GREETS} echo ready; exec sleep 60"));
    let said = "portcullis: waiting for the other side to say that a runs there; Ctrl-C leaves it given-away here\n\
                portcullis: whether a runs there is not known (the other side was silent for 0.6 s";
    assert!(exit == Exit::Elsewhere && errors.starts_with(said), "{errors}");
    // Somebody may type a password: there is no limit for that.
    let (exit, errors, _) = gives_up(saves, soon, &["--timeout", "0.01"], "sleep 1; exit 3");
    let said = "portcullis: waiting for the other side to answer; a was not touched so far, and Ctrl-C leaves it so\n\
                portcullis: a was not moved, nor paused: the command has ended (exit status: 3)";
    assert!(exit == Exit::NotMoved && errors.starts_with(said), "{errors}");
}

#[test]
fn a_save_that_is_broken_off_leaves_the_vm_running_and_no_file() {
    let linux = Linux::with(streams);
    linux.ok("start a");
    linux.ok("wait a running");
    let mut data = linux.data();
    let hypervisor = thread::spawn(move || {
        let mut sent = 0;
        while data.write_all(&[1; 5000]).is_ok() {
            sent += 1;
            if sent == 100 {
                signal_hook::low_level::raise(signal_hook::consts::SIGINT).unwrap();
            }
        }
    });
    let file = linux.folder.path().join("vm");
    linux.fails(
        &format!("save a {}", file.display()),
        Exit::NotMoved,
        "a was not saved, and is running: it was broken off",
    );
    hypervisor.join().unwrap();
    let left = std::fs::read_dir(linux.folder.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name == "vm" || name.to_string_lossy().ends_with(".tmp")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_restore_that_is_broken_off_says_so() {
    let linux = Linux::with(|machine, request| match request[0] as u32 {
        RESTORE => DONE,
        _ => streams(machine, request),
    });
    let mut data = linux.data();
    let hypervisor = thread::spawn(move || std::io::copy(&mut data, &mut std::io::sink()));
    let pipe = linux.folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let other = thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(pipe).unwrap();
            // More than a pipe holds: it is being read by then.
            pipe.write_all(&[1; 100_000]).unwrap();
            signal_hook::low_level::raise(signal_hook::consts::SIGINT).unwrap();
            pipe
        }
    });
    let restore = format!("restore a {}", pipe.display());
    linux.fails(&restore, Exit::NotMoved, "a was not restored: it was broken off");
    drop(other.join().unwrap());
    hypervisor.join().unwrap().unwrap();
}

#[test]
fn a_saved_vm_is_neither_typed_nor_shown() {
    let linux = Linux::with(saves);
    let standard = Standard { typed: true, shown: true, watched: true };
    for (words, error) in [
        (["save", "a", "-"], "a saved VM is no text for a terminal: `>` puts it into a file, `|` into a program"),
        (
            ["restore", "a", "-"],
            "a saved VM cannot be typed, and no other side of a `migrate` is at a terminal; ssh makes none with -T",
        ),
    ] {
        let (exit, out, errors) = run_words(&Place { standard, ..linux.place() }, &words);
        assert_eq!((exit, out.as_str(), errors), (Exit::Usage, "", format!("portcullis: {error}\n")));
    }
}

#[test]
fn a_vm_that_was_given_away_and_not_moved_is_not_said_to_be_where_it_was() {
    static GIVEN: AtomicBool = AtomicBool::new(false);
    fn loses(machine: &Machine, request: [u64; 4]) -> Reply {
        match request[0] as u32 {
            GIVE_AWAY => {
                GIVEN.store(true, Relaxed);
                Reply::Close
            }
            RESUME => status(BAD_STATE),
            VM_STATE if GIVEN.load(Relaxed) => {
                let mut answer = machine.call(request);
                answer[1] = answer[1] & !0xff | PHASE_GIVEN_AWAY;
                Reply::Answer(answer)
            }
            _ => saves(machine, request),
        }
    }
    let linux = Linux::with(loses);
    linux.ok("start a");
    let _data = linux.data();
    let other = format!("{GREETS} echo ready; cat > /dev/null");
    let (exit, _, errors) = run_words(&linux.place(), &["migrate", "a", "--to", &other]);
    assert_eq!(exit, Exit::Elsewhere, "{errors}");
    assert!(
        errors.starts_with("portcullis: a was not moved (the port was cut off in the middle of a call"),
        "{errors}"
    );
    let end = "; `portcullis resume a --even-if-it-runs-elsewhere` lets it go on\n";
    assert!(
        errors.contains("runs nowhere: it is given-away here; it could not be") && errors.ends_with(end),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

/// As `saves`, but nothing is resumed.
fn stays(machine: &Machine, request: [u64; 4]) -> Reply {
    if request[0] as u32 == RESUME { Reply::Close } else { saves(machine, request) }
}

#[test]
fn a_vm_that_could_not_be_resumed_is_said_to_be_paused() {
    let linux = Linux::with(stays);
    linux.ok("start a");
    let _data = linux.data();
    let (exit, _, errors) =
        run_words(&linux.place(), &["migrate", "a", "--to", &format!("{GREETS} head -c 4 > /dev/null")]);
    let begin = "portcullis: a was not moved, and is paused here: the command has ended (exit status: 0) instead of saying \
                 \"ready\"; it could not be resumed: ";
    assert!(exit == Exit::NotMoved && errors.starts_with(begin), "{exit:?} {errors}");
    drop(linux);
    let linux = Linux::with(|machine, request| match request[0] as u32 {
        SAVE if machine.call([VM_STATE.into(), request[1], 0, 0])[1] & 0xff == PHASE_PAUSED => status(CLOSED),
        _ => stays(machine, request),
    });
    linux.ok("start a");
    let _data = linux.data();
    let file = linux.folder.path().join("vm");
    let (exit, _, errors) = run(&linux.place(), &format!("save a {}", file.display()));
    assert!(exit == Exit::State && errors.contains("; and a could not be resumed: the port was cut off"), "{errors}");
    assert!(!file.exists() && linux.ok("vms a").contains("paused"));
}

#[test]
fn what_is_in_the_way_is_named() {
    let linux = Linux::with(|machine, request| match request[0] as u32 {
        SAVE | LOAD => status(BUSY),
        TRANSFER_STATE => Reply::Answer([0, TRANSFER_LOAD | 2 << 8 | TRANSFER_GOES_ON | TRANSFER_BY_PORT, 7, 0]),
        _ => honest(machine, request),
    });
    let kernel = linux.folder.path().join("kernel");
    std::fs::write(&kernel, [0x14; 4096]).unwrap();
    let load = format!("load a --kernel {}", kernel.display());
    let way = "BUSY: a load of b-with-16-chars- is in progress, and there is one transfer at a time";
    let _data = linux.data();
    linux.fails("save a - --wait 0.02", Exit::InProgress, &format!("{way}; --wait waits longer"));
    let _data = linux.data();
    linux.fails(&load, Exit::InProgress, way);
    drop(linux);
    let linux = Linux::with(|machine, request| match request[0] as u32 {
        SAVE => status(BUSY),
        _ => saves(machine, request),
    });
    let _data = linux.data();
    let way = "BUSY: something else is in progress with a; --wait waits longer";
    linux.fails("save a - --wait 0.02", Exit::InProgress, way);
}

/// What does not fit, or has come as something else, is said in the hypervisor's words.
#[test]
fn what_is_loaded_does_not_fit_or_is_damaged() {
    const REASON: &[u8] = b"a kernel of 4096 bytes";
    fn ends(machine: &Machine, request: [u64; 4], end: i64) -> Reply {
        let [function, position, ..] = request;
        match function as u32 {
            LOAD => DONE,
            TRANSFER_STATE => Reply::Answer([0, TRANSFER_LOAD | 1 << 8 | TRANSFER_BY_PORT, 7, end.cast_unsigned()]),
            TRANSFER_REASON => {
                let Some(rest) = REASON.get(position as usize..).filter(|rest| !rest.is_empty()) else {
                    return status(NO_ITEM);
                };
                let count = rest.len().min(16);
                let mut bytes = [0; 16];
                bytes[..count].copy_from_slice(&rest[..count]);
                let text = u128::from_le_bytes(bytes);
                let next = (position + count as u64) | (count as u64) << 56;
                Reply::Answer([0, next, text as u64, (text >> 64) as u64])
            }
            _ => honest(machine, request),
        }
    }
    let answers: [(Answers, &str); 3] = [
        (|machine, request| ends(machine, request, UNFIT), "UNFIT"),
        (|machine, request| ends(machine, request, NO_ROOM), "NO_ROOM"),
        (|machine, request| ends(machine, request, CORRUPT), "CORRUPT"),
    ];
    for (answers, name) in answers {
        let linux = Linux::with(answers);
        let kernel = linux.folder.path().join("kernel");
        std::fs::write(&kernel, [0x14; 4096]).unwrap();
        let _data = linux.data();
        let error = format!("{name}: a kernel of 4096 bytes");
        linux.fails(&format!("load a --kernel {}", kernel.display()), Exit::Refused, &error);
        assert!(linux.ok("vms a").contains("created"));
    }
}
