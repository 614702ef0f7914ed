//! VMs that are shown another CPU than their cores.

use core::mem::offset_of;

use portcullis_abi::firmware::VENDOR_HYP_2_IMPL;
use portcullis_abi::id_register::number;
use portcullis_abi::manage::*;
use portcullis_abi::map::TIMER_VIRTUAL_INTID;
use portcullis_abi::state::{self, Cpu};
use portcullis_arch::account::Exit;
use portcullis_arch::fake::{self, Trap};
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_bundle::assignment::Assignments;
use portcullis_bundle::baseline::{Baseline, WORDS};
use portcullis_bundle::implementations::Implementations;
use portcullis_bundle::page_size::PageSize;
use portcullis_bundle::{FirmwareConfig, Settings, VmConfig};
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;

use super::creation::alone;
use super::mover::{A, LENGTH, changed, ok, pause, recreate, restore, runs, save};
use crate::life::baseline::Lacking;
use crate::life::cores::{UnfitCores, settle_cores};
use crate::tests::board::{Asked, Parts};
use crate::tests::guest::{system_register, wants};
use crate::tests::rig::{Rig, SETTINGS, exits, vm, x};

const A72: u64 = 0x410f_d083;
const A76: u64 = 0x414f_d0b1;
/// HCR_EL2.TID1, TID2; APK, API.
const READS: u64 = 1 << 16 | 1 << 17;
const KEYS: u64 = 1 << 40 | 1 << 41;

/// What an older core has, and a newer one beside it, in the registers of these numbers, as the fake core names them.
const REGISTERS: [(&str, u64, u64, [u64; 2]); 6] = [
    ("s3_0_c0_c3_4", 3, 4, [1, 1]),
    ("s3_0_c0_c4_0", 4, 0, [0x1000_0000_0100_0012, 0x1100_0000_0110_0012]),
    ("s3_0_c0_c5_0", 5, 0, [0x1030_5006, 0x1030_5008]),
    ("s3_0_c0_c6_0", 6, 0, [0x0001_1120, 0x1000_1021_1120]),
    ("s3_0_c0_c6_1", 6, 1, [0, 0x0010_0011]),
    ("s3_0_c0_c7_0", 7, 0, [0x1124, 0x0010_1124]),
];
const CACHES: [u64; 2] = [0x8444_c004, 4];

/// The older core as one that others are shown as.
fn older() -> Cpu {
    let mut features = [0; 56];
    REGISTERS.iter().for_each(|(_, crm, op2, [value, _])| features[number(*crm, *op2)] = *value);
    let [cache_type, zeroing] = CACHES;
    Cpu { version: 1, reserved: 0, implementation: [A72, 7, 0], cache_type, zeroing, features }
}

fn baseline(cpu: &Cpu) -> Option<Baseline<'static>> {
    let [midr, revidr, aidr] = cpu.implementation;
    let mut numbers = [midr, revidr, aidr, cpu.cache_type, cpu.zeroing].into_iter().chain(cpu.features);
    let words: [[u8; 8]; WORDS] = core::array::from_fn(|_| numbers.next().unwrap().to_be_bytes());
    Some(Baseline::new(Box::leak(Box::new(words))))
}

/// VMs on cores that are all of one kind: the older, or the newer one.
fn machine(midr: u64, vms: &[VmConfig<'static>]) -> Rig {
    let prepare = |_: usize| {
        fake::set("midr_el1", midr);
        fake::set("revidr_el1", 0);
        assert_eq!(portcullis_arch::el2::init_core(39), Ok(()));
        REGISTERS.iter().for_each(|(name, .., values)| fake::set(name, values[usize::from(midr == A76)]));
        fake::set("ctr_el0", CACHES[0]);
        fake::set("dczid_el0", CACHES[1]);
        fake::set("clidr_el1", 0x0a20_0023);
        fake::set("ccsidr_el1", 0x701f_e00a);
    };
    let rig = Rig::prepared(Parts::new(), GicVersion::V3, vms, Assignments::default(), prepare);
    rig.machine.settle_protection();
    rig
}

fn shown(name: &'static str, cores: &[u32]) -> VmConfig<'static> {
    VmConfig { cpu: baseline(&older()), ..vm(name, cores) }
}

/// Reads S3_`op1`_C0_C`crm`_`op2` on a core.
fn read(rig: &Rig, core: usize, op1: u64, crm: u64, op2: u64) -> u64 {
    x(rig.guest(core, move |_| Trap::Exception(system_register(3, op1, 0, crm, op2, 20, true))), 20)
}

#[test]
fn a_vm_reads_the_cpu_that_it_is_shown() {
    let rig = machine(A76, &[vm("ops", &[0]), shown("a", &[1])]);
    rig.settle();
    runs(&rig);
    for (_, crm, op2, [older, newer]) in REGISTERS {
        // PARange is no more than 36 bits.
        let cut = |value: u64| if (crm, op2) == (7, 0) { value - 3 } else { value };
        assert_eq!([0, 1].map(|core| read(&rig, core, 0, crm, op2)), [cut(newer), cut(older)], "{crm} {op2}");
    }
    assert_eq!(read(&rig, 1, 0, 0, 6), 7, "REVIDR_EL1");
    assert_eq!(read(&rig, 1, 1, 0, 7), 0, "AIDR_EL1");
    assert_eq!(read(&rig, 1, 3, 0, 1), CACHES[0], "CTR_EL0");
    assert_eq!((read(&rig, 1, 1, 0, 1), read(&rig, 1, 1, 0, 0)), (0x0a20_0023, 0x701f_e00a), "CLIDR_EL1, CCSIDR_EL1");
    rig.guest(1, |context| {
        context.set_register(4, 2);
        Trap::Exception(system_register(3, 2, 0, 0, 0, 4, false))
    });
    assert_eq!((read(&rig, 1, 2, 0, 0), rig.register(1, "csselr_el1")), (2, 2), "CSSELR_EL1");
    assert_eq!(exits(rig.vcpu(1, 0), Exit::IdRegister), 13);
    assert_eq!((rig.register(1, "vpidr_el2"), rig.register(1, "hcr_el2") & (READS | KEYS)), (A72, READS));
    // The other VM is shown its core, and nothing more of it traps.
    assert_eq!((rig.register(0, "vpidr_el2"), rig.register(0, "hcr_el2") & (READS | KEYS)), (A76, KEYS));
    rig.at(0, || fake::set("elr_el2", portcullis_abi::map::RAM));
    rig.guest(0, |_| Trap::Exception(system_register(3, 3, 0, 0, 1, 3, true)));
    assert_eq!(exits(rig.vcpu(0, 0), Exit::Undefined), 1, "an access that cannot have trapped");
}

/// On a core that several VMs share, each sees what it is shown whenever it is its turn.
#[test]
fn a_shared_core_shows_each_vm_its_own() {
    let wide = Cpu { implementation: [A76, 0, 0], ..older() };
    let vms = [vm("ops", &[0]), shown("a", &[1]), vm("b", &[1]), VmConfig { cpu: baseline(&wide), ..vm("c", &[1]) }];
    let rig = machine(A76, &vms);
    rig.settle();
    let mut seen = [0; 4];
    for _ in 0..400 {
        if let Some((vm, _)) = rig.loaded(1).filter(|_| rig.is_in_guest(1)) {
            let now = (rig.register(1, "vpidr_el2"), rig.register(1, "hcr_el2") & (READS | KEYS));
            assert_eq!(now, [(A76, KEYS), (A72, READS), (A76, KEYS), (A76, READS)][vm], "VM {vm}");
            seen[vm] += 1;
        }
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    assert!(seen[1] > 2 && seen[2] > 2 && seen[3] > 2, "{seen:?}");
}

/// What is said of a VM that is shown `cpu` on newer cores.
fn settled(cpu: &Cpu, kernel: &'static [u8]) -> Result<(), UnfitCores> {
    let rig = machine(A76, &[vm("ops", &[0])]);
    settle_cores(alone(VmConfig { cpu: baseline(cpu), kernel, ..vm("a", &[0]) }), rig.machine.cores)
}

#[test]
fn what_a_core_lacks_of_it_is_said() {
    const PLAIN: &[u8] = &[0x14; 4096];
    assert_eq!(settled(&older(), PLAIN), Ok(()));
    let with = |number: usize, value: u64| {
        let mut cpu = older();
        cpu.features[number] = value;
        cpu
    };
    // ID_AA64ISAR1_EL1.LRCPC 2 where there is 1.
    let error = settled(&with(number(6, 1), 0x0020_0000), PLAIN).unwrap_err();
    let lacking = Lacking { core: 0, register: "ID_AA64ISAR1_EL1", bit: 20, shown: 2, here: 1 };
    assert_eq!(error, UnfitCores::Shown { vm: "a", lacking });
    assert_eq!(
        error.to_string(),
        "a: the CPU that its `cpu` has it shown has 0x2 in ID_AA64ISAR1_EL1 from bit 20 on, and its core 0 has 0x1; name one with no \
         more than its cores have, or give it others"
    );
    // What no guest is shown is not asked for: RNDR, the PMU.
    assert_eq!(settled(&with(number(6, 0), 0x1000_0000_0001_1120), PLAIN), Ok(()));
    assert_eq!(settled(&with(number(5, 0), 0x1030_5106), PLAIN), Ok(()));
    // Longer lines than the core has; a block of DC ZVA of another size.
    let lines = settled(&Cpu { cache_type: 0x8444_c005, ..older() }, PLAIN).unwrap_err();
    assert!(matches!(lines, UnfitCores::Shown { lacking: Lacking { register: "CTR_EL0", bit: 0, .. }, .. }), "{lines}");
    let zeroing = settled(&Cpu { zeroing: 5, ..older() }, PLAIN).unwrap_err();
    assert!(matches!(zeroing, UnfitCores::Shown { lacking: Lacking { register: "DCZID_EL0", .. }, .. }), "{zeroing}");
    // CCSIDR_EL1 is told in either format.
    assert_eq!(settled(&with(number(7, 2), 0), PLAIN), Ok(()));
    // A kernel of 16 KiB pages, which the core has and the CPU that it is shown has not.
    let mut image = vec![0; 8192];
    image[24] = 2 << 1;
    image[56..60].copy_from_slice(b"ARM\x64");
    let error = settled(&older(), Vec::leak(image)).unwrap_err();
    assert_eq!(error, UnfitCores::ShownPages { vm: "a", pages: PageSize::Kib16 });
}

/// A movable VM that is told of these CPUs beside its own, or of none.
fn mover(told: &[u64], cpu: Option<Baseline<'static>>) -> VmConfig<'static> {
    let list = told.iter().map(|midr| {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&midr.to_be_bytes());
        bytes
    });
    let firmware = FirmwareConfig {
        registers: [Some(1), Some(1), Some(3), Some(if told.is_empty() { 0 } else { VENDOR_HYP_2_IMPL }), None, None],
        ..FirmwareConfig::default()
    };
    VmConfig {
        cpu,
        implementations: Implementations::from(&*Vec::leak(list.collect())),
        firmware: Some(firmware),
        settings: Settings { movable: true, ..SETTINGS },
        ..vm("a", &[1])
    }
}

/// The stream of such a VM on a machine of these cores.
fn saved(midr: u64, config: VmConfig<'static>) -> Vec<u8> {
    let rig = machine(midr, &[vm("ops", &[0]), config]);
    rig.settle();
    runs(&rig);
    rig.at(1, || wants(rig.vcpu(1, 0), TIMER_VIRTUAL_INTID));
    pause(&rig);
    save(&rig, LENGTH)
}

/// What a machine of these cores says to the stream, with a VM that never ran there.
fn moved(midr: u64, config: VmConfig<'static>, stream: &[u8]) -> (Rig, i64) {
    let config = VmConfig { settings: Settings { autostart: false, ..config.settings }, ..config };
    let rig = machine(midr, &[vm("ops", &[0]), config]);
    rig.settle();
    let status = restore(&rig, stream, LENGTH);
    (rig, status)
}

#[test]
fn a_vm_moves_between_cores_of_which_it_was_told_and_is_shown_the_same() {
    for (from, to) in [(A72, A76), (A76, A72)] {
        let config = || mover(&[A72, A76], baseline(&older()));
        let (rig, status) = moved(to, config(), &saved(from, config()));
        assert_eq!(status, 0, "{from:#x} to {to:#x}");
        rig.parts.controller.take();
        ok(&rig, RESUME, [A, 0, 0]);
        runs(&rig);
        assert_eq!((rig.register(1, "vpidr_el2"), rig.register(1, "hcr_el2") & READS), (A72, READS));
        assert_eq!(rig.register(1, "cnthctl_el2"), 0, "its counters are its own");
        let enabled = Asked::Private { core: 1, intid: TIMER_VIRTUAL_INTID, enabled: true };
        assert!(rig.parts.controller.take().contains(&enabled), "its timer reaches it where it has never been");
        assert_eq!(read(&rig, 1, 0, 6, 0), 0x0001_1120);
    }
}

#[test]
fn a_vm_that_was_not_told_is_refused() {
    let plain = || mover(&[], baseline(&older()));
    let (rig, status) = moved(A76, plain(), &saved(A72, plain()));
    assert_eq!(status, UNFIT);
    assert_eq!(rig.vm(1).phase(), crate::vm::state::Phase::Created, "and nothing was touched");
    // On the same kind of core nothing has to be told.
    assert_eq!(moved(A72, plain(), &saved(A72, plain())).1, 0);
    // One that was told, and would be shown more than the other machine has.
    assert_eq!(moved(A72, mover(&[A72, A76], None), &saved(A76, mover(&[A72, A76], None))).1, UNFIT);
}

/// What is reserved is zero in whatever a stream has of a VM, so that it can have a meaning one day.
#[test]
fn no_reserved_word_is_anything_but_zero() {
    let config = || mover(&[A72], baseline(&older()));
    let stream = saved(A72, config());
    assert_eq!(moved(A72, config(), &stream).1, 0);
    let words = [
        (Kind::Firmware, offset_of!(state::Firmware, reserved)),
        (Kind::Cpu, offset_of!(Cpu, reserved)),
        (Kind::Identity, offset_of!(state::Identity, reserved)),
        (Kind::Restarts, offset_of!(state::Restarts, reserved)),
        (Kind::General, offset_of!(state::General, reserved)),
        (Kind::World, offset_of!(state::World, reserved)),
        (Kind::Calls, offset_of!(state::Calls, reserved)),
    ];
    for (kind, at) in words {
        for byte in at..at + 4 {
            let wrong = changed(&stream, Section::of(kind), |body| body[byte] = 1);
            assert_eq!(moved(A72, config(), &wrong).1, UNFIT, "{kind:?}");
        }
    }
}

/// What a VM read of which CPU it has stays, where it can; it is the manifest's again in its next life.
#[test]
fn a_vm_keeps_the_name_of_its_cpu() {
    let named = |midr| baseline(&Cpu { implementation: [midr, 0, 0], ..older() });
    let stream = saved(A72, mover(&[], named(0x611f_0010)));
    let (rig, status) = moved(A72, mover(&[], named(A72)), &stream);
    assert_eq!(status, 0);
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
    assert_eq!(rig.register(1, "vpidr_el2"), 0x611f_0010);
    recreate(&rig);
    ok(&rig, START, [A, 0, 0]);
    runs(&rig);
    assert_eq!(rig.register(1, "vpidr_el2"), A72);
    // Where it would read its core's own it cannot go, unless it was told of that.
    assert_eq!(moved(A72, mover(&[], None), &stream).1, UNFIT);
    let told = saved(A72, mover(&[A72], named(0x611f_0010)));
    assert_eq!(moved(A72, mover(&[A72], None), &told).1, 0);
    // And one that read its core's own goes on reading that.
    let stream = saved(A72, mover(&[], None));
    let (rig, status) = moved(A72, mover(&[], named(0x611f_0010)), &stream);
    assert_eq!(status, 0);
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
    assert_eq!((rig.register(1, "vpidr_el2"), rig.register(1, "hcr_el2") & READS), (A72, READS));
}
