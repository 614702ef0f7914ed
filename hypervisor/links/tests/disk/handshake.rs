//! What servers can say at first, and what becomes of it.

use portcullis_links::nbd::{Broken, Client, In, Out, Wanted};

use crate::server::{Manner, Server};

const SIZE: u64 = 1 << 20;

/// A client and a server until neither has anything to say.
fn talk(client: &mut Client, server: &mut Server, piece: usize) -> Result<(), Broken> {
    loop {
        let before = server.out.len();
        match client.next_out() {
            Out::Bytes(bytes) => {
                let bytes = &bytes[..piece.min(bytes.len())];
                server.hear(bytes);
                client.moved_out(bytes.len() as u32);
                continue;
            }
            Out::Data { .. } => panic!("nothing was asked"),
            Out::None => {}
        }
        match client.next_in() {
            In::Bytes(wants) if !server.out.is_empty() => {
                let bytes: Vec<u8> = (0..wants.min(piece)).map_while(|_| server.out.pop_front()).collect();
                assert_eq!(client.hear(&bytes)?, None);
            }
            In::Skip(left) => {
                let bytes = (0..left).map_while(|_| server.out.pop_front()).count();
                assert_eq!(client.moved_in(bytes as u32), None);
            }
            _ => {}
        }
        if server.out.len() == before {
            return Ok(());
        }
    }
}

fn met(manner: Manner, size: u64, block: u32, read_only: bool, piece: usize) -> Result<Client, Broken> {
    let mut client = Client::new(Wanted::new(&manner.export, size, block, read_only).unwrap());
    assert_eq!((client.next_in(), client.next_out(), client.is_open()), (In::None, Out::None, false));
    client.open();
    let mut server = Server::new(manner, vec![0; SIZE as usize]);
    talk(&mut client, &mut server, piece)?;
    Ok(client)
}

#[test]
fn every_manner_of_a_good_server() {
    for piece in [1, 3, 1000] {
        for bits in 0..8 {
            let export = if bits & 1 == 0 { String::new() } else { "an export".to_owned() };
            let manner = Manner { no_zeroes: bits & 2 == 0, go: bits & 4 == 0, export, ..Manner::good() };
            let mut client = met(manner, SIZE, 512, false, piece).unwrap();
            assert_eq!(client.export().map(|export| export.size), Some(SIZE), "{bits} by {piece}");
            assert!(client.is_open() && client.next_out() == Out::None && client.next_in() == In::Bytes(16));
        }
    }
}

#[test]
fn an_export_is_at_least_what_the_disk_is() {
    let good = Manner::good;
    let read_only = Manner { flags: 1 | 1 << 1, ..good() };
    let large = |smallest| Manner { blocks: Some([smallest, 65536, 32 << 20]), ..good() };
    assert!(met(good(), SIZE - 512, 512, false, 99).is_ok(), "it may be larger");
    let small = Broken::Small { size: SIZE, wanted: SIZE + 512 };
    for go in [true, false] {
        assert_eq!(met(Manner { go, ..good() }, SIZE + 512, 512, false, 99).unwrap_err(), small);
        assert_eq!(met(Manner { go, ..read_only.clone() }, SIZE, 512, false, 99).unwrap_err(), Broken::ReadOnly);
    }
    assert!(met(read_only, SIZE, 512, true, 99).is_ok());
    assert!(met(large(4096), SIZE, 4096, false, 99).is_ok());
    let blocks = Broken::Blocks { smallest: 4096, wanted: 512 };
    assert_eq!(met(large(4096), SIZE, 512, false, 99).unwrap_err(), blocks);
    let short = Manner { blocks: Some([1, 1, 256]), ..good() };
    assert!(matches!(met(short, SIZE, 512, false, 99), Err(Broken::Length { length: 256, .. })));
    assert!(met(Manner { blocks: None, ..good() }, SIZE, 512, false, 99).is_ok());
}

fn option(kind: u32, length: u32, data: &[u8]) -> Option<Vec<u8>> {
    let magic = 0x0003_e889_0455_65a9_u64;
    Some([&magic.to_be_bytes()[..], &[0, 0, 0, 7], &kind.to_be_bytes(), &length.to_be_bytes(), data].concat())
}

#[test]
fn what_is_not_the_protocol_ends_the_connection() {
    let with = |option| met(Manner { option, ..Manner::good() }, SIZE, 512, false, 7).unwrap_err();
    assert_eq!(with(Some(b"HTTP/1.0 400 Bad Request".to_vec())), Broken::OptionReply(*b"HTTP/1.0"));
    assert_eq!(with(option(1, 0, &[])), Broken::NoSize);
    assert_eq!(with(option(5, 0, &[])), Broken::ReplyType(5));
    assert_eq!(with(option(3, 1, &[0])), Broken::Length { what: "its export", length: 1 });
    assert_eq!(with(option(3, 10, &[0; 10])), Broken::Length { what: "its export's size", length: 10 });
    let blocks = Broken::Length { what: "its block sizes", length: 2 };
    assert_eq!(with(option(3, 2, &[0, 3])), blocks);
    for error in [2, 5, 6, 8, 999] {
        assert_eq!(with(option(1 << 31 | error, 0, &[])), Broken::Refused(1 << 31 | error));
    }
    let mut other = option(1, 0, &[]).unwrap();
    other[11] = 6;
    assert_eq!(with(Some(other)), Broken::OtherOption(6));
    let not_fixed = Manner { fixed: false, ..Manner::good() };
    assert_eq!(met(not_fixed, SIZE, 512, false, 7).unwrap_err(), Broken::NotFixed);
    for (greeting, broken) in [
        (*b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53\0\0", Broken::Oldstyle),
        (*b"NBDMAGICIHAVEOPX\0\x03", Broken::Style(*b"IHAVEOPX")),
        (*b"login: \0\0\0\0\0\0\0\0\0\0\0", Broken::Greeting(*b"login: \0")),
    ] {
        let mut client = Client::new(Wanted::new("", SIZE, 512, false).unwrap());
        client.open();
        assert_eq!(client.hear(&greeting), Err(broken));
    }
}

#[test]
fn a_line_says_what_came() {
    for (broken, text) in [
        (
            Broken::Greeting(*b"login: \0"),
            "it is no NBD server: it begins with 6c 6f 67 69 6e 3a 20 00, not with NBDMAGIC",
        ),
        (Broken::Greeting(*b"SSH-2.0-"), "it is no NBD server: it begins with \"SSH-2.0-\", not with NBDMAGIC"),
        (Broken::Oldstyle, "it speaks NBD's oldstyle handshake; fixed newstyle is spoken here"),
        (Broken::Style(*b"IHAVEOPX"), "behind its greeting came \"IHAVEOPX\", not IHAVEOPT"),
        (Broken::NotFixed, "it speaks NBD's newstyle without the fixes; fixed newstyle is spoken here"),
        (Broken::OptionReply([0; 8]), "instead of the reply to an option came 00 00 00 00 00 00 00 00"),
        (Broken::OtherOption(6), "it replied to option 6, which it was not asked"),
        (Broken::Refused(1 << 31 | 6), "it refused the export with error 0x80000006: it has no such export"),
        (
            Broken::Refused(1 << 31 | 5),
            "it refused the export with error 0x80000005: it wants TLS, which is not spoken here",
        ),
        (Broken::ReplyType(5), "it replied to an option by type 0x5"),
        (Broken::Length { what: "its export", length: 1 }, "it says 1 bytes of its export"),
        (Broken::NoSize, "it did not say how large its export is"),
        (Broken::Small { size: 512, wanted: 1024 }, "its export has 512 bytes, and the disk 1024"),
        (Broken::ReadOnly, "its export cannot be written; serve it so, or let the disk be read-only"),
        (Broken::Blocks { smallest: 4096, wanted: 512 }, "its export has blocks of 4096 bytes, and the disk of 512"),
        (Broken::Reply([1, 2, 3, 4]), "instead of a reply came 01 02 03 04"),
        (Broken::Cookie(0x10), "it replied to request 0x10, which it does not have"),
    ] {
        assert_eq!(broken.to_string(), text);
    }
}

#[test]
fn any_bytes_are_judged() {
    let mut seed = 0x1357_9bdf_0246_8ace_u64;
    for _ in 0..if cfg!(miri) { 20 } else { 20_000 } {
        let mut client = Client::new(Wanted::new("x", SIZE, 512, false).unwrap());
        client.open();
        let mut bytes = b"NBDMAGICIHAVEOPT\0\x03".to_vec();
        bytes.extend(option(3, 12, &[0; 12]).unwrap());
        bytes.extend(option(1, 0, &[]).unwrap());
        bytes.extend([0; 64]);
        for _ in 0..3 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let place = (seed >> 32) as usize % bytes.len();
            bytes[place] ^= 1 << (seed % 8);
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let used = match client.next_in() {
                In::Bytes(wants) => match client.hear(rest) {
                    Ok(_) => wants,
                    Err(broken) => {
                        assert!(!broken.to_string().is_empty());
                        break;
                    }
                },
                In::Skip(left) => {
                    let there = rest.len().min(left as usize);
                    client.moved_in(there as u32);
                    there
                }
                other => panic!("{other:?}"),
            };
            rest = rest.get(used.max(1)..).unwrap_or_default();
            let _ = client.next_out();
            client.moved_out(1000);
        }
    }
}
