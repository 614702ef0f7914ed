//! Which CPUs a VM is told of.

use portcullis_abi::bundle::IMPLEMENTATIONS_MAX;
use portcullis_abi::result::SMCCC_INVALID_PARAMETER;
use portcullis_arch::fake;
use portcullis_bundle::VmConfig;
use portcullis_bundle::assignment::Assignments;
use portcullis_bundle::implementations::{Implementation, Implementations};
use portcullis_gate::Return;
use portcullis_vgic::GicVersion;

use crate::life::cores::{UnfitCores, settle_cores};
use crate::service::implementations::{cpu, version};
use crate::tests::board::Parts;
use crate::tests::rig::{Rig, vm};

/// A Cortex-A55 in two revisions, and a Cortex-A76.
const A55: u64 = 0x412f_d050;
const OLD_A55: u64 = 0x411f_d050;
const A76: u64 = 0x414f_d0b0;
/// REVIDR_EL1 of the cores that are made up, where a test does not say another one.
const REVIDR: u64 = 5;

fn told(midr: u64, revidr: u64, aidr: u64) -> Return {
    Return([0, midr, revidr, aidr])
}

/// So many implementations that no board has, as a bundle has them.
fn listed(count: usize) -> Implementations<'static> {
    let list: Vec<[u8; 24]> = (0..count)
        .map(|number| {
            let mut bytes = [0; 24];
            bytes[..8].copy_from_slice(&(0x610f_0000 + number as u64).to_be_bytes());
            bytes
        })
        .collect();
    Implementations::from(&*Vec::leak(list))
}

#[test]
fn a_vm_is_told_of_its_own_cores_each_kind_once() {
    let all = [A55, A76, A55, OLD_A55, A76];
    let vms = [vm("one", &[0]), vm("mixed", &[1, 2, 3, 4])];
    let rig = Rig::with_midrs(Parts::new(), &vms, &all);
    let (one, mixed) = (rig.vm(0), rig.vm(1));
    assert_eq!((version(one), version(mixed)), (Return([0, 0x1_0000, 1, 0]), Return([0, 0x1_0000, 3, 0])));
    assert_eq!(cpu(one, [0; 3]), told(A55, REVIDR, 0));
    assert_eq!([0, 1, 2].map(|index| cpu(mixed, [index, 0, 0])), [A76, A55, OLD_A55].map(|midr| told(midr, REVIDR, 0)));
    for bad in [[3, 0, 0], [u64::MAX, 0, 0], [1 << 32, 0, 0], [0, 1, 0], [0, 0, 1]] {
        assert_eq!(cpu(mixed, bad), Return::code(SMCCC_INVALID_PARAMETER), "{bad:?}");
    }
    // Each vCPU's own core, whose identification EL2 shows as it is (VPIDR_EL2), is among them.
    let known = mixed.implementations().unwrap().as_slice();
    for vcpu in mixed.vcpus() {
        let own = rig.register(vcpu.core, "midr_el1");
        assert_eq!(own, all[vcpu.core]);
        assert!(known.iter().any(|one| one.midr == own), "vCPU {}", vcpu.index);
    }
}

#[test]
fn cores_that_differ_in_their_revision_register_alone_are_two() {
    let prepare = |core: usize| {
        fake::set("midr_el1", A55);
        fake::set("revidr_el1", [0, 0x10, 0][core]);
        fake::set("aidr_el1", [0, 0, 7][core]);
    };
    let rig = Rig::prepared(Parts::new(), GicVersion::V3, &[vm("a", &[0, 1, 2])], Assignments::default(), prepare);
    let all = [0, 1, 2].map(|index| cpu(rig.vm(0), [index, 0, 0]));
    assert_eq!(all, [told(A55, 0, 0), told(A55, 0x10, 0), told(A55, 0, 7)]);
}

#[test]
fn its_manifest_s_come_behind_its_own() {
    let own = VmConfig { implementations: listed(2), ..vm("a", &[0]) };
    let rig = Rig::with_midrs(Parts::new(), &[own], &[A76]);
    assert_eq!(version(rig.vm(0)), Return([0, 0x1_0000, 3, 0]));
    let all = [0, 1, 2].map(|index| cpu(rig.vm(0), [index, 0, 0]));
    assert_eq!(all, [told(A76, REVIDR, 0), told(0x610f_0000, 0, 0), told(0x610f_0001, 0, 0)]);
}

#[test]
fn more_than_can_be_told_are_refused_by_name() {
    let most = VmConfig { implementations: listed(IMPLEMENTATIONS_MAX - 1), ..vm("a", &[0, 1]) };
    let rig = Rig::with_midrs(Parts::new(), &[most, vm("b", &[2])], &[A55, A55, A76]);
    let a = rig.vm(0);
    assert_eq!(version(a), Return([0, 0x1_0000, IMPLEMENTATIONS_MAX as u64, 0]), "its cores are one kind");
    // On cores of two kinds it would be one too many.
    let [first, _, other] = rig.machine.cores else { panic!("three cores") };
    let error = settle_cores(a, &[first, other]).unwrap_err();
    assert!(matches!(error, UnfitCores::Implementations("a")), "{error:?}");
    assert_eq!(
        error.to_string(),
        "a: its cores and its `implementations` are more than 16 different CPUs; leave some out"
    );
    // All 16 listed, and none of them its own.
    let full = VmConfig { implementations: listed(IMPLEMENTATIONS_MAX), ..vm("c", &[0]) };
    let own = Implementation { midr: A55, revidr: REVIDR, aidr: 0 };
    let all = [own].into_iter().chain(full.implementations.iter());
    assert!(crate::vm::implementations::KnownImplementations::of(all).is_err());
}
