//! What the virtio header of a frame may say.

use portcullis_links::network::features::*;
use portcullis_links::network::{Dropped, ETHERNET, Header, LONGEST, TAG};

const ALL: u64 = u64::MAX;
const MTU: u16 = 1500;

/// A header: flags, type, length of headers, size of segments, start and offset of the checksum.
fn header(flags: u8, kind: u8, [headers, size, start, offset]: [u16; 4]) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[0] = flags;
    bytes[1] = kind;
    for (place, half) in [(2, headers), (4, size), (6, start), (8, offset)] {
        bytes[place..place + 2].copy_from_slice(&half.to_le_bytes());
    }
    bytes
}

#[test]
fn nothing_is_to_be_done_of_a_plain_frame() {
    for flags in [0, 2, 4, 0xfe] {
        let read = Header::read(header(flags, 0, [9, 9, 9, 9]), 60, 0, MTU).unwrap();
        assert_eq!(read, Header::default(), "what means nothing is ignored, and not passed on");
        assert_eq!(read.write(60, 3), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0]);
    }
}

#[test]
fn a_checksum_lies_in_its_frame() {
    for (start, offset, length, good) in [
        (14, 0, 16, true),
        (14, 0, 15, false),
        (34, 16, 52, true),
        (34, 16, 51, false),
        (13, 16, 60, false),
        (0, 0, 60, false),
        (60, 0, 60, false),
        (0xffff, 0xffff, 60, false),
        (14, 0xffff, 60, false),
        (0xffff, 0xffff, u32::MAX, false),
    ] {
        let read = Header::read(header(1, 0, [0, 0, start, offset]), length, ALL, MTU);
        assert_eq!(read.is_ok(), good, "{start} {offset} of {length}");
        assert!(Header::read(header(1, 0, [0, 0, start, offset]), length, ALL & !CSUM, MTU).is_err());
        if let Ok(read) = read {
            assert_eq!(read.write(length, 1), {
                let mut bytes = header(1, 0, [0, 0, start, offset]);
                bytes[10] = 1;
                bytes
            });
        }
    }
}

#[test]
fn frames_are_as_long_as_the_network_takes() {
    let long = ETHERNET + TAG + u32::from(MTU);
    assert!(Header::read([0; 12], long, ALL, MTU).is_ok());
    assert_eq!(Header::read([0; 12], long + 1, ALL, MTU), Err(Dropped::Long));
    let segments = header(1, 1, [54, 1448, 34, 16]);
    let long = ETHERNET + TAG + LONGEST;
    assert!(Header::read(segments, long, ALL, MTU).is_ok());
    assert_eq!(Header::read(segments, long + 1, ALL, MTU), Err(Dropped::Long));
    assert_eq!(Header::read(segments, u32::MAX, ALL, MTU), Err(Dropped::Long));
}

#[test]
fn segments_are_what_both_drivers_have_agreed_to() {
    const ECN: u8 = 0x80;
    for (kind, sends, takes) in [
        (1, HOST_TSO4, GUEST_TSO4),
        (4, HOST_TSO6, GUEST_TSO6),
        (1 | ECN, HOST_TSO4 | HOST_ECN, GUEST_TSO4 | GUEST_ECN),
        (4 | ECN, HOST_TSO6 | HOST_ECN, GUEST_TSO6 | GUEST_ECN),
    ] {
        let bytes = header(1, kind, [54, 1448, 34, 16]);
        let read = Header::read(bytes, 3000, CSUM | sends, MTU).unwrap();
        let segmentation = read.segmentation.unwrap();
        assert!(segmentation.is_taken(takes) && segmentation.is_taken(ALL));
        assert_eq!(read.write(3000, 1)[..10], bytes[..10]);
        for bit in (0..64).map(|bit| 1 << bit) {
            if sends & bit != 0 {
                assert_eq!(Header::read(bytes, 3000, ALL & !bit, MTU), Err(Dropped::Header));
            }
            if takes & bit != 0 {
                assert!(!segmentation.is_taken(ALL & !bit));
            }
        }
        let unfinished = header(0, kind, [54, 1448, 34, 16]);
        assert_eq!(Header::read(unfinished, 3000, ALL, MTU), Err(Dropped::Header), "without NEEDS_CSUM");
        assert_eq!(Header::read(header(1, kind, [54, 0, 34, 16]), 3000, ALL, MTU), Err(Dropped::Header));
        let too_many = Header::read(header(1, kind, [3000, 1448, 34, 16]), 3000, ALL, MTU).unwrap();
        assert_eq!(too_many.write(3000, 1)[2..4], [0, 0], "no more headers than bytes");
    }
    for kind in (0..=255).filter(|kind| ![0, 1, 4, 0x81, 0x84].contains(kind)) {
        let read = Header::read(header(1, kind, [54, 1448, 34, 16]), 3000, ALL, MTU);
        assert_eq!(read, Err(Dropped::Header), "type {kind:#x}");
    }
}

#[test]
fn what_is_offered_goes_together() {
    for segmentation in [false, true] {
        let features = offered(segmentation);
        assert!(accepts(features) && accepts(0));
        assert_eq!(features & HOST_TSO4 != 0, segmentation);
        // UFO, MQ, USO, RSC, CTRL_RX and ACCESS_PLATFORM never are.
        for bit in [10, 14, 18, 22, 33, 54, 55, 56, 61] {
            assert_eq!(features & 1 << bit, 0, "bit {bit}");
        }
    }
    for (alone, with) in [
        (HOST_TSO4, CSUM),
        (HOST_TSO6, CSUM),
        (HOST_ECN, HOST_TSO4 | CSUM),
        (GUEST_TSO4, GUEST_CSUM),
        (GUEST_TSO6, GUEST_CSUM),
        (GUEST_ECN, GUEST_TSO6 | GUEST_CSUM),
        (GUEST_ANNOUNCE, 1 << 17),
    ] {
        assert!(!accepts(alone) && accepts(alone | with), "{alone:#x}");
    }
}
