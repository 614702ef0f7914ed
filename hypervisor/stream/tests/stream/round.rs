//! What was saved is what is restored.

use portcullis_stream::layout::{Head, PAGE, Preamble, RUN, Tail};
use portcullis_stream::{Area, Kind, Section};
use zerocopy::FromBytes;

use crate::vm::{CELLS, Random, Vm, crc32c, restore};

/// The sections of a stream, with their bodies. Every checksum is right.
pub fn sections(stream: &[u8]) -> Vec<(Section, &[u8])> {
    let (mut at, mut all) = (size_of::<Preamble>(), Vec::new());
    while at < stream.len() {
        let (head, rest) = Head::read_from_prefix(&stream[at..]).unwrap();
        let (body, rest) = rest.split_at(head.length as usize);
        let (tail, _) = Tail::read_from_prefix(rest).unwrap();
        let length = size_of::<Head>() + body.len();
        assert_eq!(tail, Tail { sum: crc32c(&stream[at..at + length]), reserved: 0 });
        all.push((Section { kind: Kind::of(head.kind).unwrap(), index: head.index }, body));
        at += length + size_of::<Tail>();
    }
    all
}

#[test]
fn what_was_saved_is_what_is_restored_in_whatever_pieces() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..if cfg!(miri) { 2 } else { 300 } {
        let pages: Vec<bool> = (0..1 + random.below(40)).map(|_| random.below(3) == 0).collect();
        let vcpus = 1 + random.below(8) as u32;
        let vm = Vm::random(&mut random, vcpus, &pages);
        let buffer = 1 + random.below(RUN) as usize;
        let stream = vm.save(buffer);
        let longest = 1 + random.below(2 * RUN);
        assert_eq!(restore(&stream, || 1 + random.below(longest) as usize).as_ref(), Ok(&vm));
    }
}

#[test]
fn the_same_vm_is_the_same_stream_whatever_the_buffer() {
    let vm = Vm::random(&mut Random(7), 2, &[false, true, true, false, false]);
    let whole = vm.save(usize::MAX);
    for buffer in [1, 2, 7, 8, 4095, 4096, 32 << 10] {
        assert_eq!(vm.save(buffer), whole);
    }
    assert_eq!(restore(&whole, || 1).as_ref(), Ok(&vm));
}

#[test]
fn zeros_are_told_and_not_sent() {
    let mut pages = [true; 4096];
    let vm = Vm::random(&mut Random(3), 1, &pages);
    let stream = vm.save(4096);
    let of_memory = |section: &Section| matches!(section.kind, Kind::Memory | Kind::Zero);
    let runs: Vec<_> = sections(&stream).into_iter().filter(|(section, _)| of_memory(section)).collect();
    assert_eq!(runs.iter().map(|(_, body)| body.len()).collect::<Vec<_>>(), [16], "16 MiB of zeros");
    pages[1000] = false;
    let other = Vm::random(&mut Random(3), 1, &pages).save(4096);
    let runs: Vec<_> = sections(&other).into_iter().filter(|(section, _)| of_memory(section)).collect();
    let runs: Vec<_> = runs.iter().map(|(section, body)| (section.kind, body.len())).collect();
    assert_eq!(runs, [(Kind::Zero, 16), (Kind::Memory, 16 + PAGE as usize), (Kind::Zero, 16)]);
}

#[test]
fn erased_cells_are_told_and_not_sent() {
    let vm = (1..).map(|seed| Vm::random(&mut Random(seed), 1, &[true])).find(|vm| vm.cells.is_some()).unwrap();
    let runs = |cells: &dyn Fn(u64) -> u8| {
        let cells = (0..CELLS).flat_map(|page| vec![cells(page); PAGE as usize]).collect();
        let vm = Vm { cells: Some(cells), ..vm.clone() };
        let stream = vm.save(4096);
        assert_eq!(restore(&stream, || 4096).as_ref(), Ok(&vm));
        let of_flash =
            |section: &Section| [false, true].iter().any(|is_blank| *section == Area::Flash.section(*is_blank));
        let runs = sections(&stream).into_iter().filter(|(section, _)| of_flash(section));
        runs.map(|(section, body)| (section.kind, (body.len() as u64 - 16) / PAGE)).collect::<Vec<_>>()
    };
    assert_eq!(runs(&|_| 0xff), [(Kind::Erased, 0)]);
    assert_eq!(
        runs(&|page| if page == 3 { 0 } else { 0xff }),
        [(Kind::Erased, 0), (Kind::Cells, 1), (Kind::Erased, 0)]
    );
    assert_eq!(runs(&|_| 0), [(Kind::Cells, 8), (Kind::Cells, 8), (Kind::Cells, 4)], "zeros are no erased cells");
}

#[test]
fn sections_come_in_order_and_have_the_checksums_of_crc_32c() {
    let vm = Vm::random(&mut Random(5), 3, &[false; 20]);
    let stream = vm.save(1000);
    let sections = sections(&stream);
    assert!(sections.iter().filter(|(section, _)| !section.kind.is_run()).is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(sections.last().map(|(section, _)| *section), Some(Section::END));
    for (section, body) in sections.iter().filter(|(section, _)| !section.kind.is_run() && *section != Section::END) {
        assert_eq!(vm.states.get(section).map(Vec::as_slice), Some(*body));
    }
}

#[test]
fn the_check_value_of_crc_32c() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}
