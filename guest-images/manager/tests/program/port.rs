//! What can be wrong with the port: each has a line that says what would be right, and its own exit status, and changes nothing.

use std::fs::{self, File};
use std::io;
use std::time::Duration;

use manager::exit::Exit;
use manager::port::Place;
use portcullis_abi::manage::{ABI_VERSION, NOT_SUPPORTED, VERSION, VM_STATE, WRONG_VERSION};

use crate::rig::{Linux, Reply, honest, run};

#[track_caller]
fn fails(place: &Place, line: &str, exit: Exit, error: &str) {
    let (got, out, errors) = run(place, line);
    assert_eq!((got, out.as_str()), (exit, ""), "{errors}");
    assert!(errors.starts_with("portcullis: ") && errors.contains(error), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn there_is_no_port() {
    let linux = Linux::new();
    let mut place = linux.place();
    place.sysfs = linux.folder.path().join("nothing");
    fails(&place, "vms", Exit::Absent, "no port is called \"portcullis\"");
    fs::remove_dir_all(linux.folder.path().join("sys").join("vport1p2")).unwrap();
    fails(&linux.place(), "vms", Exit::Absent, "this is not the control VM");
}

#[test]
fn the_port_cannot_be_opened() {
    let linux = Linux::new();
    let mut place = linux.place();
    place.open = Box::new(|_| Err(io::ErrorKind::PermissionDenied.into()));
    fails(&place, "vms", Exit::Absent, "vport1p2 cannot be opened: permission denied; root can");
    place.open = Box::new(|_| Err(io::ErrorKind::ResourceBusy.into()));
    fails(&place, "vms", Exit::Busy, "vport1p2 is busy: another program has it open");
    fails(&place, "vms --lock /proc/none/lock", Exit::Absent, "/proc/none/lock cannot be locked");
}

#[test]
fn a_vm_has_no_console_at_a_port() {
    let linux = Linux::new();
    fails(&linux.place(), "console a", Exit::Busy, "vport1p4 is busy: another program has it open");
    fails(&linux.place(), "console b-with-16-chars-", Exit::Absent, "no port is called \"console.b-with-16-chars-\"");
    fails(&linux.place(), "console ops", Exit::Usage, "ops is the control VM, where you are; `vms` lists the others");
    fails(&linux.place(), "console aa", Exit::NoVm, "no VM is called \"aa\"");
    fails(&linux.place(), "console 7", Exit::NoVm, "UNKNOWN_VM");
    fails(&linux.place(), "console a --json", Exit::Usage, "console is a terminal, not JSON");
}

#[test]
fn somebody_else_has_the_turn() {
    let linux = Linux::new();
    let file = File::create(linux.folder.path().join("lock")).unwrap();
    file.lock().unwrap();
    fs::write(linux.folder.path().join("lock"), "4711\n").unwrap();
    fails(
        &linux.place(),
        "start a --wait 0.05",
        Exit::Busy,
        "process 4711 has it for more than 0.05 s; --wait waits longer",
    );
    file.unlock().unwrap();
    assert_eq!(linux.ok("vms a --json"), linux.ok("vms a --json --wait 0"));
    assert!(linux.ok("vms a").contains("created"), "nothing was done");
}

#[test]
fn the_port_is_cut_off_in_the_middle() {
    for answers in [
        |machine: &_, request: [u64; 4]| match request[0] {
            function if function == u64::from(VM_STATE) => Reply::Close,
            _ => honest(machine, request),
        },
        |machine: &_, request: [u64; 4]| match request[0] {
            function if function == u64::from(VM_STATE) => Reply::Part(31),
            _ => honest(machine, request),
        },
        |_: &_, _: [u64; 4]| Reply::Part(1),
    ] {
        fails(&Linux::with(answers).place(), "vms", Exit::CutOff, "the port was cut off in the middle of a call");
    }
}

#[test]
fn nobody_answers() {
    let linux = Linux::with(|_, _| Reply::Silence);
    let mut place = linux.place();
    place.patience = Duration::from_millis(20);
    fails(&place, "vms", Exit::CutOff, "the hypervisor did not answer");
}

#[test]
fn the_hypervisor_is_older_newer_or_does_not_let_this_vm() {
    let older = Linux::with(|_, [function, version, ..]| {
        assert_eq!((function, version), (u64::from(VERSION), u64::from(ABI_VERSION)));
        Reply::Answer([WRONG_VERSION.cast_unsigned(), 0x1_0002, 0, 0])
    });
    fails(&older.place(), "vms", Exit::Version, "the hypervisor is older: it speaks version 1.2 of the interface");
    drop(older);
    let newer = Linux::with(|_, _| Reply::Answer([WRONG_VERSION.cast_unsigned(), 0x2_0000, 0, 0]));
    fails(&newer.place(), "start a", Exit::Version, "the hypervisor is newer: it speaks version 2.0 of the interface");
    drop(newer);
    let refused = Linux::with(|_, _| Reply::Answer([NOT_SUPPORTED.cast_unsigned(), 0, 0, 0]));
    fails(&refused.place(), "vms", Exit::NotPermitted, "NOT_SUPPORTED: this is not the control VM");
    drop(refused);
    let unknown = Linux::with(|machine, request| match request[0] {
        function if function == u64::from(VERSION) => honest(machine, request),
        _ => Reply::Answer([(-99_i64).cast_unsigned(), 0, 0, 0]),
    });
    fails(&unknown.place(), "vms", Exit::Refused, "-99: a status that this program does not know");
    drop(unknown);
}
