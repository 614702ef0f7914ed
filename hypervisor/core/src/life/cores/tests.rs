//! VMs on cores that differ.

use portcullis_arch::fake::{self, Trap};
use portcullis_bundle::assignment::Assignments;
use portcullis_bundle::page_size::PageSize;
use portcullis_vgic::GicVersion;

use super::*;
use crate::tests::board::Parts;
use crate::tests::guest::system_register;
use crate::tests::rig::{Rig, SECOND, vm, x};

/// ID_AA64PFR0_EL1, ID_AA64ISAR0_EL1, ID_AA64ISAR1_EL1, ID_AA64MMFR0_EL1 by CRm and op2, and as the fake core names them.
const REGISTERS: [(&str, u64, u64); 4] =
    [("s3_0_c0_c4_0", 4, 0), ("s3_0_c0_c6_0", 6, 0), ("s3_0_c0_c6_1", 6, 1), ("s3_0_c0_c7_0", 7, 0)];
/// A little core: AArch32 at EL0, no atomics, pages of 4 and 64 KiB.
const LITTLE: [u64; 4] = [0x0300_0012, 0x0001_1120, 0, 0x1122];
/// A big one: no AArch32, atomics, signed pointers, pages of 16 KiB, too.
const BIG: [u64; 4] = [0x0300_0011, 0x0021_1120, 0x10, 0x0010_1124];

/// VMs on a little core, on a big one, and on both, one core of which the first VM has as well.
fn rig() -> Rig {
    let vms = [vm("little", &[0]), vm("big", &[1]), vm("both", &[2, 1, 2])];
    Rig::prepared(Parts::new(), GicVersion::V3, &vms, Assignments::default(), |core| {
        let values = if core == 1 { BIG } else { LITTLE };
        REGISTERS.iter().zip(values).for_each(|((name, ..), value)| fake::set(name, value));
    })
}

fn shown(vm: &Vm) -> [u64; 4] {
    REGISTERS.map(|(_, crm, op2)| vm.features.get().register(crm, op2) & 0xffff_ffff)
}

#[test]
fn a_vm_is_offered_what_all_of_its_cores_have() {
    let rig = rig();
    let little = [0x0100_0012, 0x0001_1120, 0, 0x1121];
    let big = [0x0100_0011, 0x0021_1120, 0x10, 0x0010_1121];
    assert_eq!([0, 1].map(|vm| shown(rig.vm(vm))), [little, big]);
    assert_eq!(shown(rig.vm(2)), [0x0100_0011, 0x0001_1120, 0, 0x1121]);
    // Alike, a VM's cores cost it no set of its own.
    assert!(core::ptr::eq(rig.vm(1).features.get(), rig.machine.cores[1].features()));
}

/// What a guest reads is its VM's, on whichever core, and whoever else has that core.
#[test]
fn guests_read_what_their_vm_is_offered() {
    let vms = [vm("ops", &[0]), vm("both", &[1, 2])];
    let rig = Rig::prepared(Parts::new(), GicVersion::V3, &vms, Assignments::default(), |core| {
        fake::set("s3_0_c0_c6_0", if core == 1 { 0x0021_1120 } else { 0x0001_1120 });
    });
    rig.settle();
    let read = |core| x(rig.guest(core, |_| Trap::Exception(system_register(3, 0, 0, 6, 0, 3, true))), 3);
    assert_eq!([read(0), read(1)], [0x0001_1120, 0x0001_1120], "core 1 has more, and its VM does not");
}

/// What is said of the VM on both kinds of cores if one core has this value of a register.
fn settled_with(core: usize, register: &'static str, value: u64) -> Result<(), UnfitCores> {
    let rig = rig();
    let other: &'static Core = Box::leak(Box::new(Core::new(core, core as u64, 0x1000, 0x2000)));
    rig.at(core, || {
        fake::set(register, value);
        other.identify(None);
    });
    let mut cores = rig.machine.cores.to_vec();
    cores[core] = other;
    settle_cores(rig.vm(2), &cores)
}

#[test]
fn what_a_core_lacks_for_a_vm_is_said() {
    assert_eq!(settled_with(1, "cntfrq_el0", SECOND), Ok(()));
    let error = settled_with(1, "cntfrq_el0", 24_000_000).unwrap_err();
    assert_eq!(error, UnfitCores::Frequency { vm: "both", cores: [2, 1], hz: [SECOND, 24_000_000] });
    assert!(
        error.to_string().starts_with("both has cores 2 and 1, whose CNTFRQ_EL0 is 1000000 and 24000000; firmware")
    );
    // PARange of 32 bits: the host's memory is beyond.
    let error = settled_with(1, "id_aa64mmfr0_el1", 0).unwrap_err();
    assert!(matches!(error, UnfitCores::Reach { vm: "both", core: 1, bits: 32, .. }), "{error}");
    assert!(error.to_string().ends_with("and core 1 has addresses of 32 bits; give both other cores"), "{error}");
}

/// Raspberry Pi 5 has its peripherals at 0x10_7c00_0000.
#[test]
fn a_vm_with_a_device_beyond_64_gib_is_told_of_addresses_that_reach_it() {
    for (address, bits) in [(0x10_7d00_1000, 2), (0xf_ffff_f000, 1), (0x10_0000_0000, 2), (0x904_0000, 1)] {
        let registers = vec![Range::sized(address, 0x1000)];
        let mut given = Assignments::default();
        let device = Device { path: "/serial", name: b"serial", registers, ..Device::default() };
        given.give("far", false, Range::sized(0x4000_0000, 0x1000), device, |_| false).unwrap();
        let vms = [vm("ops", &[0]), vm("far", &[1])];
        let rig = Rig::prepared(Parts::new(), GicVersion::V3, &vms, given, |_| fake::set("s3_0_c0_c7_0", 0x1125));
        rig.settle();
        let read = |core| x(rig.guest(core, |_| Trap::Exception(system_register(3, 0, 0, 7, 0, 3, true))), 3) & 0xf;
        assert_eq!([read(0), read(1)], [1, bits], "{address:#x}");
        let set = rig.vm(1).features.get();
        assert_eq!(set.register(7, 0) >> 4, rig.machine.cores[1].features().register(7, 0) >> 4, "nothing else");
        assert_eq!(core::ptr::eq(set, rig.machine.cores[1].features()), bits == 1);
    }
}

#[test]
fn a_kernel_needs_its_pages_on_each_of_its_cores() {
    let rig = rig();
    let lacking = |pages, cores: &[usize]| lacking(pages, cores.iter().map(|core| rig.machine.cores[*core]));
    assert_eq!(lacking(PageSize::Kib16, &[1]), None);
    assert_eq!(lacking(PageSize::Kib16, &[1, 2]), Some(2));
    assert_eq!(lacking(PageSize::Kib4, &[1, 2]), None);
    let error = UnfitCores::Pages { vm: "k16", pages: PageSize::Kib16, core: 2 };
    assert_eq!(
        error.to_string(),
        "k16: its kernel has pages of 16 KiB, which core 2 lacks; take one with pages of 4 KiB, or other cores"
    );
}
