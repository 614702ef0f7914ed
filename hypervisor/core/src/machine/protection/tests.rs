//! VMs whose cores differ.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::function::{ARCH_FEATURES, ARCH_WORKAROUND_2};
use portcullis_board::Firmware;
use portcullis_gate::{Register, SetError};

use crate::tests::board::Parts;
use crate::tests::rig::{Rig, vm};
use crate::vm::Vm;

const A55: u64 = 0x412f_d050;
const A72: u64 = 0x410f_d083;

/// EL3 with all three workarounds, which every core needs; it counts how often it was to switch on the second one.
struct WithWorkarounds(AtomicU64);

impl Firmware for WithWorkarounds {
    fn call(&self, x: &mut [u64; 18]) {
        if x[0] == u64::from(ARCH_WORKAROUND_2) {
            assert_eq!(x[1], 1);
            self.0.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(x[0], u64::from(ARCH_FEATURES));
        }
        x[0] = 0;
    }
    fn is_wide(&self) -> bool {
        true
    }
}

/// VMs on a core that needs nothing, on one that does, and on both.
fn rig(parts: Parts) -> Rig {
    Rig::with_midrs(parts, &[vm("little", &[0]), vm("big", &[1]), vm("both", &[2, 3])], &[A55, A72, A55, A72])
}

fn levels(vm: &Vm) -> [u64; 3] {
    [Register::Workaround1, Register::Workaround2, Register::Workaround3].map(|register| vm.row.get(register))
}

#[test]
fn the_worst_core_of_a_vm_says_what_it_is_told() {
    let rig = rig(Parts::new());
    assert_eq!([0, 1, 2].map(|vm| levels(rig.vm(vm))), [[2, 3, 2], [0; 3], [0; 3]]);
    // A manager cannot promise more either, and CSV2 says so on each of its cores.
    let support = rig.machine.support(rig.vm(2));
    assert!(matches!(support.check(Register::Workaround1, 1), Err(SetError::Unsupported { supported: 0, .. })));
    let csv2 = [0, 1, 2].map(|vm| rig.vm(vm).features.get().register(4, 0) >> 56 & 0xf);
    assert_eq!(csv2, [1, 0, 0]);
}

#[test]
fn exits_begin_with_something_on_the_cores_that_need_it() {
    let rig = rig(Parts::new());
    let tables = [0, 1, 2, 3].map(|core| rig.register(core, "vbar_el2"));
    assert_eq!((tables[0], tables[1]), (tables[2], tables[3]));
    assert_ne!(tables[0], tables[1]);
}

#[test]
fn el3_protects_what_needs_it_once_on_each_core() {
    let firmware: &'static WithWorkarounds = Box::leak(Box::new(WithWorkarounds(AtomicU64::new(0))));
    let mut parts = Parts::new();
    parts.board.firmware = Some(firmware);
    let rig = rig(parts);
    assert_eq!([0, 1, 2].map(|vm| levels(rig.vm(vm))), [[2, 3, 2], [1, 3, 1], [1, 3, 1]]);
    assert_eq!(firmware.0.load(Ordering::Relaxed), 2, "on each A72");
}
