use std::path::Path;

use super::super::expectation::Expectation::{
    self, All, AtMost, CalledAtLeast, Cases, Clock, Date, DiffersFrom, Distinct, Entropy, Line, Never, NoGuest,
    NotKept, Numbered, OnlyCalls, SameAs, Says, Screen, Sequence, Stolen, Stopped, StoppedOrCases, Trace, Value,
};
use super::*;
use crate::el3::El3;
use crate::testing::damage::Damage;
use crate::testing::fuzz::AnyGuest;
use system::Manifest;

/// The VMs that an expectation is about.
fn named(expectation: &Expectation) -> Vec<&'static str> {
    match expectation {
        All(expectations) => expectations.iter().flat_map(named).collect(),
        Line(_) | Sequence(_) | Never(_) | NoGuest => Vec::new(),
        SameAs(..) | DiffersFrom(..) | OnlyCalls(_) | CalledAtLeast(..) | Numbered(_) | AtMost(..) | Distinct(..) => {
            Vec::new()
        }
        Stolen([a, b], c) => vec![a, b, c],
        Says(vm, _)
        | Screen(vm, _)
        | Trace(vm, _)
        | NotKept(vm, _)
        | Value(vm, ..)
        | Entropy(vm)
        | Clock(vm)
        | Date(vm)
        | Cases(vm)
        | Stopped(vm)
        | StoppedOrCases(vm) => {
            vec![vm]
        }
    }
}

#[test]
fn every_case_has_a_manifest_with_the_vms_it_looks_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests");
    let files = tempfile::tempdir().unwrap();
    let guests = AnyGuest::new(files.path()).unwrap();
    for case in all() {
        let board = case.board;
        let limits = system::Board {
            name: board.name().into(),
            cores: case.cores,
            memory: board.memory(),
            time: board.knows_time() || matches!(case.damage, Some(Damage::OtherBoard)),
            forwards: case.el3 != El3::None,
            cpu: None,
            ram: crate::ram::of(board, case.el3),
            devices: Vec::new(),
        };
        let manifest = Manifest::load(&folder.join(case.manifest), &limits, &guests)
            .unwrap_or_else(|report| panic!("{}: {report}", case.name));
        let vms: Vec<&str> = manifest.vms.iter().map(|vm| vm.name.as_str()).collect();
        for vm in case.expectations.iter().flat_map(named) {
            assert!(vms.contains(&vm), "{}: there is no VM {vm}", case.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = all().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().count());
}

/// `scripts/test boards` runs what the README says that shows each of its machines.
#[test]
fn the_matrix_is_that_of_the_readme() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let cells = readme.lines().filter(|line| line.starts_with("| `")).flat_map(|line| line.split('|'));
    let named: Vec<&str> = cells.filter_map(|cell| cell.trim().strip_prefix("`qemu ")?.strip_suffix('`')).collect();
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    let mut told = named.clone();
    told.sort_unstable();
    assert_eq!(told, sorted(MATRIX.to_vec()));
    assert!(MATRIX.iter().all(|name| all().any(|case| case.name == *name)));
}
