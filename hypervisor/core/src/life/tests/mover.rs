//! Saving and restoring the second VM of a machine of the test, by the calls of the first one.

use portcullis_abi::manage::*;
use portcullis_abi::map::RAM;
use portcullis_arch::checksum;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_bundle::{Settings, VmConfig};
use portcullis_stream::layout::{Head, Preamble, Tail};
use portcullis_stream::{Kind, Section};
use zerocopy::{FromBytes, IntoBytes};

use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, SETTINGS, results, vm};
use crate::vm::state::Phase;

/// Where the control VM has its buffer.
pub const BUFFER: u64 = RAM + 0x10_0000;
/// Bytes of the buffer.
pub const LENGTH: usize = 32 << 10;
/// The VM that is saved.
pub const A: u64 = 1;

/// A VM that can be moved, on these cores.
pub fn movable(name: &'static str, cores: &[u32]) -> VmConfig<'static> {
    VmConfig { settings: Settings { movable: true, ..SETTINGS }, ..vm(name, cores) }
}

/// Lets the VM be loaded and begin.
pub fn runs(rig: &Rig) {
    for _ in 0..200 {
        if rig.is_in_guest(1) {
            return;
        }
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    panic!("it never came into its guest: {:?}", rig.vm(1).state());
}

/// Makes a management call. Returns x0 to x3.
pub fn call(rig: &Rig, function: u32, arguments: [u64; 3]) -> [u64; 4] {
    let [x1, x2, x3] = arguments;
    let results = results(rig.guest(0, move |context| hvc(context, [function.into(), x1, x2, x3])));
    rig.settle();
    results
}

/// The same, of which only the status counts.
pub fn status(rig: &Rig, function: u32, arguments: [u64; 3]) -> i64 {
    call(rig, function, arguments)[0].cast_signed()
}

/// The same, which does what it is asked for.
pub fn ok(rig: &Rig, function: u32, arguments: [u64; 3]) -> [u64; 4] {
    let results = call(rig, function, arguments);
    assert_eq!(results[0], 0, "{function:#x}: {}", results[0].cast_signed());
    results
}

/// The control VM's buffer.
pub fn buffer(rig: &Rig) -> *mut u8 {
    (rig.vm(0).memory.start + (BUFFER - RAM)) as *mut u8
}

/// The stream of the VM, which is paused, through a buffer of so many bytes.
pub fn save(rig: &Rig, length: usize) -> Vec<u8> {
    ok(rig, SAVE, [A, 0, 0]);
    let mut stream = Vec::new();
    loop {
        let [_, bytes, progress, _] = ok(rig, TRANSFER, [BUFFER, length as u64, 0]);
        assert!(bytes <= length as u64);
        // SAFETY: it is the control VM's RAM, which is there for ever, and whose core does nothing now.
        stream.extend_from_slice(unsafe { core::slice::from_raw_parts(buffer(rig), bytes as usize) });
        if progress == TRANSFER_DONE {
            return stream;
        }
    }
}

/// What the machine says to a stream for the VM, which was created.
pub fn restore(rig: &Rig, stream: &[u8], length: usize) -> i64 {
    ok(rig, RESTORE, [A, 0, 0]);
    let mut rest = stream;
    loop {
        let now = &rest[..rest.len().min(length)];
        // SAFETY: as above.
        unsafe { core::ptr::copy(now.as_ptr(), buffer(rig), now.len()) };
        let [status, bytes, progress, _] = call(rig, TRANSFER, [BUFFER, now.len() as u64, 0]);
        if status != 0 || progress == TRANSFER_DONE {
            return status.cast_signed();
        }
        assert!(progress == TRANSFER_MORE || bytes == now.len() as u64);
        rest = &rest[bytes as usize..];
        assert!(!rest.is_empty() || progress == TRANSFER_MORE, "it wants more than there is");
    }
}

/// Pauses the VM.
pub fn pause(rig: &Rig) {
    ok(rig, PAUSE, [A, 0, 0]);
    assert_eq!(rig.vm(1).phase(), Phase::Paused);
}

/// Makes the VM a new one, after it was stopped.
pub fn recreate(rig: &Rig) {
    ok(rig, STOP, [A, 0, 0]);
    created(rig);
}

/// Has the VM, which is stopped, be created.
pub fn created(rig: &Rig) {
    ok(rig, RECREATE, [A, 0, 0]);
    for _ in 0..200 {
        if rig.vm(1).phase() == Phase::Created {
            return;
        }
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    panic!("it is not created: {:?}", rig.vm(1).state());
}

/// The stream with the body of a section changed, and the checksum that it has then.
pub fn changed(stream: &[u8], section: Section, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let (mut stream, body) = (stream.to_vec(), body_of(stream, section));
    let start = body.start - size_of::<Head>();
    change(&mut stream[body.clone()]);
    let tail = Tail { sum: !checksum::crc32c(u32::MAX, &stream[start..body.end]), reserved: 0 };
    tail.write_to(&mut stream[body.end..][..size_of::<Tail>()]).unwrap();
    stream
}

/// Where the body of a section is.
pub fn body_of(stream: &[u8], section: Section) -> core::ops::Range<usize> {
    let mut at = size_of::<Preamble>();
    loop {
        let (head, _) = Head::read_from_prefix(&stream[at..]).unwrap();
        let body = at + size_of::<Head>()..at + size_of::<Head>() + head.length as usize;
        if Kind::of(head.kind) == Some(section.kind) && head.index == section.index {
            return body;
        }
        at = body.end + size_of::<Tail>();
    }
}
