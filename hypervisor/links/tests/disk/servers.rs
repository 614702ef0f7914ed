//! A disk that is served by the programs that people have.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use portcullis_links::disk::{Flow, Geometry, Served};
use portcullis_links::nbd::Broken;
use portcullis_virtio::Budget;

use crate::bed::{DATA, DISCARD, FLUSH, GET_ID, IN, IOERR, OK, OUT, UNSUPP, Vm, WRITE_ZEROES, pattern, range};
use crate::connected::Port;
use crate::program::{PATIENCE, PROGRAMS, Place, Program, Server, at_a_pair, serve};

const SIZE: usize = 1 << 20;
/// Milliseconds that a request may take.
const TIMEOUT: u64 = 60_000;
/// A VM with a served disk, whose server is a program.
struct Bed {
    vm: Vm,
    disk: Served,
    port: Port,
    server: Server,
    /// What is on its way to the server.
    out: Vec<u8>,
    now: u64,
    /// Bytes that went each way, in this connection.
    counts: [usize; 2],
    /// The server is made one that does not know NBD_OPT_GO.
    unknown_go: bool,
}

/// What came of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Moved,
    Nothing,
    /// The server is gone.
    Gone,
    Broken(Broken),
}

impl Bed {
    fn new(server: Server, read_only: bool) -> Self {
        let geometry = Geometry::new("d", SIZE as u64, 512, read_only).unwrap();
        let mut disk = Served::new(geometry, "", TIMEOUT).unwrap();
        disk.open();
        let (vm, port) = (Vm::new(), Port::new());
        Self { vm, disk, port, server, out: Vec::new(), now: 0, counts: [0; 2], unknown_go: false }
    }

    /// Has another server at the end of the port.
    fn connect(&mut self, server: Server) {
        (self.server, self.counts) = (server, [0; 2]);
        self.out.clear();
        self.disk.close();
        self.disk.open();
    }

    fn piece(&mut self) -> Step {
        let Self { vm, disk, port, out, now, server, counts, unknown_go } = self;
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        disk.take(&mut flow, *now, &mut Budget::new()).unwrap();
        let mut moved = false;
        if out.is_empty() {
            let head = port.driver.give(&mut port.ram, &[(DATA, 32 << 10)], 0);
            assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
            let mut budget = Budget::new();
            let sent = disk.send(Some(&mut flow), &mut port.chain.writer(), &mut port.ram, &mut budget).unwrap();
            port.queue.put(&mut port.ram, head, sent).unwrap();
            out.extend(port.ram.at(DATA, sent as usize));
            if *unknown_go {
                // The last byte of the option, behind flags and IHAVEOPT.
                patch(out, counts[0], 15, 7, 99);
            }
            counts[0] += sent as usize;
            moved |= sent > 0;
        }
        if !out.is_empty() {
            match server.stream.write(out) {
                Ok(done) => _ = out.drain(..done),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Step::Gone,
            }
        }
        let mut bytes = vec![0; 32 << 10];
        let came = match server.stream.read(&mut bytes) {
            Ok(0) => return Step::Gone,
            Ok(came) => came,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(_) => return Step::Gone,
        };
        if came > 0 {
            let bytes = &mut bytes[..came];
            if *unknown_go {
                // The last byte of the option in the first reply, behind the greeting and a magic number.
                patch(bytes, counts[1], 29, 99, 7);
            }
            counts[1] += came;
            port.ram.put(DATA, bytes);
            let head = port.driver.give(&mut port.ram, &[(DATA, came as u32)], 1);
            assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
            let mut reader = port.chain.reader();
            while reader.left() > 0 {
                let received = disk.receive(Some(&mut flow), &mut reader, &mut port.ram, &mut Budget::new()).unwrap();
                if let Err(broken) = received {
                    return Step::Broken(broken);
                }
            }
            port.queue.put(&mut port.ram, head, 0).unwrap();
        }
        vm.queue.publish(&mut vm.ram).unwrap();
        if moved || came > 0 { Step::Moved } else { Step::Nothing }
    }

    /// Works until something is so. What is not so in good time has failed.
    #[track_caller]
    fn until(&mut self, what: &str, mut so: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !so(self) {
            let step = self.piece();
            assert!(matches!(step, Step::Moved | Step::Nothing), "{what}: {step:?}");
            assert!(start.elapsed() < PATIENCE, "{what}: the server says nothing");
        }
    }

    /// How the connection ends.
    #[track_caller]
    fn end(&mut self) -> Step {
        let start = Instant::now();
        loop {
            match self.piece() {
                Step::Moved | Step::Nothing => assert!(start.elapsed() < PATIENCE, "the connection stays"),
                end => return end,
            }
        }
    }

    /// The answers of so many requests.
    #[track_caller]
    fn answers(&mut self, count: usize) -> Vec<(u16, u8, Vec<u8>)> {
        let mut answers = Vec::new();
        self.until("answers", |bed| {
            answers.extend(std::iter::from_fn(|| bed.vm.answer()));
            answers.len() == count
        });
        answers
    }

    /// Makes a request and waits for its answer.
    #[track_caller]
    fn ask(&mut self, kind: u32, sector: u64, data: &[u8], room: usize) -> (u8, Vec<u8>) {
        self.vm.request(kind, sector, data, room, 4096);
        let (_, status, read) = self.answers(1).pop().unwrap();
        (status, read)
    }
}

/// Byte number `place` of a stream, of which `bytes` are those from `before` on, is another one if it is `from`.
fn patch(bytes: &mut [u8], before: usize, place: usize, from: u8, to: u8) {
    if let Some(byte) = place.checked_sub(before).and_then(|at| bytes.get_mut(at)) {
        assert_eq!(*byte, from);
        *byte = to;
    }
}

/// Reads, writes and zeros at random, and what the file has in the end.
fn exercise(bed: &mut Bed, place: &Place, seed: u64) {
    let mut model = fs::read(place.file()).unwrap();
    bed.until("handshake", |bed| bed.disk.client().export().is_some());
    assert_eq!(bed.disk.client().export().unwrap().size, SIZE as u64);
    let mut random = Rng::with_seed(seed);
    for _ in 0..150 {
        let (sector, count) = (random.u64(..2048 - 64) as usize, 1 + random.u64(..64) as usize);
        let bytes = sector * 512..(sector + count) * 512;
        match random.u64(..3) {
            0 => assert!(bed.ask(IN, sector as u64, &[], bytes.len()) == (OK, model[bytes].to_vec())),
            1 => {
                let text: Vec<u8> = bytes.clone().map(|at| (at as u64 * 7 + seed) as u8).collect();
                assert_eq!(bed.ask(OUT, sector as u64, &text, 0).0, OK);
                model[bytes].copy_from_slice(&text);
            }
            _ => {
                let status = bed.ask(WRITE_ZEROES, 0, &range(sector as u64, count as u32, random.u64(..2) as u32), 0).0;
                assert!(matches!(status, OK | UNSUPP), "{status}");
                if status == OK {
                    model[bytes].fill(0);
                }
            }
        }
    }
    // As many at once as the disk takes, in one order or another.
    let heads: Vec<u16> = (0..24).map(|n| bed.vm.request(IN, n * 64, &[], 32 << 10, 4096)).collect();
    for (head, status, read) in bed.answers(heads.len()) {
        let at = heads.iter().position(|other| *other == head).unwrap() * 64 * 512;
        assert!(status == OK && read == model[at..][..32 << 10]);
    }
    assert_eq!(bed.ask(GET_ID, 0, &[], 20).0, OK);
    assert_eq!(bed.ask(FLUSH, 0, &[], 0).0, OK);
    assert!(fs::read(place.file()).unwrap() == model, "the file has what was written");
    // What is discarded may be anything afterwards, and what is beside it is kept.
    let status = bed.ask(DISCARD, 0, &range(512, 256, 0), 0).0;
    assert!(matches!(status, OK | UNSUPP), "{status}");
    assert!(bed.ask(IN, 768, &[], 4096) == (OK, model[768 * 512..][..4096].to_vec()));
}

#[test]
fn all_three_do_what_a_disk_does() {
    for (program, more) in
        [(Program::Nbdkit, &[][..]), (Program::QemuNbd, &["--discard=unmap"]), (Program::NbdServer, &[])]
    {
        let place = Place::new(&format!("disk-{program:?}"), &pattern(SIZE));
        let mut bed = Bed::new(serve(program, &place, more), false);
        exercise(&mut bed, &place, 0x1234_5678_9abc + program as u64);
    }
}

/// By servers that know it, behind their refusal of an option that nobody knows; with and without the zeros that follow the reply.
#[test]
fn an_export_is_had_by_its_name_where_the_option_is_unknown() {
    for (program, more) in [
        (Program::Nbdkit, &["--mask-handshake=1"][..]),
        (Program::Nbdkit, &[]),
        (Program::QemuNbd, &[]),
        (Program::NbdServer, &[]),
    ] {
        let place = Place::new(&format!("name-{program:?}-{}", more.len()), &pattern(SIZE));
        let mut bed = Bed::new(serve(program, &place, more), false);
        bed.unknown_go = true;
        exercise(&mut bed, &place, 99);
    }
}

/// A server is killed while it has requests, and comes back: what was answered is there, what was not is asked again, and a
/// flush says that what was not flushed may be lost.
#[test]
fn a_server_that_is_killed_under_load_comes_back() {
    for program in PROGRAMS {
        let place = Place::new(&format!("kill-{program:?}"), &vec![0; SIZE]);
        let mut bed = Bed::new(serve(program, &place, &[]), false);
        bed.until("handshake", |bed| bed.disk.client().export().is_some());
        let text = |n: u64| vec![n as u8 + 1; 32 << 10];
        for n in 0..24 {
            bed.vm.request(OUT, n * 64, &text(n), 0, 4096);
        }
        let mut answers = Vec::new();
        bed.until("some of the answers", |bed| {
            answers.extend(std::iter::from_fn(|| bed.vm.answer()));
            answers.len() >= 3
        });
        bed.server.child.kill().unwrap();
        assert_eq!(bed.end(), Step::Gone);
        bed.disk.close();
        // Nobody is there: they wait.
        answers.extend(std::iter::from_fn(|| bed.vm.answer()));
        let before = answers.len();
        bed.connect(serve(program, &place, &[]));
        answers.extend(bed.answers(24 - before));
        assert!(answers.iter().all(|(_, status, _)| *status == OK), "{program:?}: {answers:?}");
        // One that knows no flush keeps nothing back, as it says.
        let lost = if program == Program::NbdServer { OK } else { IOERR };
        assert_eq!([FLUSH, FLUSH].map(|kind| bed.ask(kind, 0, &[], 0).0), [lost, OK], "{program:?}");
        for n in 0..24 {
            assert!(bed.ask(IN, n * 64, &[], 32 << 10) == (OK, text(n)), "{program:?}");
        }
        // One that does not come back: each request ends when its time is over.
        drop(std::mem::replace(&mut bed.server, at_a_pair(Command::new("true").stderr(Stdio::null()))));
        bed.disk.close();
        let Bed { vm, disk, now, .. } = &mut bed;
        vm.request(IN, 0, &[], 512, 512);
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        disk.take(&mut flow, *now, &mut Budget::new()).unwrap();
        assert_eq!(disk.client().deadline(), Some(TIMEOUT));
        disk.expire(&mut flow, TIMEOUT, &mut Budget::new()).unwrap();
        vm.queue.publish(&mut vm.ram).unwrap();
        assert_eq!(vm.answer().map(|answer| answer.1), Some(IOERR));
    }
}

#[test]
fn what_does_not_fit_the_disk_is_refused() {
    let broken = |bed: &mut Bed| match bed.end() {
        Step::Broken(broken) => broken,
        other => panic!("{other:?}"),
    };
    let place = Place::new("refused", &pattern(SIZE));
    let mut bed = Bed::new(serve(Program::Nbdkit, &place, &["-o"]), false);
    assert_eq!(broken(&mut bed), Broken::Oldstyle);
    let mut bed = Bed::new(serve(Program::Nbdkit, &place, &["--mask-handshake=0"]), false);
    assert_eq!(broken(&mut bed), Broken::NotFixed);
    for (program, flag) in [(Program::Nbdkit, "-r"), (Program::QemuNbd, "-r"), (Program::NbdServer, "-r")] {
        let mut bed = Bed::new(serve(program, &place, &[flag]), false);
        assert_eq!(broken(&mut bed), Broken::ReadOnly, "{program:?}");
        // One that is only read may be.
        let mut bed = Bed::new(serve(program, &place, &[flag]), true);
        bed.until("handshake", |bed| bed.disk.client().export().is_some());
        assert!(bed.ask(IN, 7, &[], 4096) == (OK, pattern(SIZE)[7 * 512..][..4096].to_vec()), "{program:?}");
        assert_eq!(bed.ask(OUT, 7, &[1; 512], 0).0, IOERR, "{program:?}");
    }
    let small = Place::new("small", &pattern(SIZE / 2));
    for program in PROGRAMS {
        let mut bed = Bed::new(serve(program, &small, &[]), false);
        let expected = Broken::Small { size: SIZE as u64 / 2, wanted: SIZE as u64 };
        assert_eq!(broken(&mut bed), expected, "{program:?}");
    }
}

/// What is no server: its words end the connection, and say what came.
#[test]
fn what_is_no_server_is_told_by_what_it_says() {
    let place = Place::new("garbage", &[]);
    for (script, says) in [
        (
            "echo 'login: this is no server of disks'; cat",
            "it is no NBD server: it begins with \"login: t\", not with NBDMAGIC",
        ),
        ("printf 'NBDMAGICSOMETHIN__'; cat", "behind its greeting came \"SOMETHIN\", not IHAVEOPT"),
        (
            "printf 'NBDMAGICIHAVEOPT\\0\\3'; printf 'twenty bytes of what?'; cat",
            "instead of the reply to an option came \"twenty b\"",
        ),
    ] {
        let server = at_a_pair(Command::new("sh").args(["-c", script]).current_dir(&place.0));
        server.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut bed = Bed::new(server, false);
        let Step::Broken(broken) = bed.end() else { panic!("{script}") };
        assert_eq!(broken.to_string(), says, "{script}");
        // The disk is as before, and another server is welcome.
        let good = Place::new("good", &pattern(SIZE));
        bed.connect(serve(Program::Nbdkit, &good, &[]));
        assert!(bed.ask(IN, 3, &[], 512) == (OK, pattern(SIZE)[3 * 512..][..512].to_vec()));
    }
}
