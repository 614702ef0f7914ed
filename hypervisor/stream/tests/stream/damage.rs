//! A stream that is cut, damaged, or lies: it is refused, by section, and nothing is touched before its header has passed.

use std::sync::LazyLock;

use portcullis_abi::state::Needs;
use portcullis_stream::layout::{End, Head, Preamble, Run, Tail};
use portcullis_stream::{Error, Fault, Kind, Reader, Section};
use zerocopy::{FromBytes, IntoBytes};

use crate::round::sections;
use crate::vm::{CELLS, Random, Restoring, Vm, crc32c, restore};

/// Each of its bytes is flipped in turn: it is small, and has of everything.
static SOME: LazyLock<Vm> = LazyLock::new(|| {
    let vms = (11..99).map(|seed| Vm::random(&mut Random(seed), 2, &[false, true, true]));
    let vms = vms.filter(|vm| vm.cells.is_some() && vm.disks.len() == 1);
    let vm = vms.min_by_key(|vm| vm.states.len() + vm.disks.values().map(Vec::len).sum::<usize>() / 64).unwrap();
    // Pages 0 and 2 are sent.
    let cells = (0..CELLS).flat_map(|page| vec![if page % 2 == 0 && page < 3 { 0x3c } else { 0xff }; 4096]).collect();
    Vm { cells: Some(cells), ..vm }
});

/// A stream of these sections, with the sums that they have.
fn stream(sections: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut stream = Preamble { magic: *b"PORTC-VM", version: 1, reserved: 0 }.as_bytes().to_vec();
    for (kind, index, body) in sections {
        let start = stream.len();
        stream.extend(Head { kind: *kind, index: *index, length: body.len() as u64 }.as_bytes());
        stream.extend(body);
        let sum = crc32c(&stream[start..]);
        stream.extend(Tail { sum, reserved: 0 }.as_bytes());
    }
    stream
}

/// The good stream's sections.
fn good() -> Vec<(u32, u32, Vec<u8>)> {
    let whole = SOME.save(4096);
    sections(&whole).iter().map(|(section, body)| (section.kind as u32, section.index, body.to_vec())).collect()
}

fn fault(sections: &[(u32, u32, Vec<u8>)]) -> Error<&'static str> {
    restore(&stream(sections), || 5000).unwrap_err()
}

#[test]
fn a_stream_that_is_cut_anywhere_is_refused() {
    let whole = SOME.save(4096);
    assert_eq!(stream(&good()), whole);
    let (mut reader, mut vm) = (Reader::new(), Restoring::default());
    for (length, byte) in whole.chunks(1).enumerate() {
        let error = reader.finish::<&str>().unwrap_err();
        assert_eq!(error.fault, Fault::Cut, "{length} bytes");
        assert_eq!(error.section.is_none(), length < size_of::<Preamble>() + size_of::<Head>(), "{length} bytes");
        vm.push(&mut reader, byte).unwrap();
    }
    assert_eq!(reader.finish::<&str>(), Ok(()));
    let longer = [whole.as_slice(), &[0]].concat();
    assert_eq!(restore(&longer, || 3000), Err(Fault::Trailing.of(Some(Section::END))));
}

#[test]
fn any_flipped_bit_is_found() {
    let whole = SOME.save(4096);
    let mut random = Random(1);
    for at in (0..whole.len()).step_by(if cfg!(miri) { 1999 } else { 1 }) {
        let mut bad = whole.clone();
        bad[at] ^= 1 << random.below(8);
        let error = restore(&bad, || 4096).unwrap_err();
        match at {
            0..8 => assert_eq!(error, Fault::NotAStream.of(None)),
            8..12 => assert!(matches!(error.fault, Fault::Version(_))),
            12..16 => assert_eq!(error, Fault::Reserved.of(None)),
            _ => assert!(error.section.is_some() || matches!(error.fault, Fault::Unknown(_)), "byte {at}: {error:?}"),
        }
    }
}

#[test]
fn a_newer_version_is_refused_with_both() {
    let mut newer = SOME.save(4096);
    newer[8] = 2;
    let error = restore(&newer, || 1).unwrap_err();
    assert_eq!(error, Fault::Version(2).of(None));
    assert_eq!(error.to_string(), "the saved VM has format version 2; version 1 is understood here");
}

#[test]
fn nothing_is_touched_before_the_header_has_passed() {
    let whole = SOME.save(4096);
    for kind in [Kind::Needs, Kind::Firmware, Kind::Cpu] {
        let (mut reader, mut vm) = (Reader::new(), Restoring::with(&whole));
        vm.refuses = Some(Section::of(kind));
        let error = vm.push(&mut reader, &whole).unwrap_err();
        assert_eq!(error, Fault::Other("not this one").of(vm.refuses));
        assert!(!vm.is_accepted);
        assert_eq!(reader.push(&mut Restoring::with(&whole), 9), Err(Fault::Refused.of(vm.refuses)), "it stays so");
        assert_eq!(reader.finish::<&str>(), Err(Fault::Refused.of(vm.refuses)));
    }
}

#[test]
fn a_section_that_is_missing_twice_or_out_of_order_is_refused() {
    let good = good();
    let states = good.iter().filter(|(kind, ..)| *kind < Kind::Memory as u32).count();
    for at in 0..states {
        let kind = Kind::of(good[at].0).unwrap();
        let mut missing = good.clone();
        missing.remove(at);
        if !kind.is_optional() {
            let error = fault(&missing);
            let due = Section { kind, index: good[at].1 };
            assert!(matches!(error.fault, Fault::Order(section) if section == due), "{error:?}");
        }
        let mut twice = good.clone();
        twice.insert(at, good[at].clone());
        assert!(matches!(fault(&twice).fault, Fault::Order(_)), "{at} twice");
        let mut swapped = good.clone();
        swapped.swap(at, at + 1);
        assert!(matches!(fault(&swapped).fault, Fault::Order(_) | Fault::Index(_)), "{at} and the next");
    }
}

#[test]
fn lies_are_refused_by_section() {
    let run = |offset, length| Run { offset, length }.as_bytes().to_vec();
    let memory = good().iter().position(|(kind, ..)| *kind == Kind::Memory as u32).unwrap();
    let last = good().len() - 1;
    let full = |mut body: Vec<u8>, length: usize| {
        body.resize(16 + length, 7);
        body
    };
    type Lie = (usize, (u32, u32, Vec<u8>), Fault<&'static str>);
    let (needs, zero, end) = (Kind::Needs as u32, Kind::Zero as u32, Kind::End as u32);
    let data = Kind::Memory as u32;
    let shape = |change: fn(&mut Needs)| {
        let mut needs = Needs::read_from_bytes(&good()[0].2).unwrap();
        change(&mut needs);
        needs.as_bytes().to_vec()
    };
    let huge = u64::MAX << 12;
    let lies: Vec<Lie> = vec![
        (0, (needs, 0, shape(|needs| needs.version = 2)), Fault::Shape("a shape of this version")),
        (0, (needs, 0, shape(|needs| needs.vcpus = 0)), Fault::Shape("so many vCPUs")),
        (0, (needs, 0, shape(|needs| needs.vcpus = 9)), Fault::Shape("so many vCPUs")),
        (0, (needs, 0, shape(|needs| needs.memory = 0)), Fault::Shape("so many bytes of memory")),
        (0, (needs, 0, shape(|needs| needs.memory += 1)), Fault::Shape("so many bytes of memory")),
        (0, (needs, 0, shape(|needs| needs.ports = 33)), Fault::Shape("so many ports of a console")),
        (0, (needs, 1, good()[0].2.clone()), Fault::Index(1)),
        (0, (needs, 0, vec![0; 8]), Fault::Length(8)),
        (0, (15, 0, vec![]), Fault::Unknown(15)),
        (1, (Kind::Network as u32, 32, vec![]), Fault::Index(32)),
        (memory, (data, 1, full(run(0, 4096), 4096)), Fault::Index(1)),
        (memory, (data, 0, run(0, 0)), Fault::Length(16)),
        (memory, (data, 0, full(run(0, 4096), 4095)), Fault::Length(16 + 4095)),
        (memory, (data, 0, full(run(0, 4096), 9 * 4096)), Fault::Length(16 + 9 * 4096)),
        (memory, (data, 0, full(run(0, 8192), 4096)), Fault::Length(16 + 4096)),
        (memory, (data, 0, full(run(4096, 4096), 4096)), Fault::Gap(0, 4096)),
        (memory, (data, 0, full(run(huge, 4096), 4096)), Fault::Gap(0, huge)),
        (memory, (data, 0, full(run(0, 4 * 4096), 4 * 4096)), Fault::Beyond(4 * 4096, 3 * 4096)),
        (memory, (zero, 0, run(0, 4 * 4096)), Fault::Beyond(4 * 4096, 3 * 4096)),
        (memory, (zero, 0, run(0, huge)), Fault::Beyond(huge, 3 * 4096)),
        (memory, (zero, 0, run(0, 0)), Fault::Beyond(0, 3 * 4096)),
        (memory, (zero, 0, run(0, 100)), Fault::Beyond(100, 3 * 4096)),
        (
            memory,
            (end, 0, End { bytes: 0, sections: 0 }.as_bytes().to_vec()),
            Fault::Short(Section::of(Kind::Memory), 0),
        ),
        (last, (end, 0, End { bytes: 0, sections: 0 }.as_bytes().to_vec()), Fault::Count),
    ];
    for (number, (at, lie, expected)) in lies.into_iter().enumerate() {
        let mut bad = good();
        bad[at] = lie;
        let error = fault(&bad);
        assert_eq!(error.fault, expected, "lie {number}: {error}");
    }
    let cells = good().iter().position(|(kind, ..)| *kind == Kind::Cells as u32).unwrap();
    let (own, erased, size) = (Kind::Cells as u32, Kind::Erased as u32, CELLS * 4096);
    let lies: Vec<Lie> = vec![
        (cells, (own, 1, full(run(0, 4096), 4096)), Fault::Index(1)),
        (cells, (own, 0, full(run(8192, 4096), 4096)), Fault::Gap(0, 8192)),
        (cells, (own, 0, full(run(0, 4096), 8192)), Fault::Length(16 + 8192)),
        (cells, (own, 0, full(run(0, 100), 4096)), Fault::Beyond(100, size)),
        (cells, (erased, 0, run(0, size + 4096)), Fault::Beyond(size + 4096, size)),
        (cells, (erased, 0, run(0, huge)), Fault::Beyond(huge, size)),
        (cells, (erased, 0, run(0, 0)), Fault::Beyond(0, size)),
        (cells, (zero, 0, run(0, 4096)), Fault::Order(Section::of(Kind::Cells))),
        (cells, (end, 0, End { bytes: 0, sections: 0 }.as_bytes().to_vec()), Fault::Short(Section::of(Kind::Cells), 0)),
        (cells + 1, (own, 0, full(run(0, 4096), 4096)), Fault::Gap(4096, 0)),
        (0, (needs, 0, shape(|needs| needs.devices &= !Needs::FLASH)), Fault::Index(0)),
    ];
    for (number, (at, lie, expected)) in lies.into_iter().enumerate() {
        let mut bad = good();
        bad[at] = lie;
        let error = fault(&bad);
        assert_eq!(error.fault, expected, "lie {number} about flash: {error}");
    }
    // One behind the last: what is behind memory is due, or the end.
    let mut more = good();
    more.insert(last, (zero, 0, run(3 * 4096, 4096)));
    let error = fault(&more).fault;
    assert!(matches!(error, Fault::Beyond(4096, 0) | Fault::Order(_)), "{error:?}");
}

/// Whatever comes, in whatever pieces: an answer, and no memory but the VM's.
#[test]
fn nonsense_is_refused() {
    let mut random = Random(99);
    let whole = SOME.save(4096);
    for _ in 0..if cfg!(miri) { 20 } else { 3000 } {
        let mut bad = good();
        // Bodies that nobody has thought of, with sums that are right.
        for _ in 0..=random.below(3) {
            let section = random.below(bad.len() as u64) as usize;
            let (kind, index, body) = &mut bad[section];
            match random.below(5) {
                0 => *kind = random.below(130) as u32,
                1 => *index = random.below(4) as u32,
                2 => body.truncate(random.below(body.len() as u64 + 1) as usize),
                _ if body.is_empty() => {}
                _ => {
                    let at = random.below((body.len() as u64).min(64)) as usize;
                    body[at] = random.next() as u8;
                }
            }
        }
        let bad = stream(&bad);
        let _ = restore(&bad, || 1 + random.below(6000) as usize);
    }
    assert!(restore(&whole, || 4096).is_ok());
}

#[test]
fn every_error_says_what_is_wrong() {
    let error = Fault::<&str>::Sum(1, 2).of(Some(Section { kind: Kind::World, index: 3 }));
    let text = "section WORLD of vCPU 3: it is damaged: its checksum says 0x00000001, and its bytes have 0x00000002";
    assert_eq!(error.to_string(), text);
    let error = Fault::<&str>::Order(Section::of(Kind::Gic)).of(Some(Section::of(Kind::Uart)));
    assert_eq!(error.to_string(), "section UART: it comes where section GIC is due");
}
