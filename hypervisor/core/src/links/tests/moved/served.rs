//! A disk that another VM serves, when the VM that has it moves, and when that moves which serves it.

use portcullis_abi::manage::*;
use portcullis_bundle::VmConfig;
use portcullis_bundle::links::{Disk, Export, Source};
use portcullis_vgic::GicVersion;

use super::{comes_back, moved_away};
use crate::life::tests::mover::*;
use crate::links::tests::disk::{IN, OK, OUT};
use crate::links::tests::guest::Guest;
use crate::links::tests::ports::{OPEN, message};
use crate::links::tests::serial::with_console;
use crate::links::tests::served::{Manner, SIZE, Serving, TICKS, TIMEOUT, ask, status};
use crate::tests::rig::{Rig, vm};

fn config(server: usize, client: usize) -> [Disk<'static>; 1] {
    let export = Export { server, size: SIZE as u64, read_only: false, name: "", timeout: TIMEOUT };
    [Disk { name: "far", vm: client, slot: 3, block: 512, source: Source::Served(export) }]
}

/// A control VM, a movable VM with the disk, and one that serves it.
fn moves_client() -> (Rig, Serving, Guest) {
    let vms = [vm("ops", &[0]), movable("client", &[1]), with_console("server", 2)];
    let rig = Rig::with_disks(GicVersion::V3, &vms, &config(2, 1));
    rig.settle();
    let serving = Serving::in_vm(&rig, 2, 2, Manner::good());
    let mut guest = Guest::new(1, 1, 3);
    guest.begin(&rig, 0, &[128]);
    (rig, serving, guest)
}

#[test]
fn requests_that_the_server_has_come_to_their_end_first() {
    let (rig, mut serving, mut guest) = moves_client();
    serving.open(&rig);
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, OUT, 4, &[0x5a; 1024], 0);
    pause(&rig);
    ok(&rig, SAVE, [A, 0, 0]);
    let [_, bytes, progress, _] = ok(&rig, TRANSFER, [BUFFER, 4096, 0]);
    assert_eq!((bytes, progress), (0, TRANSFER_MORE), "it waits for the server");
    serving.settle(&rig);
    let [_, bytes, ..] = ok(&rig, TRANSFER, [BUFFER, 4096, 0]);
    assert!(bytes > 0);
    ok(&rig, TRANSFER_END, [0; 3]);
    let stream = save(&rig, LENGTH);
    recreate(&rig);
    comes_back(&rig, &stream);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK), "it was answered before it moved");
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, IN, 4, &[], 1024);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    assert_eq!(guest.bytes(&rig, places[0], 1024), [0x5a; 1024]);
}

#[test]
fn a_server_that_does_not_answer_keeps_the_vm_where_it_is() {
    let (rig, mut serving, mut guest) = moves_client();
    serving.open(&rig);
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    pause(&rig);
    ok(&rig, SAVE, [A, 0, 0]);
    assert_eq!(ok(&rig, TRANSFER, [BUFFER, 4096, 0])[1..3], [0, TRANSFER_MORE]);
    rig.advance(TICKS + 1);
    let _ = rig.parts.line.take_shown();
    assert_eq!(status_of(&rig, TRANSFER, [BUFFER, 4096, 0]), UNFIT);
    let said = rig.parts.line.take_shown().replace("\r\nportcullis> ", "");
    assert!(said.contains("not saved: disk far has requests that its server does not answer"), "{said}");
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK), "no time has passed for it");
}

fn status_of(rig: &Rig, function: u32, arguments: [u64; 3]) -> i64 {
    crate::life::tests::mover::status(rig, function, arguments)
}

#[test]
fn who_serves_is_cut_and_connected_anew() {
    let server = VmConfig { console: Some(0), ..movable("server", &[1]) };
    let rig = Rig::with_disks(GicVersion::V3, &[vm("ops", &[0]), server, vm("client", &[2])], &config(1, 2));
    rig.settle();
    let mut serving = Serving::in_vm(&rig, 1, 1, Manner::good());
    let mut guest = Guest::new(2, 2, 3);
    guest.begin(&rig, 0, &[128]);
    serving.open(&rig);
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, IN, 1, &[], 512);
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    assert_eq!(serving.ports.hear(&rig), [message(0, OPEN, 0)], "the connection is over");
    serving.close(&rig);
    rig.settle();
    assert_eq!(serving.ports.hear(&rig), [message(0, OPEN, 1)]);
    let store = serving.server.store.clone();
    let mut again = Serving::again(serving, store);
    again.open(&rig);
    again.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK), "what was asked is asked again");
    assert!(guest.bytes(&rig, places[0], 512) == again.server.store[512..1024]);
}
