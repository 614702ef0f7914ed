//! Time slices, and the nodes of cores.

use super::*;
use crate::limit::{self, Misfit, SLICE, TimeLimit, WINDOW, WINDOWS, WrongTime};

/// A bundle of VM `a`, with vCPUs on cores 2, 0 and 2, and VM `b`, with vCPUs on cores 2 and 0, and what `cores` adds.
fn shared(cores: impl FnOnce(&mut FdtWriter)) -> Vec<u8> {
    write(
        |_| {},
        |tree| {
            vm(tree, 0, "a", &["cores"], |tree| tree.property_array_u32("cores", &[2, 0, 2]).unwrap());
            vm(tree, 1, "b", &[], |_| {});
            cores(tree);
        },
    )
}

/// A node with a property for each list that is not empty.
fn core(tree: &mut FdtWriter, name: &str, lists: &[(&str, &[u32])]) {
    let node = tree.begin_node(name).unwrap();
    for (name, cells) in lists {
        tree.property_array_u32(name, cells).unwrap();
    }
    tree.end_node(node).unwrap();
}

/// What is wrong with core 2 of these properties.
fn core_error(lists: &[(&str, &[u32])]) -> CoreError {
    match Bundle::parse(&shared(|tree| core(tree, "core@2", lists))) {
        Err(BundleError::Core(2, error)) => error,
        other => panic!("{other:?}"),
    }
}

fn wrong_time(limit: TimeLimit, time: u32) -> WrongTime {
    limit.check(time.into()).unwrap_err()
}

const FRAME: (&str, &[u32]) = ("frame", &[10_000]);

#[test]
fn slices_are_read_and_checked() {
    let slices = |cells: &[u32]| {
        let data =
            write(|_| {}, |tree| vm(tree, 0, "a", &[], |tree| tree.property_array_u32("slices", cells).unwrap()));
        Bundle::parse(&data).map(|bundle| {
            let slices = bundle.vms().next().unwrap().slices;
            [0, 1, 2].map(|vcpu| slices.microseconds(vcpu))
        })
    };
    assert_eq!(slices(&[100, 1_000_000]), Ok([100, 1_000_000, 5_000]));
    let error = |error| Err(BundleError::Vm(0, error));
    for cells in [&[][..], &[5_000], &[5_000, 5_000, 5_000]] {
        assert_eq!(slices(cells), error(VmError::Malformed("slices")));
    }
    for wrong in [0, 99, 1_000_001, u32::MAX] {
        assert_eq!(slices(&[5_000, wrong]), error(VmError::Slice(wrong_time(SLICE, wrong))));
    }
    let odd = vm_error(&[], |tree| tree.property("slices", &[0; 7]).unwrap());
    assert_eq!(odd, VmError::Malformed("slices"));
    let data = sample();
    assert_eq!(Bundle::parse(&data).unwrap().vms().next().unwrap().slices.microseconds(0), 5_000);
}

#[test]
fn cyclic_cores_are_read() {
    let data = shared(|tree| {
        core(tree, "core@0", &[("windows", &[1, 0, 100, 0, 100, 900, 1, 1_000, 999_000]), ("frame", &[1_000_000])]);
        core(tree, "core@2", &[FRAME, ("windows", &[0, 500, 1_000]), ("background", &[1, 0])]);
    });
    let bundle = Bundle::parse(&data).unwrap();
    let [first, second] = bundle.cores().collect::<Vec<_>>()[..] else { panic!("two cores") };
    assert_eq!((first.number, first.frame, first.background), (0, 1_000_000, 0));
    let windows: Vec<_> = first.windows().map(|window| (window.vm, window.start, window.length)).collect();
    assert_eq!(windows, [(1, 0, 100), (0, 100, 900), (1, 1_000, 999_000)]);
    assert_eq!((second.number, second.frame, second.background), (2, 10_000, 3));
    assert_eq!(second.windows().collect::<Vec<_>>(), [Window { vm: 0, start: 500, length: 1_000 }]);
    assert_eq!(Bundle::parse(&shared(|_| {})).unwrap().cores().count(), 0);
}

#[test]
fn every_core_is_checked() {
    let windows = |cells: &[u32]| core_error(&[FRAME, ("windows", cells), ("background", &[0, 1])]);
    let length = |index, length| CoreError::WindowLength(index, wrong_time(WINDOW, length));
    let beyond = |index, end| CoreError::Misfit(index, Misfit::Beyond { end, frame: 10_000 });
    let whole = ("windows", &[0, 0, 1_000, 1, 1_000, 1_000][..]);
    assert_eq!(core_error(&[whole]), CoreError::Missing("frame"));
    assert_eq!(core_error(&[FRAME]), CoreError::Missing("windows"));
    for frame in [0, 999, 1_000_001, u32::MAX] {
        assert_eq!(core_error(&[("frame", &[frame]), whole]), CoreError::Frame(wrong_time(limit::FRAME, frame)));
    }
    assert_eq!(core_error(&[("frame", &[10_000, 0]), whole]), CoreError::Malformed("frame"));
    assert_eq!(windows(&[0, 0, 1_000, 1]), CoreError::Malformed("windows"));
    assert_eq!(core_error(&[FRAME, whole, ("slice", &[1])]), CoreError::Unknown);
    assert_eq!(windows(&[]), CoreError::WindowCount(WINDOWS.check(0).unwrap_err()));
    let many: Vec<u32> = (0..17).flat_map(|number| [0, number * 500, 500]).collect();
    assert_eq!(windows(&many), CoreError::WindowCount(WINDOWS.check(17).unwrap_err()));
    if cfg!(miri) {
        // What follows is the same with other numbers, and takes it a minute.
        return;
    }
    assert_eq!(windows(&[0, 0, 100, 0, 100, 99]), length(1, 99));
    assert_eq!(windows(&[0, 0, 0]), length(0, 0));
    assert_eq!(windows(&[0, 0, 500, 1, 499, 500]), CoreError::Misfit(1, Misfit::Overlap { start: 499, free: 500 }));
    assert_eq!(
        windows(&[0, 500, 500, 1, 0, 500]),
        CoreError::Misfit(1, Misfit::Overlap { start: 0, free: 1_000 }),
        "not in their order"
    );
    assert_eq!(windows(&[0, 0, 500, 1, 9_000, 1_001]), beyond(1, 10_001));
    assert_eq!(windows(&[0, u32::MAX, 100]), beyond(0, u32::MAX));
    assert_eq!(windows(&[0, 500, u32::MAX]), length(0, u32::MAX));
    assert_eq!(windows(&[2, 0, 500]), CoreError::NotHere(2));
    assert_eq!(windows(&[u32::MAX, 0, 500]), CoreError::NotHere(u32::MAX as usize));
    let beside = |cells| core_error(&[FRAME, whole, ("background", cells)]);
    assert_eq!(beside(&[7]), CoreError::NotHere(7));
    assert_eq!(core_error(&[FRAME, ("windows", &[1, 0, 500])]), CoreError::Forgotten(0));
    assert_eq!(core_error(&[FRAME, ("windows", &[0, 0, 500])]), CoreError::Forgotten(1));
}

#[test]
fn cores_have_a_place_and_an_order() {
    let right: &[(&str, &[u32])] = &[FRAME, ("windows", &[0, 0, 500, 1, 500, 500])];
    let of = |names: &[&str]| {
        let data = shared(|tree| names.iter().for_each(|name| core(tree, name, right)));
        Bundle::parse(&data).map(|bundle| bundle.cores().count())
    };
    assert_eq!(of(&["core@0", "core@2"]), Ok(2));
    assert_eq!(of(&["core@2", "core@0"]), Err(BundleError::CoreOrder(0)));
    assert_eq!(of(&["core@2", "core@2"]), Err(BundleError::CoreOrder(2)));
    assert_eq!(of(&["core@1"]), Err(BundleError::Core(1, CoreError::NotHere(0))), "nobody is on it");
    for name in ["core@", "core@x", "core@100000000", "core", "cpu@0"].into_iter().take(if cfg!(miri) { 1 } else { 5 })
    {
        assert_eq!(of(&[name]), Err(BundleError::Unknown), "{name}");
    }
    let before = write(
        |_| {},
        |tree| {
            core(tree, "core@2", right);
            vm(tree, 0, "a", &[], |_| {});
        },
    );
    assert_eq!(Bundle::parse(&before).unwrap_err(), BundleError::Core(2, CoreError::NotHere(0)));
    let between = shared(|tree| {
        core(tree, "core@2", right);
        vm(tree, 2, "c", &[], |_| {});
    });
    assert_eq!(Bundle::parse(&between).unwrap_err(), BundleError::Unknown);
}

#[test]
fn damaged_schedules_never_panic() {
    let data = shared(|tree| core(tree, "core@2", &[FRAME, ("windows", &[0, 0, 1_000]), ("background", &[1])]));
    let start = data.windows(7).position(|bytes| bytes == b"core@2\0").unwrap();
    for at in (start..data.len()).step_by(if cfg!(miri) { 1_021 } else { 1 }) {
        for mask in (0..8).map(|bit| 1 << bit).chain([0xff]).step_by(if cfg!(miri) { 4 } else { 1 }) {
            let mut bad = data.clone();
            bad[at] ^= mask;
            if let Ok(bundle) = Bundle::parse(&seal(bad)) {
                for core in bundle.cores() {
                    assert!(core.windows().all(|window| window.start + window.length <= core.frame));
                }
            }
        }
    }
}

#[test]
fn messages_name_the_core_and_what_is_right() {
    let message = |error| BundleError::Core(10, error).to_string();
    assert_eq!(message(CoreError::Frame(wrong_time(limit::FRAME, 5))), "core@a: a frame of 5us; a frame is 1ms to 1s");
    let text = "core@a: window 3: a window of 7us; a window is 100us to 1s";
    assert_eq!(message(CoreError::WindowLength(3, wrong_time(WINDOW, 7))), text);
    let text =
        "core@a: window 3 ends at 2ms, but the frame at 1ms; make the frame longer, or the windows shorter or fewer";
    assert_eq!(message(CoreError::Misfit(3, Misfit::Beyond { end: 2_000, frame: 1_000 })), text);
    assert_eq!(message(CoreError::NotHere(3)), "core@a: vm@3 is named; only VMs with a vCPU on this core can be");
    let text = "vm@1: a slice of 7us; a slice is 100us to 1s";
    assert_eq!(BundleError::Vm(1, VmError::Slice(wrong_time(SLICE, 7))).to_string(), text);
}
