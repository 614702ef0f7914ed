//! `save`, `load` and `migrate`, when something is wrong: what is said is true of the VM, and says what to do.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use manager::exit::Exit;
use portcullis_abi::manage::{
    BAD_STATE, BUSY, CLOSED, CORRUPT, GIVE_AWAY, LOAD, NO_ITEM, NO_ROOM, PHASE_GIVEN_AWAY, PHASE_PAUSED, RESUME, SAVE,
    TRANSFER_BY_PORT, TRANSFER_GOES_ON, TRANSFER_LOAD, TRANSFER_REASON, TRANSFER_SAVE, TRANSFER_STATE, UNFIT, VM_STATE,
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
    let closed = format!("{begin}it has closed the pipe instead of saying \"ready\"");
    migrates(streams, &format!("{deaf} exit 1"), Exit::NotMoved, &closed);
    let error = "a was not moved, nor paused: it has closed the pipe instead of saying";
    let linux = Linux::with(streams);
    linux.ok("start a");
    for command in ["exit 127", "exec <&-; exec >&-"] {
        let (exit, _, errors) = run_words(&linux.place(), &["migrate", "a", "--to", command]);
        assert_eq!((exit, errors.contains(error)), (Exit::NotMoved, true), "{errors}");
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
    let begin = "portcullis: a was not moved, and is paused here: it has closed the pipe instead of saying \"ready\"; \
                 it could not be resumed: ";
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
