//! Every device is in the list that the room for a guest's device tree follows from.

// Miri keeps tests away from files.
#![cfg(not(miri))]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portcullis_devices::{Device, EMULATED, uart::Pl011};

/// Adds the types below `folder` that implement `Device`.
fn find(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let types = text.lines().filter_map(|line| line.strip_prefix("impl Device for ")?.strip_suffix(" {"));
            found.extend(types.map(str::to_owned));
        }
    }
}

#[test]
fn every_device_is_in_the_list() {
    let mut found = BTreeSet::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.remove("Pl011"), "the UART, which every VM has: {found:?}");
    let names: BTreeSet<&str> = EMULATED.iter().map(|device| device.node).collect();
    assert_eq!(
        (names.len(), EMULATED.len()),
        (found.len(), found.len()),
        "EMULATED in lib.rs lists each of {found:?} once"
    );
    assert!(!names.contains(<Pl011 as Device>::DESCRIPTION.node));
}
