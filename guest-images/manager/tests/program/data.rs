//! The port of data: what is moved, and what can be wrong with that.

use std::cell::Cell;
use std::io::{Cursor, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::{fs, io, thread};

use controls::status::Status;
use controls::transfer::Transfer;
use manager::error::Error;
use manager::exit::Exit;
use manager::port::{Data, Place};
use portcullis_abi::manage::{SUCCESS, TRANSFER_SAVE, UNFIT};
use tempfile::TempDir;

/// A kernel with the ports of these names, at the last of which is the other end of a pair of sockets.
fn linux(names: &[&str]) -> (TempDir, Place, UnixStream) {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in names.iter().enumerate() {
        let sysfs = folder.path().join("sys").join(format!("vport1p{number}"));
        fs::create_dir_all(&sysfs).unwrap();
        fs::write(sysfs.join("name"), format!("{name}\n")).unwrap();
    }
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (last, ours) = (format!("vport1p{}", names.len() - 1), Cell::new(Some(ours)));
    let place = Place {
        sysfs: folder.path().join("sys"),
        nodes: folder.path().to_owned(),
        lock: folder.path().join("lock"),
        patience: Duration::from_millis(200),
        open: Box::new(move |path| {
            assert!(path.ends_with(&last));
            Ok(OwnedFd::from(ours.take().ok_or(io::ErrorKind::ResourceBusy)?).into())
        }),
        ..Place::default()
    };
    (folder, place, theirs)
}

fn both() -> (TempDir, Place, UnixStream) {
    linux(&["portcullis", "portcullis.data"])
}

fn transfer(goes_on: bool, bytes: u64, status: i64) -> (Transfer, String) {
    let reason = if status == UNFIT { "section UART: it is damaged" } else { "" };
    let status = Status(status);
    (Transfer { what: TRANSFER_SAVE, vm: 1, goes_on, by_port: true, bytes, status }, reason.to_owned())
}

/// Bytes that differ, more than a port takes at once.
fn bytes() -> Vec<u8> {
    (0..1_000_000_u32).map(|n| (n / 7) as u8).collect()
}

#[test]
fn what_comes_is_written_until_the_transfer_has_ended() {
    let (_folder, place, mut theirs) = both();
    let mut data = Data::open(&place).unwrap();
    let (expected, asked) = (bytes(), Cell::new(0));
    let mut got = Vec::new();
    let sender = thread::spawn({
        let expected = expected.clone();
        move || {
            // It is slow at first, and the end comes before it was read.
            theirs.write_all(&expected[..1000]).unwrap();
            thread::sleep(Duration::from_millis(60));
            theirs.write_all(&expected[1000..]).unwrap();
            theirs
        }
    });
    // Whether it has ended is one thing, and whether all that was sent has come another.
    let ask = &mut || {
        asked.set(asked.get() + 1);
        Ok(transfer(asked.get() < 2, expected.len() as u64, SUCCESS))
    };
    let count = data.receive(&mut got, ask).unwrap();
    assert!((count, got) == (expected.len() as u64, expected.clone()));
    drop(sender.join().unwrap());
}

#[test]
fn a_transfer_that_fails_says_why() {
    let (_folder, place, _theirs) = both();
    let mut data = Data::open(&place).unwrap();
    let error = data.receive(&mut Vec::new(), &mut || Ok(transfer(false, 9, UNFIT))).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.exit()), ("UNFIT: section UART: it is damaged", Exit::Refused));
    let error = data.send(&mut Cursor::new(bytes()), &mut || Ok(transfer(false, 9, UNFIT))).unwrap_err();
    assert_eq!(error.to_string(), "UNFIT: section UART: it is damaged", "whether it can be sent or not");
}

#[test]
fn all_is_sent_and_its_end_is_waited_for() {
    let (_folder, place, mut theirs) = both();
    let mut data = Data::open(&place).unwrap();
    let (expected, asked) = (bytes(), Cell::new(0));
    let receiver = thread::spawn(move || {
        let mut got = vec![0; bytes().len()];
        theirs.read_exact(&mut got).map(|()| got).unwrap()
    });
    let ask = &mut || {
        asked.set(asked.get() + 1);
        Ok(transfer(asked.get() < 3, asked.get(), SUCCESS))
    };
    assert_eq!(data.send(&mut Cursor::new(&expected), ask).unwrap(), 3);
    assert!(receiver.join().unwrap() == expected);
    assert_eq!(asked.get(), 3, "it was asked only in the end");
}

#[test]
fn what_is_too_short_is_said() {
    let (_folder, place, _theirs) = both();
    let mut data = Data::open(&place).unwrap();
    let error = data.send(&mut Cursor::new([1; 100]), &mut || Ok(transfer(true, 100, SUCCESS)));
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Short(100)) && error.exit() == Exit::Refused, "{error}");
}

#[test]
fn nothing_moves_or_the_port_is_cut_off() {
    let (_folder, place, theirs) = both();
    let mut data = Data::open(&place).unwrap();
    let going_on = || Ok(transfer(true, 0, SUCCESS));
    let error = data.receive(&mut Vec::new(), &mut { going_on }).unwrap_err();
    assert!(error.to_string().contains("did not answer") && error.exit() == Exit::CutOff, "{error}");
    let error = data.send(&mut Cursor::new(bytes()), &mut { going_on }).unwrap_err();
    assert_eq!(error.exit(), Exit::CutOff, "{error}");
    drop(theirs);
    let error = data.receive(&mut Vec::new(), &mut { going_on }).unwrap_err();
    assert!(error.to_string().contains("cut off") && error.exit() == Exit::CutOff, "{error}");
}

#[test]
fn the_port_is_absent_or_somebody_elses() {
    let (_folder, place, _theirs) = linux(&["portcullis", "portcullis.events"]);
    let error = Data::open(&place).unwrap_err();
    assert_eq!(error.exit(), Exit::Version);
    assert!(error.to_string().starts_with("no port is called \"portcullis.data\": the hypervisor is older"));
    let (_folder, place, _theirs) = linux(&["to-b"]);
    assert!(Data::open(&place).unwrap_err().to_string().contains("this is not the control VM"));
    let (_folder, place, _theirs) = both();
    let _first = Data::open(&place).unwrap();
    assert_eq!(Data::open(&place).unwrap_err().exit(), Exit::Busy);
}
