//! The header, the checksum, and damage.

use super::*;

/// Under Miri every so many-th byte is damaged.
const STEP: usize = if cfg!(miri) { 4_093 } else { 1 };

#[test]
fn data_may_be_longer_than_the_bundle() {
    let mut data = sample();
    data.extend([0xff; 5000]);
    assert_eq!(Bundle::parse(&data).unwrap().vms().count(), 2);
}

#[test]
fn every_flip_and_every_truncation_is_an_error() {
    let mut data = sample();
    for at in (0..data.len()).step_by(STEP) {
        for mask in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            data[at] ^= mask;
            assert!(Bundle::parse(&data).is_err(), "byte {at} xor {mask:#x}");
            data[at] ^= mask;
        }
        assert!(Bundle::parse(&data[..at]).is_err(), "{at} bytes");
    }
    assert!(Bundle::parse(&data).is_ok());
}

#[test]
fn damage_behind_a_right_checksum_never_panics() {
    let data = sample();
    let mut accepted = 0;
    for at in (0..data.len()).step_by(STEP) {
        for mask in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            let mut bad = data.clone();
            bad[at] ^= mask;
            accepted += usize::from(Bundle::parse(&seal(bad)).is_ok());
        }
    }
    // Bits of values such as kernel bytes may change, and those between the images; those of structure may not.
    assert!(cfg!(miri) || accepted > 0 && accepted < data.len() * 9 / 2, "{accepted}");
}

#[test]
fn every_field_of_the_header_is_checked() {
    assert_eq!(Bundle::parse(&[]).unwrap_err(), BundleError::TooShort(0));
    assert_eq!(Bundle::parse(&bundle::MAGIC).unwrap_err(), BundleError::TooShort(8));
    assert_eq!(Bundle::parse(&[0x1f; 64]).unwrap_err(), BundleError::Magic(0x1f1f_1f1f_1f1f_1f1f));
    let data = sample();
    let (size, available) = (data.len() as u64, data.len());
    let error = |offset, bytes: &[u8]| {
        let mut bad = data.clone();
        put(&mut bad, offset, bytes);
        Bundle::parse(&seal(bad)).unwrap_err()
    };
    assert_eq!(error(0, &0xd00d_feed_u32.to_be_bytes()), BundleError::Old);
    assert_eq!(error(7, b"l"), BundleError::Magic(u64::from_be_bytes(*b"PORTCULl")));
    for version in [0, 1, 2, u32::MAX] {
        assert_eq!(error(bundle::VERSION_OFFSET, &version.to_be_bytes()), BundleError::Version(version));
    }
    for total in [size + 1, u64::MAX] {
        assert_eq!(error(bundle::SIZE_OFFSET, &total.to_be_bytes()), BundleError::Size { total, available });
    }
    for total in [0, 8, bundle::HEADER_SIZE as u64] {
        let found = error(bundle::SIZE_OFFSET, &total.to_be_bytes());
        assert!(matches!(found, BundleError::Images { total: of, .. } if of == total), "{found:?}");
    }
    for at in [0, 1, bundle::HEADER_SIZE as u64, bundle::ALIGNMENT + 1, size + bundle::ALIGNMENT, u64::MAX] {
        let found = error(bundle::IMAGES_OFFSET, &at.to_be_bytes());
        assert_eq!(found, BundleError::Images { at, total: size }, "{at:#x}");
    }
    // The images' own place, but not their tree's end.
    assert!(matches!(error(bundle::IMAGES_OFFSET, &bundle::ALIGNMENT.to_be_bytes()), BundleError::Tree(_)));
    let cut = available - 1;
    assert_eq!(Bundle::parse(&data[..cut]).unwrap_err(), BundleError::Size { total: size, available: cut });
    let mut kernel = data.clone();
    *kernel.last_mut().unwrap() ^= 1;
    assert!(matches!(Bundle::parse(&kernel).unwrap_err(), BundleError::Checksum { .. }));
}

#[test]
fn no_loader_takes_it_for_something_of_its_own() {
    let start = &sample()[..bundle::HEADER_SIZE];
    // Device trees and FIT images, U-Boot's own images, Android's, what is compressed, kernels, archives.
    let others: [&[u8]; 11] = [
        b"\xd0\x0d\xfe\xed",
        b"\x27\x05\x19\x56",
        b"ANDROID!",
        b"\x1f\x8b",
        b"\xfd7zXZ",
        b"\x28\xb5\x2f\xfd",
        b"BZh",
        b"\x04\x22\x4d\x18",
        b"MZ",
        b"\x7fELF",
        b"0707",
    ];
    assert!(others.iter().all(|magic| !start.starts_with(magic)));
}
