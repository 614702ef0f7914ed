use super::*;

/// A program header: type, virtual address, physical address, data, bytes in memory.
struct Load(u32, u64, u64, Vec<u8>, u64);

/// PT_LOAD with equal addresses and no .bss.
fn load(address: u64, data: &[u8]) -> Load {
    Load(1, address, address, data.to_vec(), data.len() as u64)
}

/// An ELF file with `segments`, and one section (named .text) per segment, the last one of them without data (.bss).
fn elf(entry: u64, segments: &[Load]) -> Vec<u8> {
    let data_start = 64 + 56 * segments.len();
    let names = b"\0.text\0.bss\0.shstrtab\0";
    let data_size: usize = segments.iter().map(|segment| segment.3.len()).sum();
    let sections_at = (data_start + data_size + names.len()) as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |file: &mut Vec<u8>, value: usize| file.extend((value as u16).to_le_bytes());
    half(&mut file, 3); // e_type: ET_DYN
    half(&mut file, 183); // e_machine: EM_AARCH64
    file.extend(1u32.to_le_bytes());
    for word in [entry, 64, sections_at] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    for value in [64, 56, segments.len(), 64, 4, 3] {
        half(&mut file, value);
    }
    let mut offset = data_start;
    for Load(kind, virtual_address, physical, data, size) in segments {
        file.extend(kind.to_le_bytes());
        file.extend(5u32.to_le_bytes());
        for word in [offset as u64, *virtual_address, *physical, data.len() as u64, *size, 4] {
            file.extend(word.to_le_bytes());
        }
        offset += data.len();
    }
    for segment in segments {
        file.extend(&segment.3);
    }
    file.extend(names);
    // name, type, flags, address, offset, size
    let text = (1u32, 1u32, 6u64, entry, data_start as u64, 8u64);
    let bss = (7, 8, 3, entry.wrapping_add(0x1000), sections_at, 4096);
    let strings = (12, 3, 0, 0, (data_start + data_size) as u64, names.len() as u64);
    for (name, kind, flags, address, offset, size) in [(0, 0, 0, 0, 0, 0), text, bss, strings] {
        file.extend(name.to_le_bytes());
        file.extend(kind.to_le_bytes());
        for word in [flags, address, offset, size, 0, 1, 0] {
            file.extend(word.to_le_bytes());
        }
    }
    file
}

#[test]
fn segments_in_the_order_of_memory() {
    let mut bss = load(0x1020, b"data");
    bss.4 = 4096;
    let file = elf(0x1000, &[load(0x1010, b"second"), load(0x1000, b"first"), bss, Load(2, 0, 0, b"no".to_vec(), 2)]);
    let mut expected = vec![0; 0x24];
    expected[..5].copy_from_slice(b"first");
    expected[0x10..0x16].copy_from_slice(b"second");
    expected[0x20..].copy_from_slice(b"data");
    assert_eq!(flatten(&file), Ok(expected));
}

#[test]
fn segments_without_data_take_no_place() {
    let nothing = Load(1, 0, 0, Vec::new(), 1 << 40);
    assert_eq!(flatten(&elf(0x1000, &[nothing, load(0x1000, b"text")])), Ok(b"text".to_vec()));
}

#[test]
fn the_entry_is_found_by_its_virtual_address() {
    let high = Load(1, 0xffff_0000_0000_0000, 0x8_0000, b"text".to_vec(), 4);
    assert_eq!(flatten(&elf(0xffff_0000_0000_0000, &[high])), Ok(b"text".to_vec()));
}

#[track_caller]
fn says(file: &[u8], expected: &str) {
    assert_eq!(flatten(file).unwrap_err().to_string(), expected);
}

#[test]
fn wrong_files() {
    says(
        b"#!/bin/sh\n",
        "not a readable 64-bit little-endian ELF file: Invalid ELF header size or alignment; build it again",
    );
    let mut file = elf(0, &[load(0, b"text")]);
    file[18] = 62;
    says(&file, "an ELF file for machine 62 of type 3; expected an executable for AArch64 (183)");
    let mut file = elf(0, &[load(0, b"text")]);
    file[16] = 1;
    says(&file, "an ELF file for machine 183 of type 1; expected an executable for AArch64 (183)");
    let nothing = "the ELF file has nothing to load; the linker script must put .text into a PT_LOAD segment";
    says(&elf(0, &[]), nothing);
    says(&elf(0, &[Load(1, 0, 0, Vec::new(), 4096)]), nothing);
    let file = elf(0x1000, &[load(0x1000, &[0; 4096])]);
    says(
        &file[..2048],
        "the segment at 0x1000 lies beyond the end of the ELF file, which was cut short; build it again",
    );
}

#[test]
fn wrong_places() {
    says(
        &elf(0, &[load(0, b"text"), load(3, b"data")]),
        "the segment at 0x3 starts before the one below it ends, at 0x4; check the linker script",
    );
    says(
        &elf(0, &[load(0, b"text"), load(0x100_0005, b"data")]),
        "16777217 empty bytes lie below the segment at 0x1000005; at most 16777216 are allowed",
    );
    assert_eq!(
        flatten(&elf(0, &[load(0, b"text"), load(0x100_0004, b"data")])).map(|image| image.len()),
        Ok(0x100_0008)
    );
    says(
        &elf(0x1004, &[load(0x1000, b"12345678")]),
        "the entry is 0x1004, not the start 0x1000: the linker script must put it at the first byte",
    );
    says(
        &elf(0, &[load(0x1000, b"text")]),
        "the entry is 0x0, not the start 0x1000: the linker script must put it at the first byte",
    );
    let top = u64::MAX - 1;
    says(
        &elf(top, &[load(top, b"text")]),
        "the segment at 0xfffffffffffffffe lies beyond the end of the ELF file, which was cut short; build it again",
    );
}

#[test]
fn section_table() {
    let table = sections(&elf(0x1000, &[load(0x1000, b"12345678")])).unwrap();
    let expected = "\
section             address       bytes     in file
.text    0x0000000000001000           8           8
.bss     0x0000000000002000        4096           0
total                              4104           8
";
    assert_eq!(table.to_string(), expected);
    assert!(matches!(sections(b"no"), Err(Error::Format(_))));
}

#[test]
fn damage_never_panics() {
    let file = elf(0x1000, &[load(0x1000, b"12345678"), load(0x2000, b"data")]);
    for at in 0..file.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = file.clone();
            damaged[at] = value;
            _ = flatten(&damaged);
            _ = sections(&damaged).map(|sections| sections.to_string());
        }
        _ = flatten(&file[..at]);
        _ = sections(&file[..at]);
    }
}
