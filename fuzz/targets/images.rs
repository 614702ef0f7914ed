//! Images that a control VM loads: what was not sent so is refused, and nothing goes anywhere but what was announced, in order.
#![no_main]

use fuzz::checksum::{self, CASTAGNOLI};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_bundle::image::{HEADER, Kernel};
use portcullis_stream::images::{CMDLINE, File, Head, Receive, Receiver, START};
use portcullis_stream::layout::Tail;
use portcullis_stream::{Progress, Sum};
use zerocopy::{FromBytes, IntoBytes};

/// Whoever takes them, and what it must hold to.
#[derive(Default)]
struct Target<'a> {
    input: &'a [u8],
    accepted: Option<(Head, String)>,
    kernel: Vec<u8>,
    initrd: Vec<u8>,
}

impl Sum for Target<'_> {
    fn sum(before: u32, bytes: &[u8]) -> u32 {
        checksum::sum(before, bytes)
    }
}

impl Receive for Target<'_> {
    type Error = &'static str;

    fn available(&self) -> usize {
        self.input.len()
    }

    fn take(&mut self, to: &mut [u8]) -> std::result::Result<(), &'static str> {
        let (now, later) = self.input.split_at(to.len());
        to.copy_from_slice(now);
        self.input = later;
        Ok(())
    }

    fn accept(&mut self, head: &Head, cmdline: &str, start: &[u8]) -> std::result::Result<(), &'static str> {
        assert!(self.accepted.is_none() && head.kernel > 0 && head.cmdline <= CMDLINE);
        assert_eq!((cmdline.len() as u64, start.len() as u64), (head.cmdline, head.kernel.min(START)));
        assert!(!cmdline.contains('\0'));
        self.accepted = Some((*head, cmdline.to_owned()));
        // As the hypervisor looks at it.
        let start = &start[..start.len().min(HEADER)];
        Kernel::of(start, head.kernel).map(drop).map_err(|_| "no kernel")
    }

    fn begin(&mut self, start: &[u8]) -> std::result::Result<(), &'static str> {
        assert!(self.accepted.is_some() && self.kernel.is_empty());
        self.kernel.extend_from_slice(start);
        Ok(())
    }

    fn store(&mut self, file: File, offset: u64, length: usize, before: u32) -> std::result::Result<u32, &'static str> {
        let (head, _) = self.accepted.as_ref().expect("nothing goes anywhere before it is accepted");
        let whole = self.kernel.len() as u64 == head.kernel;
        let (size, to) = match file {
            File::Kernel => (head.kernel, &mut self.kernel),
            File::Initrd => (head.initrd, &mut self.initrd),
        };
        assert_eq!((offset, file == File::Initrd), (to.len() as u64, whole), "it comes in order");
        assert!(length > 0 && offset + length as u64 <= size);
        let (now, later) = self.input.split_at(length);
        to.extend_from_slice(now);
        self.input = later;
        Ok(Self::sum(before, now))
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(steps: &mut Unstructured) -> Result<()> {
    let piece = steps.int_in_range(1..=5_000)?;
    let (stream, total) = told(steps)?;
    let (mut receiver, mut target) = (Receiver::new(total), Target::default());
    let mut done = false;
    for piece in stream.chunks(piece) {
        target.input = piece;
        match receiver.push(&mut target) {
            Ok(progress) => done = progress == Progress::Done,
            Err(fault) => {
                target.input = piece;
                assert!(receiver.push(&mut target).is_err(), "what was refused stays so");
                assert!(!fault.to_string().is_empty());
                return Ok(());
            }
        }
        assert!(target.input.is_empty());
    }
    if done {
        let (head, cmdline) = target.accepted.expect("images that are whole were accepted");
        assert_eq!((head.total(), stream.len() as u64), (Some(total), total));
        let all = [head.as_bytes(), cmdline.as_bytes(), &target.kernel, &target.initrd].concat();
        assert_eq!(stream[..all.len()], all, "what has come is what was sent");
        let tail = Tail::read_from_bytes(&stream[all.len()..]).expect("a tail is behind it");
        assert_eq!((tail.sum, tail.reserved), (CASTAGNOLI.checksum(&all), 0));
    }
    Ok(())
}

/// Images, some of which are changed, and the bytes that are announced of them.
fn told(steps: &mut Unstructured) -> Result<(Vec<u8>, u64)> {
    let mut length = |most| steps.int_in_range(0..=most);
    let (kernel, initrd, cmdline) = (length(6_000)?, length(6_000)?, length(100)?);
    let head = Head::new(kernel, initrd, cmdline);
    let mut stream = head.as_bytes().to_vec();
    stream.resize(stream.len() + cmdline as usize, b'c');
    stream.extend((0..kernel + initrd).map(|at| (at / 3) as u8));
    let mut total = head.total().unwrap_or_default();
    let mut tail = Tail { sum: 0, reserved: 0 };
    let mut wrong = 0;
    while !steps.is_empty() {
        match steps.int_in_range(0..=7u8)? {
            0 => total = steps.arbitrary()?,
            1 => wrong = steps.arbitrary()?,
            2 => tail.reserved = steps.arbitrary()?,
            3 => stream.truncate(steps.int_in_range(0..=stream.len())?),
            4 => stream.extend(steps.bytes(steps.len().min(9))?),
            _ if stream.is_empty() => {}
            // Most of what is looked at stands in front.
            5 => {
                let at = steps.int_in_range(0..=stream.len() - 1)?;
                stream[at] = steps.arbitrary()?;
            }
            _ => {
                let at = steps.int_in_range(0..=(stream.len() - 1).min(240))?;
                stream[at] = steps.arbitrary()?;
            }
        }
    }
    tail.sum = CASTAGNOLI.checksum(&stream) ^ wrong;
    stream.extend(tail.as_bytes());
    Ok((stream, total))
}
