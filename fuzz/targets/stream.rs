//! Streams of saved VMs: what nobody has saved is refused, and nothing but the VM's memory is written.
#![no_main]

use std::sync::LazyLock;

use fuzz::checksum::{self, CASTAGNOLI};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_abi::state::Needs;
use portcullis_stream::layout::{End, Head, MAGIC, PAGE, Preamble, RUN, Run, Tail, VERSION};
use portcullis_stream::{Area, Counts, Kind, Progress, Reader, Restore, Section, Sum};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// A section as it is to be written: kind, index, body, and what is wrong with its sum.
type Written = (u32, u32, Vec<u8>, u32);

/// The VM has two vCPUs, and devices in three transports.
const COUNTS: Counts = Counts { vcpus: 2, transports: 0b1_0000_1001, ports: 3, gpios: 1, flashes: 1 };
/// The transport of its disk, and pages of that.
const DISK: (u32, u64) = (3, 2);

/// Pages of its flash.
const CELLS: u64 = 5;

/// The sections of a good stream: a VM with four pages.
static GOOD: LazyLock<Vec<Written>> = LazyLock::new(|| {
    let (mut sections, mut next) = (Vec::new(), Some(Section::FIRST));
    while let Some(section) = next {
        let body = match section.kind {
            Kind::Needs => Needs {
                vcpus: 2,
                memory: 4 * PAGE,
                version: 1,
                transports: COUNTS.transports,
                ports: COUNTS.ports,
                devices: Needs::GPIO | Needs::FLASH,
                ..Needs::new_zeroed()
            }
            .as_bytes()
            .to_vec(),
            kind => vec![section.index as u8; kind.body()],
        };
        sections.push((section.kind as u32, section.index, body, 0));
        next = section.next(COUNTS);
    }
    let run = |offset: u64, pages: u64, data: usize| {
        let mut body = Run { offset: offset * PAGE, length: pages * PAGE }.as_bytes().to_vec();
        body.resize(body.len() + data, 0x5a);
        body
    };
    sections.push((Kind::Memory as u32, 0, run(0, 1, PAGE as usize), 0));
    sections.push((Kind::Zero as u32, 0, run(1, 2, 0), 0));
    sections.push((Kind::Memory as u32, 0, run(3, 1, PAGE as usize), 0));
    sections.push((Kind::Hole as u32, DISK.0, run(0, 1, 0), 0));
    sections.push((Kind::Contents as u32, DISK.0, run(1, 1, PAGE as usize), 0));
    sections.push((Kind::Erased as u32, 0, run(0, 3, 0), 0));
    sections.push((Kind::Cells as u32, 0, run(3, 1, PAGE as usize), 0));
    sections.push((Kind::Erased as u32, 0, run(4, 1, 0), 0));
    sections.push((Kind::End as u32, 0, End { bytes: 0, sections: sections.len() as u64 }.as_bytes().to_vec(), 0));
    sections
});

/// Whoever takes it on, and what it must hold to.
#[derive(Default)]
struct Target<'a> {
    input: &'a [u8],
    needs: Option<Needs>,
    last: Option<Section>,
    accepted: bool,
    /// Bytes of memory, of the disk and of the flash that have come.
    offset: u64,
    disk: u64,
    cells: u64,
}

impl Target<'_> {
    /// Takes note of bytes that come, in order.
    fn come(&mut self, area: Area, offset: u64, length: u64) {
        let memory = self.needs.map_or(0, |needs| needs.memory);
        let (size, come) = match area {
            Area::Memory => (memory, &mut self.offset),
            Area::Disk(transport) => {
                assert_eq!((transport, self.offset), (DISK.0, memory), "there is no other, and it comes behind memory");
                (DISK.1 * PAGE, &mut self.disk)
            }
            Area::Flash => {
                let before = self.needs.map_or(0, |needs| disk_of(&needs));
                assert_eq!((self.offset, self.disk), (memory, before), "it comes behind memory and the disk");
                (CELLS * PAGE, &mut self.cells)
            }
        };
        assert!(self.accepted && length > 0 && offset.checked_add(length).is_some_and(|end| end <= size));
        assert_eq!(offset, *come, "it comes in order");
        *come += length;
    }
}

/// Bytes of the disk that a VM of this shape has.
const fn disk_of(needs: &Needs) -> u64 {
    if needs.transports >> DISK.0 & 1 == 0 { 0 } else { DISK.1 * PAGE }
}

impl Sum for Target<'_> {
    fn sum(before: u32, bytes: &[u8]) -> u32 {
        checksum::sum(before, bytes)
    }
}

impl Restore for Target<'_> {
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

    fn state(&mut self, section: Section, body: &[u8]) -> std::result::Result<(), &'static str> {
        assert_eq!(body.len(), section.kind.body());
        assert!(self.last < Some(section) && section.kind.is_header() != self.accepted);
        self.last = Some(section);
        if section.kind == Kind::Needs {
            self.needs = Needs::read_from_bytes(body).ok();
        }
        if body.first() == Some(&0xff) { Err("refused") } else { Ok(()) }
    }

    fn accept(&mut self) -> std::result::Result<(), &'static str> {
        assert!(!self.accepted);
        self.accepted = true;
        Ok(())
    }

    fn size(&self, area: Area) -> u64 {
        match area {
            Area::Disk(transport) if transport == DISK.0 => DISK.1 * PAGE,
            Area::Flash => CELLS * PAGE,
            _ => 0,
        }
    }

    fn store(&mut self, area: Area, offset: u64, length: usize, before: u32) -> std::result::Result<u32, &'static str> {
        self.come(area, offset, length as u64);
        assert!(length as u64 <= RUN);
        let (now, later) = self.input.split_at(length);
        self.input = later;
        Ok(Self::sum(before, now))
    }

    fn clear(&mut self, area: Area, offset: u64, length: u64) -> std::result::Result<u64, &'static str> {
        self.come(area, offset, length);
        Ok(length)
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(steps: &mut Unstructured) -> Result<()> {
    let raw = steps.ratio(1, 8)?;
    let piece = steps.int_in_range(1..=70_000)?;
    let stream = if raw { raw_stream(steps)? } else { told_stream(steps)? };
    let (mut reader, mut target) = (Reader::new(), Target::default());
    for piece in stream.chunks(piece) {
        target.input = piece;
        let mut calls = 0;
        loop {
            match reader.push(&mut target, 3) {
                Ok(Progress::More) => calls += 1,
                Ok(_) => break,
                Err(error) => {
                    assert!(reader.push(&mut target, 3).is_err() && reader.finish::<()>().is_err());
                    assert!(!error.to_string().is_empty());
                    return Ok(());
                }
            }
            assert!(calls <= piece.len(), "it gets on");
        }
        assert!(target.input.is_empty());
    }
    if reader.finish::<()>().is_ok() {
        assert_eq!(Some(target.offset), target.needs.map(|needs| needs.memory), "all of the memory has come");
        assert_eq!(Some(target.disk), target.needs.as_ref().map(disk_of), "and all of the disk");
        let has_flash = target.needs.is_some_and(|needs| needs.devices & Needs::FLASH != 0);
        assert_eq!(target.cells, if has_flash { CELLS * PAGE } else { 0 }, "and all of the flash");
    }
    Ok(())
}

/// Bytes that are none of ours, behind the beginning that every stream has.
fn raw_stream(steps: &mut Unstructured) -> Result<Vec<u8>> {
    let mut stream = Preamble { magic: MAGIC, version: VERSION, reserved: 0 }.as_bytes().to_vec();
    stream.extend(steps.bytes(steps.len())?);
    Ok(stream)
}

/// The good stream with some of it changed, and sums that are right nevertheless.
fn told_stream(steps: &mut Unstructured) -> Result<Vec<u8>> {
    let mut sections = GOOD.clone();
    let mut fix_end = true;
    while !steps.is_empty() {
        let at = steps.int_in_range(0..=sections.len() - 1)?;
        let (other, count) = (steps.int_in_range(0..=sections.len() - 1)?, sections.len());
        let (kind, index, body, sum) = &mut sections[at];
        match steps.int_in_range(0..=9u8)? {
            0 => *kind = steps.int_in_range(0..=130)?,
            1 => *index = steps.int_in_range(0..=9)?,
            2 => *sum = steps.arbitrary()?,
            3 => body.resize(steps.int_in_range(0..=40_000)?, 0x33),
            4 => sections.swap(at, other),
            5 if count > 2 => drop(sections.remove(at)),
            6 if count < 60 => {
                let copy = sections[other].clone();
                sections.insert(at, copy);
            }
            7 => fix_end = false,
            _ if body.is_empty() => {}
            _ => {
                let byte = steps.int_in_range(0..=(body.len() - 1).min(80))?;
                body[byte] = steps.arbitrary()?;
            }
        }
    }
    let mut stream = Preamble { magic: MAGIC, version: VERSION, reserved: 0 }.as_bytes().to_vec();
    for (number, (kind, index, mut body, wrong)) in sections.into_iter().enumerate() {
        let start = stream.len();
        if kind == Kind::End as u32 && fix_end {
            body = End { bytes: start as u64, sections: number as u64 }.as_bytes().to_vec();
        }
        stream.extend(Head { kind, index, length: body.len() as u64 }.as_bytes());
        stream.extend(body);
        let sum = CASTAGNOLI.checksum(&stream[start..]) ^ wrong;
        stream.extend(Tail { sum, reserved: 0 }.as_bytes());
    }
    Ok(stream)
}
