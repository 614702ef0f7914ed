//! Images as a stream: cut anywhere they come as they were sent, and whatever is wrong is refused.

use super::*;

/// Bytes that come, and where they go.
struct Vm<'a> {
    rest: &'a [u8],
    kernel: Vec<u8>,
    initrd: Vec<u8>,
    cmdline: String,
    accepts: bool,
}

impl Sum for Vm<'_> {
    fn sum(sum: u32, bytes: &[u8]) -> u32 {
        bytes.iter().fold(sum, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 != 0 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 })
        })
    }
}

impl Receive for Vm<'_> {
    type Error = &'static str;

    fn available(&self) -> usize {
        self.rest.len()
    }

    fn take(&mut self, to: &mut [u8]) -> Result<(), &'static str> {
        let (now, rest) = self.rest.split_at(to.len());
        to.copy_from_slice(now);
        self.rest = rest;
        Ok(())
    }

    fn accept(&mut self, head: &Head, cmdline: &str, start: &[u8]) -> Result<(), &'static str> {
        assert_eq!(start.len() as u64, head.kernel.min(START));
        self.cmdline = cmdline.to_owned();
        if self.accepts { Ok(()) } else { Err("no room") }
    }

    fn begin(&mut self, start: &[u8]) -> Result<(), &'static str> {
        assert!(self.accepts && self.kernel.is_empty());
        self.kernel.extend_from_slice(start);
        Ok(())
    }

    fn store(&mut self, file: File, offset: u64, length: usize, sum: u32) -> Result<u32, &'static str> {
        let (now, rest) = self.rest.split_at(length);
        let to = if file == File::Kernel { &mut self.kernel } else { &mut self.initrd };
        assert_eq!(to.len() as u64, offset);
        to.extend_from_slice(now);
        self.rest = rest;
        Ok(Self::sum(sum, now))
    }
}

fn stream(kernel: &[u8], initrd: &[u8], cmdline: &str) -> Vec<u8> {
    let head = Head::new(kernel.len() as u64, initrd.len() as u64, cmdline.len() as u64);
    let mut bytes = [head.as_bytes(), cmdline.as_bytes(), kernel, initrd].concat();
    let sum = finish(Vm::sum(SEED, &bytes));
    bytes.extend(Tail { sum, reserved: 0 }.as_bytes());
    bytes
}

/// Pushes bytes in pieces of a length, of which so many were announced.
fn push(
    bytes: &[u8],
    total: u64,
    piece: usize,
    accepts: bool,
) -> (Result<Progress, Fault<&'static str>>, [Vec<u8>; 2], String) {
    let mut vm = Vm { rest: &[], kernel: Vec::new(), initrd: Vec::new(), cmdline: String::new(), accepts };
    let mut receiver = Receiver::new(total);
    let mut last = Ok(Progress::Buffer);
    for piece in bytes.chunks(piece) {
        vm.rest = piece;
        last = receiver.push(&mut vm);
        if last.is_err() {
            vm.rest = &[1];
            assert_eq!(receiver.push(&mut vm), Err(Fault::Refused));
            break;
        }
        assert!(vm.rest.is_empty());
    }
    (last, [vm.kernel, vm.initrd], vm.cmdline)
}

fn fault(bytes: &[u8], total: u64) -> Fault<&'static str> {
    push(bytes, total, 4096, true).0.unwrap_err()
}

#[test]
fn images_come_as_they_were_sent_wherever_they_are_cut() {
    let bytes: Vec<u8> = (0..5000_u32).map(|n| (n * 7 / 3) as u8).collect();
    for (kernel, initrd, cmdline) in
        [(5000, 0, ""), (5000, 3000, "console=ttyAMA0"), (1, 0, ""), (63, 1, "x"), (64, 64, "x"), (65, 0, "y")]
    {
        let sent = stream(&bytes[..kernel], &bytes[..initrd], cmdline);
        for piece in [1, 7, 40, 41, 1000, 20_000] {
            let (last, files, text) = push(&sent, sent.len() as u64, piece, true);
            assert_eq!(last, Ok(Progress::Done), "{kernel} {initrd} {piece}");
            assert!(files == [bytes[..kernel].to_vec(), bytes[..initrd].to_vec()] && text == cmdline);
        }
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_goes_anywhere() {
    let sent = stream(&[9; 500], &[8; 100], "quiet");
    let total = sent.len() as u64;
    let with = |at: usize, value: &[u8]| {
        let mut bytes = sent.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    assert_eq!(fault(&with(0, b"PORTC-VM"), total), Fault::NotImages);
    assert_eq!(fault(&with(8, &[2]), total), Fault::Version(2));
    assert_eq!(fault(&with(12, &[1]), total), Fault::Reserved);
    assert_eq!(fault(&with(16, &[0; 8]), total), Fault::NoKernel);
    assert_eq!(fault(&with(32, &2048_u64.to_le_bytes()), total), Fault::Cmdline(2048));
    assert_eq!(fault(&with(24, &[0xff; 8]), total), Fault::Length(None, total));
    assert_eq!(fault(&sent, total - 1), Fault::Length(Some(total), total - 1));
    assert_eq!(fault(&with(40, &[0]), total), Fault::Text);
    assert_eq!(fault(&with(40, &[0xff]), total), Fault::Text);
    assert_eq!(fault(&[&sent[..], &[0]].concat(), total), Fault::Trailing);
    let (last, files, _) = push(&sent, total, 4096, false);
    assert_eq!((last, files), (Err(Fault::Other("no room")), [Vec::new(), Vec::new()]));
}

#[test]
fn every_bit_that_is_wrong_is_found_and_what_is_cut_is_not_whole() {
    let sent = stream(&[9; 100], &[8; 10], "quiet");
    let total = sent.len() as u64;
    for bit in 0..sent.len() * 8 {
        let mut bytes = sent.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(push(&bytes, total, 4096, true).0.is_err(), "bit {bit}");
    }
    for length in 1..sent.len() {
        assert_eq!(push(&sent[..length], total, 4096, true).0, Ok(Progress::Buffer), "{length}");
    }
}
