//! What is shown: version, names, counters, refused calls, audit, time of day.

use portcullis_abi::firmware::{PSCI_VERSION, STD, STD_HYP, VENDOR_HYP, VENDOR_HYP_PTP};
use portcullis_abi::manage::*;
use portcullis_arch::fake;
use portcullis_board::time::nanoseconds;
use portcullis_devices::uart::registers::{CR, DR};
use portcullis_gate::{Conduit, FunctionId, Group, Verdict};

use super::Bench;
use super::bench::{A, B, FREE, MEMORY, OPS, VMS};
use crate::vm::audit::Fate;

#[test]
fn the_version_comes_first_and_is_told_in_any_case() {
    let bench = Bench::new();
    let ours = u64::from(ABI_VERSION);
    assert_eq!(bench.call(VERSION, [ours, 0, 0]), (SUCCESS, [ours, 0, 0]));
    for other in [0, ours + 1, ours + 0x1_0000, ours | 1 << 32, u64::MAX] {
        assert_eq!(bench.call(VERSION, [other, 0, 0]), (WRONG_VERSION, [ours, 0, 0]));
    }
}

#[test]
fn machine_and_vms_are_described() {
    let bench = Bench::new();
    assert_eq!(bench.ok(MACHINE, [0; 3]), [VMS, FREE, OPS | 4 << 8]);
    let [low, high, _] = bench.ok(VM_NAME, [B, 0, 0]);
    assert_eq!([low.to_le_bytes(), high.to_le_bytes()].concat(), b"b-with-16-chars-");
    assert_eq!(bench.ok(VM_NAME, [OPS, 0, 0]), [u64::from_le_bytes(*b"ops\0\0\0\0\0"), 0, 0]);
    let flags = STATE_CONTROL | STATE_FROZEN;
    let [state, vcpus, memory] = bench.ok(VM_STATE, [OPS, 0, 0]);
    // Another test may have restarted it.
    assert_eq!([state, vcpus & 0xffff_ffff, memory], [PHASE_RUNNING | flags, 1 | 1 << 8, MEMORY as u64]);
    assert_eq!(bench.ok(VM_VCPU, [B, 1, 0]), [3, 0, 0]);
    for call in [VM_NAME, VM_STATE, VM_FAILURE, VM_VCPU, VM_VCPU_TIMES, COUNTER, REFUSED, AUDIT_SET, AUDIT_LIST] {
        bench.fails(call, [VMS, u64::MAX, u64::MAX], UNKNOWN_VM);
    }
    bench.fails(AUDIT_REGISTER, [VMS, u64::MAX, u64::MAX], UNKNOWN_VM);
}

#[test]
fn vcpus_are_shown_with_what_they_do_and_had() {
    let bench = Bench::new();
    bench.run(B);
    assert_eq!(bench.ok(VM_VCPU, [B, 0, 0]), [2, 1, VCPU_RUNNING]);
    assert_eq!(bench.ok(VM_VCPU, [B, 1, 0]), [3, 0, VCPU_OFF]);
    for index in [0, 1] {
        let (times, frequency) = (bench.vcpu(B, index).times(), portcullis_arch::timer::frequency());
        let expected = [nanoseconds(times.ran, frequency), nanoseconds(times.stolen, frequency), times.switches];
        assert_eq!(bench.ok(VM_VCPU_TIMES, [B, index as u64, 0]), expected);
    }
    for call in [VM_VCPU, VM_VCPU_TIMES] {
        for index in [2, 1 << 32, u64::MAX] {
            bench.fails(call, [B, index, 0], NO_ITEM);
        }
    }
}

#[test]
fn counters_are_summed_over_the_vcpus() {
    let bench = Bench::new();
    for vcpu in [0, 1, 1] {
        bench.account(B, vcpu).answer(true, Group::Trng);
        bench.account(B, vcpu).exit(portcullis_arch::account::Exit::Gic);
    }
    assert_eq!(bench.ok(COUNTER, [B, COUNTER_ANSWERED_SMC, 2]), [3, 0, 0]);
    assert_eq!(bench.ok(COUNTER, [B, COUNTER_ANSWERED_HVC, 2]), [0, 0, 0]);
    assert_eq!(bench.ok(COUNTER, [B, COUNTER_EXITS, 3]), [3, 0, 0]);
    for (group, length) in [(0, 9), (1, 9), (2, 9), (3, 9), (4, 2), (5, EXITS.len() as u64)] {
        bench.ok(COUNTER, [B, group, length - 1]);
        bench.fails(COUNTER, [B, group, length], NO_ITEM);
        bench.fails(COUNTER, [B, group, u64::MAX], NO_ITEM);
    }
    bench.fails(COUNTER, [B, 6, 0], BAD_ARGUMENT);
    bench.fails(COUNTER, [B, u64::MAX, 0], BAD_ARGUMENT);
}

/// Each cause of an exit stands in its own counter, under its own name: aborts too.
#[test]
fn every_cause_of_an_exit_has_its_counter() {
    use portcullis_arch::account::Exit;

    let causes = [
        (Exit::Timer, "timer"),
        (Exit::Interrupt, "interrupt"),
        (Exit::Sgi, "sgi"),
        (Exit::Gic, "gic"),
        (Exit::Uart, "uart"),
        (Exit::IdRegister, "id-register"),
        (Exit::Undefined, "undefined"),
        (Exit::Wait, "wait"),
        (Exit::Debug, "debug"),
        (Exit::Abort, "abort"),
        (Exit::Device, "device"),
        (Exit::SystemError, "serror"),
    ];
    let bench = Bench::new();
    for (times, (cause, _)) in (1..).zip(causes) {
        (0..times).for_each(|vcpu| bench.account(B, vcpu % 2).exit(cause));
    }
    assert_eq!(causes.map(|(_, name)| name), EXITS);
    for (index, times) in (0..).zip(1..=EXITS.len() as u64) {
        assert_eq!(bench.ok(COUNTER, [B, COUNTER_EXITS, index]), [times, 0, 0], "{}", EXITS[index as usize]);
    }
}

#[test]
fn refused_calls_of_all_vcpus_are_merged_by_time() {
    let bench = Bench::new();
    bench.fails(REFUSED, [B, 0, 0], NO_ITEM);
    for time in 1..=100u64 {
        let vcpu = usize::from(time % 3 == 0);
        bench.account(B, vcpu).refuse(vcpu == 1, Group::Unknown, 0x8700_0000 + time as u32, time);
    }
    for index in 0..64 {
        let time = 100 - index;
        let vcpu = u64::from(time % 3 == 0);
        let expected = [(0x8700_0000 + time) | vcpu << 32 | vcpu << 40, time, 100];
        assert_eq!(bench.ok(REFUSED, [B, index, 0]), expected);
    }
    bench.fails(REFUSED, [B, 64, 0], NO_ITEM);
    bench.fails(REFUSED, [B, u64::MAX, 0], NO_ITEM);
}

#[test]
fn an_audited_vm_has_everything_and_shows_what_it_needed() {
    let bench = Bench::new();
    bench.ok(REGISTER_CLEAR, [A, 0, 0]);
    bench.ok(FILTER_ADD, [A, 0x8400_0050 | 4 << 32, FILTER_DENY]);
    bench.fails(AUDIT_SET, [A, 2, 0], BAD_ARGUMENT);
    bench.ok(AUDIT_SET, [A, 1, 0]);
    bench.run(A);
    assert_ne!(bench.ok(VM_STATE, [A, 0, 0])[0] & STATE_AUDIT, 0);
    assert_eq!(bench.get(A, STD), 0, "registers read as they were set");
    assert_ne!(bench.verdict(A, 0x8400_0050), Verdict::Deny);
    bench.vm(A).audit.note(FunctionId(0x8400_0050), Conduit::Smc, Fate::Answered, 77);
    bench.vm(A).audit.note(FunctionId(0x8400_000a), Conduit::Hvc, Fate::Answered, 78);
    assert_eq!(bench.ok(AUDIT_LIST, [A, 0, 0]), [0x1_8400_0050, 77, 0]);
    bench.fails(AUDIT_LIST, [A, 2, 0], NO_ITEM);
    let smallest = [STD, STD_HYP, VENDOR_HYP, PSCI_VERSION].map(|id| bench.ok(AUDIT_REGISTER, [A, id, 0])[0]);
    assert_eq!(smallest, [1, 0, 0, 0x1_0000]);
    bench.fails(AUDIT_REGISTER, [A, 5, 0], UNKNOWN_REGISTER);
    bench.fails(AUDIT_SET, [A, 0, 0], FROZEN);
    bench.ok(AUDIT_SET, [A, 1, 0]);
}

#[test]
fn time_of_day_brings_ptp_to_those_that_have_not_started() {
    let bench = Bench::new();
    bench.run(A);
    assert_eq!(bench.ok(CLOCK_GET, [0; 3]), [0, 0, CLOCK_UNKNOWN]);
    bench.fails(REGISTER_SET, [B, VENDOR_HYP, VENDOR_HYP_PTP], UNSUPPORTED);
    bench.fails(CLOCK_SET, [1 << 63, 0, 0], BAD_ARGUMENT);
    bench.fails(CLOCK_SET, [5, 1, 0], BAD_ARGUMENT);
    bench.ok(CLOCK_SET, [1_700_000_000_000_000_000, 0, 0]);
    assert_eq!(bench.ok(CLOCK_GET, [0; 3]), [1_700_000_000_000_000_000, 0, CLOCK_CALL]);
    assert_eq!(bench.get(B, VENDOR_HYP), 1, "what it has stays");
    bench.ok(REGISTER_SET, [B, VENDOR_HYP, VENDOR_HYP_PTP]);
    bench.fails(REGISTER_SET, [A, VENDOR_HYP, VENDOR_HYP_PTP], FROZEN);
    bench.ok(RECREATE, [B, 0, 0]);
    bench.settle(B);
    assert_eq!(bench.get(B, VENDOR_HYP), 3);
}

#[test]
fn what_a_vm_has_written_is_read_until_it_is_made_anew() {
    let bench = Bench::new();
    let vm = bench.vm(A);
    bench.fails(LOG, [VMS, 0, 0], UNKNOWN_VM);
    bench.fails(LOG, [A, 0, 0], NO_ITEM);
    bench.run(A);
    vm.console.write(vm, CR, 0x301);
    "eighteen bytes ...".bytes().for_each(|byte| vm.console.write(vm, DR, byte.into()));
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    assert_eq!(bench.ok(LOG, [A, 0, 0]), [16 | 16 << 56, word(b"eighteen"), word(b" bytes .")]);
    let rest = [18 | 2 << 56, u64::from(u16::from_le_bytes(*b"..")), 0];
    assert_eq!(bench.ok(LOG, [A, 16, 0]), rest);
    for behind in [18, 19, 1 << 56, u64::MAX] {
        bench.fails(LOG, [A, behind, 0], NO_ITEM);
    }
    bench.ok(STOP, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(bench.ok(LOG, [A, 16, 7]), rest, "it stays when the VM ends");
    bench.ok(RECREATE, [A, 0, 0]);
    bench.settle(A);
    bench.fails(LOG, [A, 0, 0], NO_ITEM);
}

#[test]
fn the_system_counter_is_told_with_its_frequency() {
    let bench = Bench::new();
    fake::set("cntpct_el0", 5000);
    fake::set("cntfrq_el0", 62_500_000);
    let offset = bench.vm(OPS).counter_offset();
    assert_eq!(bench.ok(SYSTEM_COUNTER, [0; 3]), [5000, 5000 - offset, 62_500_000]);
    fake::set("cntpct_el0", 5001);
    assert_eq!(bench.ok(SYSTEM_COUNTER, [u64::MAX; 3])[0], 5001, "it has no arguments");
}
