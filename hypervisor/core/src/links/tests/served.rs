//! A disk that another VM serves.

use portcullis_abi::manage;
use portcullis_arch::fake::Event;
use portcullis_board::signal::{EL2_TIMER_INTID, WORK};
use portcullis_bundle::links::{Disk, Export, Source};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::disk::{FLUSH, IN, IOERR, OK, OUT, WRITE_ZEROES, header, range};
use super::guest::{Guest, until_its};
use super::ports::{OPEN, Ports, message};
use super::serial::with_console;
use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, SECOND, results, vm};

#[path = "../../../../links/tests/disk/server.rs"]
mod server;
pub use server::Manner;
use server::Server;

/// Number of the VM that serves, and of the one that has the disk.
const SERVER: usize = 1;
const CLIENT: usize = 2;
pub const SIZE: usize = 64 << 10;
/// Milliseconds that a request may take, and the same in ticks.
pub const TIMEOUT: u32 = 500;
pub const TICKS: u64 = TIMEOUT as u64 * SECOND / 1000;

/// The VM that serves, with its program.
pub struct Serving {
    pub ports: Ports,
    pub server: Server,
}

impl Serving {
    fn new(rig: &Rig, core: usize, manner: Manner) -> Self {
        Self::in_vm(rig, SERVER, core, manner)
    }

    /// One of VM `vm`.
    pub fn in_vm(rig: &Rig, vm: usize, core: usize, manner: Manner) -> Self {
        let mut ports = Ports::new(vm, core);
        ports.guest.spread(4);
        ports.begin(rig, 1);
        Self { ports, server: Self::server(manner) }
    }

    /// A program that serves what the first one does.
    pub fn server(manner: Manner) -> Server {
        Server::new(manner, (0..SIZE).map(|at| (at % 251) as u8).collect())
    }

    /// Another program is started where one was before.
    pub fn again(self, store: Vec<u8>) -> Self {
        Self { server: Server::new(Manner::good(), store), ..self }
    }

    /// A program opens the port.
    pub fn open(&mut self, rig: &Rig) {
        self.ports.say(rig, 0, OPEN, 1);
        self.server.greet();
    }

    /// It closes the port: what it has not read is gone.
    pub fn close(&mut self, rig: &Rig) {
        self.ports.got(rig, 0);
        self.ports.say(rig, 0, OPEN, 0);
    }

    /// The program does what there is to do, and says so, `most` bytes at a time. Returns whether anything moved.
    pub fn turn(&mut self, rig: &Rig, most: usize) -> bool {
        let Self { ports, server } = self;
        ports.hear(rig);
        ports.back(rig, 0);
        ports.fill_room(rig, 0, 4, 512);
        ports.notify_room(rig, 0);
        rig.settle();
        let got = ports.got(rig, 0);
        server.hear(&got);
        let replies: Vec<u8> = server.replies.drain(..).flatten().collect();
        server.out.extend(replies);
        let said: Vec<u8> = server.out.drain(..server.out.len().min(most)).collect();
        if !said.is_empty() {
            ports.send(rig, 0, &said);
        }
        rig.settle();
        !got.is_empty() || !said.is_empty()
    }

    /// Goes on until nothing moves.
    pub fn settle(&mut self, rig: &Rig) {
        while self.turn(rig, 3000) {}
    }
}

fn config() -> [Disk<'static>; 1] {
    let export = Export { server: SERVER, size: SIZE as u64, read_only: false, name: "", timeout: TIMEOUT };
    [Disk { name: "far", vm: CLIENT, slot: 3, block: 512, source: Source::Served(export) }]
}

/// A control VM, a VM that serves, and one with the disk; each has a core.
pub fn machine() -> (Rig, Serving, Guest) {
    let vms = [vm("ops", &[0]), with_console("server", 1), vm("client", &[2])];
    let rig = Rig::with_disks(GicVersion::V3, &vms, &config());
    rig.settle();
    let serving = Serving::new(&rig, 1, Manner::good());
    let mut guest = Guest::new(CLIENT, 2, 3);
    guest.begin(&rig, 0, &[128]);
    (rig, serving, guest)
}

/// Makes a request, and does not wait for it. Returns where its room is, the last one that of the status.
pub fn ask(rig: &Rig, guest: &mut Guest, kind: u32, sector: u64, sent: &[u8], room: u32) -> Vec<u64> {
    let header = header(kind, sector);
    let mut parts = vec![header.as_slice()];
    parts.extend(sent.chunks(4096));
    let mut rooms: Vec<u32> = (0..room).step_by(4096).map(|at| (room - at).min(4096)).collect();
    rooms.push(1);
    let places = guest.ask(rig, 0, &parts, &rooms);
    guest.notify(rig, 0);
    rig.settle();
    places
}

/// The status of the only request that is answered.
pub fn status(rig: &Rig, guest: &mut Guest, places: &[u64]) -> Option<u8> {
    let used = guest.used(rig, 0);
    assert!(used.len() <= 1, "{used:?}");
    (!used.is_empty()).then(|| guest.bytes(rig, *places.last().unwrap(), 1)[0])
}

/// The first VM is the control VM: it asks for something to become of another one.
fn manage(rig: &Rig, call: u32, of: usize) {
    let result = results(rig.guest(0, move |context| hvc(context, [u64::from(call), of as u64, 0, 0])));
    assert_eq!(result[0], 0, "{call:#x}");
    rig.settle();
}

#[test]
fn what_is_asked_for_is_done_by_the_server() {
    let (rig, mut serving, mut guest) = machine();
    assert_eq!(guest.read(&rig, CONFIG), SIZE as u64 / 512);
    assert_eq!(serving.ports.told[1], [&message(0, 7, 1)[..], b"disk.far"].concat());
    serving.open(&rig);
    let places = ask(&rig, &mut guest, IN, 3, &[], 8192);
    assert_eq!(status(&rig, &mut guest, &places), None, "the server has not said anything yet");
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    let read: Vec<u8> = places[..2].iter().flat_map(|at| guest.bytes(&rig, *at, 4096)).collect();
    assert!(read == serving.server.store[1536..][..8192]);
    assert!(guest.is_pending(&rig));
    let text: Vec<u8> = (0..12_288).map(|at| (at / 5) as u8).collect();
    for (kind, sent) in [(OUT, text.clone()), (FLUSH, vec![]), (WRITE_ZEROES, range(8, 2, 1))] {
        let places = ask(&rig, &mut guest, kind, if kind == OUT { 8 } else { 0 }, &sent, 0);
        serving.settle(&rig);
        assert_eq!(status(&rig, &mut guest, &places), Some(OK), "{kind}");
    }
    assert!(serving.server.store[4096..5120] == [0; 1024] && serving.server.store[5120..16_384] == text[1024..]);
    let places = ask(&rig, &mut guest, IN, SIZE as u64 / 512, &[], 512);
    assert_eq!(status(&rig, &mut guest, &places), Some(IOERR), "behind its end");
    let mut told = Vec::new();
    for vm in [SERVER, CLIENT] {
        rig.machine.take_copies(vm, |_, bytes| told.push(bytes));
    }
    assert_eq!(told, [8192 + 12_288], "what was read and written, once, whoever is followed");
}

#[test]
fn a_driver_that_is_first_waits_for_its_server_and_no_longer_than_it_may() {
    let (rig, mut serving, mut guest) = machine();
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    rig.advance(TICKS - 100);
    rig.interrupt(2, EL2_TIMER_INTID);
    rig.settle();
    assert_eq!(status(&rig, &mut guest, &places), None);
    serving.open(&rig);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    // One that is there and says nothing.
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    rig.advance(TICKS + 1);
    rig.interrupt(2, EL2_TIMER_INTID);
    rig.settle();
    assert_eq!(status(&rig, &mut guest, &places), Some(IOERR));
    // What it says later is thrown away, and the next request is done.
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), None);
    let places = ask(&rig, &mut guest, IN, 1, &[], 512);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    assert!(guest.bytes(&rig, places[0], 512) == serving.server.store[512..1024]);
    // None that is outstanding, none that is looked for: the timer comes once more at the most, and nobody is called.
    assert_eq!((calls_at_the_timer(&rig, 10 * TICKS), status(&rig, &mut guest, &places)), (0, None));
}

/// How often a core was called to work when time has gone by and the timer of the driver's core fires.
fn calls_at_the_timer(rig: &Rig, ticks: u64) -> usize {
    rig.advance(ticks);
    rig.keep_events();
    rig.interrupt(2, EL2_TIMER_INTID);
    let is_call =
        |event: &Event| matches!(event, Event::Write("icc_sgi1r_el1", sgi) if *sgi >> 24 & 0xf == u64::from(WORK));
    let calls = rig.events().iter().filter(|(_, event)| is_call(event)).count();
    rig.settle();
    calls
}

/// The timer that was set for a request that was answered is set for the next one, whose own time it is then.
#[test]
fn a_timer_of_a_request_that_is_answered_is_that_of_the_next() {
    let (rig, mut serving, mut guest) = machine();
    serving.open(&rig);
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    rig.advance(TICKS / 2);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    let places = ask(&rig, &mut guest, IN, 1, &[], 512);
    assert_eq!((calls_at_the_timer(&rig, TICKS / 2 + 10), status(&rig, &mut guest, &places)), (0, None));
    assert_eq!((calls_at_the_timer(&rig, TICKS / 2), status(&rig, &mut guest, &places)), (1, Some(IOERR)));
}

#[test]
fn a_server_that_dies_comes_back() {
    let (rig, mut serving, mut guest) = machine();
    serving.open(&rig);
    serving.settle(&rig);
    let text = [0x5a; 4096];
    let places = ask(&rig, &mut guest, OUT, 0, &text, 0);
    // A part of it has gone.
    serving.turn(&rig, 0);
    assert_eq!(status(&rig, &mut guest, &places), None);
    serving.close(&rig);
    rig.settle();
    let told: Vec<_> = serving.ports.hear(&rig);
    assert_eq!(told, [message(0, OPEN, 0), message(0, OPEN, 1)], "the next connection is another one");
    // Bytes that nobody has asked for are nobody's.
    serving.ports.send(&rig, 0, b"late");
    serving.open(&rig);
    let count = serving.server.count;
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    assert!(serving.server.store[..4096] == text && serving.server.count == count + 1);
    // So does its VM.
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    manage(&rig, manage::RESTART, SERVER);
    assert_eq!(status(&rig, &mut guest, &places), None);
    serving.ports.begin(&rig, 1);
    serving.open(&rig);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    assert_eq!(guest.bytes(&rig, places[0], 512), [0x5a; 512]);
}

#[test]
fn garbage_costs_the_connection_and_is_shown() {
    let (rig, mut serving, mut guest) = machine();
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    serving.ports.say(&rig, 0, OPEN, 1);
    rig.settle();
    rig.parts.line.take_shown();
    serving.ports.hear(&rig);
    serving.ports.send(&rig, 0, b"I am no server of disks");
    rig.settle();
    let lines = rig.parts.line.take_shown().replace("\r\nportcullis> ", "");
    let said = "server: disk far of client: its connection is cut: it is no NBD server: it begins with \"I am no \", not with NBDMAGIC";
    assert!(lines.contains(said), "{lines}");
    assert_eq!(serving.ports.hear(&rig), [message(0, OPEN, 0)], "it is closed until the program has closed it");
    serving.ports.send(&rig, 0, b"NBDMAGICIHAVEOPT\0\x03");
    rig.settle();
    assert_eq!(serving.ports.got(&rig, 0), [0; 0]);
    serving.close(&rig);
    rig.settle();
    assert_eq!(serving.ports.hear(&rig), [message(0, OPEN, 1)]);
    serving.open(&rig);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
}

#[test]
fn a_driver_that_begins_anew_while_half_of_its_request_is_sent_costs_the_connection() {
    let (rig, mut serving, mut guest) = machine();
    serving.open(&rig);
    serving.settle(&rig);
    serving.ports.room(&rig, 0, 1, 512);
    ask(&rig, &mut guest, OUT, 0, &[7; 8192], 0);
    serving.ports.hear(&rig);
    guest.begin(&rig, 0, &[128]);
    rig.settle();
    assert_eq!(serving.ports.hear(&rig), [message(0, OPEN, 0)]);
    serving.close(&rig);
    serving.open(&rig);
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
    assert!(guest.bytes(&rig, places[0], 512) == (0..512).map(|at| (at % 251) as u8).collect::<Vec<_>>());
    // One whose request was sent as a whole costs nothing, and its answer is nobody's.
    ask(&rig, &mut guest, IN, 0, &[], 512);
    serving.turn(&rig, 0);
    guest.begin(&rig, 0, &[128]);
    serving.settle(&rig);
    let places = ask(&rig, &mut guest, IN, 1, &[], 512);
    serving.settle(&rig);
    assert_eq!((status(&rig, &mut guest, &places), guest.used(&rig, 0).len()), (Some(OK), 0));
}

/// A VM's time stands still with it.
#[test]
fn a_driver_whose_vm_is_paused_has_its_answers_afterwards() {
    // On a core that it shares: what waits there does not keep the core.
    let vms = [vm("ops", &[0]), with_console("server", 1), vm("client", &[2]), vm("beside", &[2])];
    let rig = Rig::with_disks(GicVersion::V3, &vms, &config());
    rig.settle();
    let mut serving = Serving::new(&rig, 1, Manner::good());
    let mut guest = Guest::new(CLIENT, 2, 3);
    until_its(&rig, 2, CLIENT);
    guest.begin(&rig, 0, &[128]);
    serving.open(&rig);
    serving.settle(&rig);
    until_its(&rig, 2, CLIENT);
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    manage(&rig, manage::PAUSE, CLIENT);
    rig.advance(3 * TICKS);
    rig.interrupt(2, EL2_TIMER_INTID);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), None);
    manage(&rig, manage::RESUME, CLIENT);
    until_its(&rig, 2, CLIENT);
    serving.settle(&rig);
    until_its(&rig, 2, CLIENT);
    rig.settle();
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
}

#[test]
fn a_broken_driver_of_either_end_needs_a_reset_and_nobody_else_notices() {
    let (rig, mut serving, mut guest) = machine();
    serving.open(&rig);
    serving.settle(&rig);
    guest.give(&rig, 0, &[&[0; 5]]);
    guest.notify(&rig, 0);
    assert_eq!(guest.read(&rig, STATUS), 0x4f);
    assert_eq!(serving.ports.guest.read(&rig, STATUS), 0xf);
    guest.begin(&rig, 0, &[128]);
    let places = ask(&rig, &mut guest, IN, 0, &[], 512);
    // The index of its ring runs ahead.
    let queue = &mut serving.ports.guest.queues[1];
    let at = queue.layout.available + 2;
    serving.ports.guest.poke(&rig, at, &0x7777_u16.to_le_bytes());
    serving.ports.notify(&rig, 0);
    rig.settle();
    assert_eq!(serving.ports.guest.read(&rig, STATUS), 0x4f);
    assert_eq!((guest.read(&rig, STATUS), status(&rig, &mut guest, &places)), (0xf, None));
    serving.ports.begin(&rig, 1);
    serving.open(&rig);
    serving.settle(&rig);
    assert_eq!(status(&rig, &mut guest, &places), Some(OK));
}

#[test]
fn vms_that_share_a_core_serve_each_other() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let vms = [vm("ops", &[0]), with_console("server", 1), vm("client", &[1])];
        let rig = Rig::with_disks(gic, &vms, &config());
        rig.settle();
        until_its(&rig, 1, SERVER);
        let mut serving = Serving::new(&rig, 1, Manner::good());
        serving.open(&rig);
        until_its(&rig, 1, CLIENT);
        let mut guest = Guest::new(CLIENT, 1, 3);
        guest.begin(&rig, 0, &[128]);
        let places = ask(&rig, &mut guest, IN, 4, &[], 4096);
        for _ in 0..6 {
            until_its(&rig, 1, SERVER);
            serving.turn(&rig, 5000);
            until_its(&rig, 1, CLIENT);
            rig.settle();
        }
        assert_eq!(status(&rig, &mut guest, &places), Some(OK), "{gic:?}");
        assert!(guest.bytes(&rig, places[0], 4096) == serving.server.store[2048..][..4096], "{gic:?}");
    }
}
