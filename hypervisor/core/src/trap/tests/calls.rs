//! Firmware calls that the vectors do not finish.

use portcullis_abi::{function, manage, map};
use portcullis_arch::fake::Trap;
use portcullis_bundle::{FirmwareConfig, Settings, VmConfig};
use portcullis_gate::{RangeRequest, Service};

use crate::tests::guest::{hvc, serve, smc};
use crate::tests::rig::{MIDR, Rig, SETTINGS, results, vm, x};
use crate::trap::call::portcullis_call;
use crate::vm::activity::Activity;
use crate::vm::state::Phase;

/// A function that this machine has not.
const UNKNOWN: u64 = 0x8400_00ff;
/// A function of an OEM, which only EL3 knows.
const OEM: u64 = 0xc300_0000;

fn rig() -> Rig {
    let rig = Rig::new(&[
        vm("ops", &[0]),
        vm("a", &[1, 2]),
        VmConfig { settings: Settings { autostart: false, ..SETTINGS }, ..vm("b", &[3]) },
    ]);
    rig.settle();
    rig
}

#[test]
fn the_gate_answers_refuses_and_counts() {
    let rig = rig();
    let version = results(rig.guest(1, |context| hvc(context, [u64::from(function::PSCI_VERSION), 0, 0, 0])));
    assert_eq!(version[0], 0x1_0003);
    let refused = results(rig.guest(1, |context| smc(context, [UNKNOWN, 7, 7, 7])));
    assert_eq!(refused, [u64::MAX, 0, 0, 0]);
    // An immediate other than zero is nobody's convention.
    let immediate = rig.guest(1, |context| {
        context.set_register(0, u64::from(function::PSCI_VERSION));
        Trap::To(portcullis_call, 0x16 << 26 | 1 << 25 | 1)
    });
    assert_eq!(x(immediate, 0), u64::MAX);
    let account = rig.vcpu(1, 0).account();
    assert_eq!(account.refused.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[test]
fn a_vm_is_told_of_its_cores_and_of_what_its_manifest_adds() {
    let mut added = Vec::new();
    for word in [MIDR[1], 5, 0, 0x414f_d0b1, 1, 2] {
        added.extend_from_slice(&word.to_be_bytes());
    }
    let added = added.leak().as_chunks::<24>().0;
    let grant = FirmwareConfig { registers: [None, None, None, Some(3), None, None], ..FirmwareConfig::default() };
    // The cores are of two kinds in turns. The second of the manifest's is new.
    let rig = Rig::new(&[
        vm("ops", &[0]),
        VmConfig { implementations: added.into(), firmware: Some(grant), ..vm("a", &[2, 1, 3]) },
        vm("b", &[4]),
    ]);
    rig.settle();
    let call = |core, x: [u64; 4]| results(rig.guest(core, move |context| hvc(context, x)));
    let version = [u64::from(function::VENDOR_IMPL_VERSION), 9, 9, 9];
    assert_eq!(call(2, version), [0, 0x1_0000, 3, 0], "arguments do not count");
    let told = |index| call(2, [u64::from(function::VENDOR_IMPL_CPUS), index, 0, 0]);
    assert_eq!([0, 1, 2].map(told), [[0, MIDR[0], 5, 0], [0, MIDR[1], 5, 0], [0, 0x414f_d0b1, 1, 2]]);
    let wrong = [(-3_i64).cast_unsigned(), 0, 0, 0];
    for index in [3, 16, 1 << 32, u64::MAX] {
        assert_eq!(told(index), wrong, "{index:#x}");
    }
    for zeros in [[1, 0], [0, 1], [0, 1 << 63]] {
        assert_eq!(call(2, [u64::from(function::VENDOR_IMPL_CPUS), 0, zeros[0], zeros[1]]), wrong, "{zeros:?}");
    }
    assert_eq!(call(4, version), [u64::MAX, 0, 0, 0], "the bits are 0 in a new VM");
}

#[test]
fn what_goes_to_el3_comes_back_with_its_results() {
    let rig = rig();
    let b = rig.vm(2);
    rig.at(0, || {
        let mut lock = b.manager_lock().unwrap();
        let range =
            RangeRequest { base: OEM as u32, count: 1, action: manage::FILTER_FORWARD as u8, reserved: [0; 15] };
        lock.add_range(&range, true).unwrap();
        lock.start().unwrap();
    });
    rig.settle();
    let back = results(rig.guest(3, |context| smc(context, [OEM, 41, 0, 0])));
    assert_eq!(back[0], 42);
    assert_eq!(rig.vcpu(2, 0).account().forwarded[1].load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn an_audited_vm_has_its_calls_noted() {
    let rig =
        Rig::new(&[vm("ops", &[0]), VmConfig { settings: Settings { audit: true, ..SETTINGS }, ..vm("a", &[1]) }]);
    rig.settle();
    rig.guest(1, |context| hvc(context, [u64::from(function::PSCI_VERSION), 0, 0, 0]));
    rig.guest(1, |context| smc(context, [UNKNOWN, 0, 0, 0]));
    let notes = [0, 1].map(|index| rig.vm(1).audit.get(index).map(|note| note.call as u32));
    assert_eq!(notes, [Some(function::PSCI_VERSION), Some(UNKNOWN as u32)]);
}

#[test]
fn each_service_has_its_way_in() {
    let rig = rig();
    // PTP: the time and the virtual counter, in halves.
    let [high, low, ..] = results(rig.guest(1, |context| serve(context, Service::PTP, [0, 0, 0, 0])));
    assert!(high << 32 | low >= 1_795_970_000_000_000_000);
    // Bits 63:32 of an SMC32 call's argument are nobody's.
    let again = results(rig.guest(1, |context| serve(context, Service::PTP, [0, 1 << 32, 0, 0])));
    assert_eq!(again[..2], [high, low]);
    // TRNG_RND64: a word in x3, as long as there is one.
    let [status, _, _, word] = results(rig.guest(1, |context| serve(context, Service::RND64, [0, 64, 0, 0])));
    assert_eq!((status, word >> 20), (0, 0xe));
    rig.parts.source.fill(0);
    let [status, ..] = results(rig.guest(1, |context| serve(context, Service::RND64, [0, 64, 0, 0])));
    assert_eq!(status.cast_signed(), portcullis_abi::result::TRNG_NO_ENTROPY);
    // A code that no answer holds.
    assert_eq!(x(rig.guest(1, |context| serve(context, u32::MAX, [0; 4])), 0), u64::MAX);
    // PV time, which has no way of its own.
    let address = results(rig.guest(1, |context| hvc(context, [u64::from(function::PV_TIME_ST), 0, 0, 0])));
    assert_eq!(address[0], map::PV_TIME);
}

#[test]
fn cpu_on_starts_the_other_vcpu_and_cpu_off_ends_it() {
    let rig = rig();
    let second = rig.vcpu(1, 1);
    let on = [u64::from(function::PSCI_CPU_ON | function::SMC64), 1, map::RAM + 0x100, 99];
    assert_eq!(x(rig.guest(1, move |context| hvc(context, on)), 0), 0);
    // Its core has yet to begin it, and to its VM it is on.
    let again = x(rig.guest(1, move |context| hvc(context, on)), 0).cast_signed();
    assert_eq!(again, portcullis_abi::result::PSCI_ALREADY_ON);
    let about = [u64::from(function::PSCI_AFFINITY_INFO), 1, 0, 0];
    let state = x(rig.guest(1, move |context| hvc(context, about)), 0).cast_signed();
    assert_eq!(state, portcullis_abi::result::PSCI_AFFINITY_ON);
    rig.settle();
    assert_eq!((rig.register(2, "elr_el2"), second.activity()), (map::RAM + 0x100, Activity::Running));
    assert_eq!(x(rig.run(2), 0), 99);
    let already = x(rig.guest(1, move |context| hvc(context, on)), 0).cast_signed();
    assert_eq!(already, portcullis_abi::result::PSCI_ALREADY_ON);
    rig.guest(2, |context| hvc(context, [u64::from(function::PSCI_CPU_OFF), 0, 0, 0]));
    assert_eq!((second.activity(), rig.is_in_guest(2)), (Activity::Off, false));
    let bad = [on[0], 1, 0x1000, 0];
    let invalid = x(rig.guest(1, move |context| hvc(context, bad)), 0).cast_signed();
    assert_eq!(invalid, portcullis_abi::result::PSCI_INVALID_ADDRESS);
}

#[test]
fn system_off_and_system_reset_are_the_vms_own() {
    let rig = rig();
    rig.guest(1, |context| hvc(context, [u64::from(function::PSCI_SYSTEM_RESET), 0, 0, 0]));
    rig.settle();
    assert!(rig.is_in_guest(1), "it has started again");
    rig.guest(1, |context| hvc(context, [u64::from(function::PSCI_SYSTEM_OFF), 0, 0, 0]));
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
}
