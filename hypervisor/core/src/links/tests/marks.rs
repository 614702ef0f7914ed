//! Work that comes while somebody has a link at rest, to set it up or to look at it: it is done when that one is gone, though
//! nobody asks for it again.

use portcullis_links::serial::Side;

use super::disk::{self, IN, OK, header};
use super::guest::{Guest, mac};
use super::{network, serial, served};
use crate::tests::rig::Rig;

/// Who has a link at rest, on core 0, has it no more.
fn let_go(rig: &Rig, busy: impl Sized) {
    rig.at(0, || drop(busy));
    rig.settle();
}

/// Asks for a sector, and notifies the device while its disk is at rest.
fn ask_busy(rig: &Rig, guest: &mut Guest) -> Vec<u64> {
    let places = guest.ask(rig, 0, &[&header(IN, 0)], &[512, 1]);
    let busy = rig.machine.links.disks()[0].busy();
    guest.notify(rig, 0);
    rig.settle();
    assert!(guest.used(rig, 0).is_empty(), "somebody has the disk");
    let_go(rig, busy);
    places
}

#[test]
fn frames_that_came_meanwhile_are_sent() {
    let (rig, mut guests) = network::machine(3, 8);
    let frames: Vec<Vec<u8>> = (0..2).map(|from| guests[from].frame(mac(2), 60)).collect();
    for (guest, frame) in guests.iter_mut().zip(&frames) {
        guest.give(&rig, 1, &[frame]);
    }
    let busy = rig.machine.links.networks()[0].busy();
    guests[..2].iter().for_each(|guest| guest.notify(&rig, 1));
    let_go(&rig, busy);
    assert_eq!(guests[2].used(&rig, 0).len(), 2);
    assert_eq!([0, 1].map(|from| guests[from].used(&rig, 1).len()), [1, 1]);
}

#[test]
fn bytes_that_came_meanwhile_are_moved() {
    let (rig, mut ports) = serial::open();
    for end in &mut ports {
        end.room(&rig, 0, 1, 64);
        end.queue(&rig, 0, b"both ways");
    }
    let serial = rig.machine.links.serials()[0];
    let busy = serial.busy();
    ports.iter().for_each(|end| end.notify(&rig, 0));
    let_go(&rig, busy);
    assert_eq!(ports.each_mut().map(|end| end.got(&rig, 0)), [b"both ways"; 2]);
    assert_eq!([Side::A, Side::B].map(|side| serial.counters(side).sent), [9; 2]);
}

#[test]
fn requests_that_came_meanwhile_are_done() {
    let (rig, [mut rom, _]) = disk::machine();
    let places = ask_busy(&rig, &mut rom);
    assert_eq!((rom.used(&rig, 0).len(), rom.bytes(&rig, places[1], 1)[0]), (1, OK));
}

#[test]
fn requests_that_came_meanwhile_are_asked_of_the_server() {
    let (rig, mut serving, mut guest) = served::machine();
    serving.open(&rig);
    serving.settle(&rig);
    let places = ask_busy(&rig, &mut guest);
    serving.settle(&rig);
    assert_eq!(served::status(&rig, &mut guest, &places), Some(OK));
    // What the server says meanwhile is heard, too.
    let places = served::ask(&rig, &mut guest, IN, 1, &[], 512);
    let busy = rig.machine.links.disks()[0].busy();
    serving.settle(&rig);
    let_go(&rig, busy);
    serving.settle(&rig);
    assert_eq!(served::status(&rig, &mut guest, &places), Some(OK));
}
