use fastrand::Rng;

use super::*;
use crate::{fake, gicv3, timer};

/// The registers of EL1 and EL0 with which a vCPU is filled, and the width of each.
const REGISTERS: [(&str, u32); 45] = [
    ("cpacr_el1", 64),
    ("ttbr0_el1", 64),
    ("ttbr1_el1", 64),
    ("mair_el1", 64),
    ("amair_el1", 64),
    ("vbar_el1", 64),
    ("esr_el1", 64),
    ("far_el1", 64),
    ("afsr0_el1", 64),
    ("afsr1_el1", 64),
    ("elr_el1", 64),
    ("spsr_el1", 64),
    ("sp_el0", 64),
    ("sp_el1", 64),
    ("par_el1", 64),
    ("tpidr_el1", 64),
    ("tpidr_el0", 64),
    ("tpidrro_el0", 64),
    ("contextidr_el1", 64),
    ("csselr_el1", 64),
    ("mdscr_el1", 64),
    ("cntkctl_el1", 64),
    ("cntv_cval_el0", 64),
    ("cntv_ctl_el0", 2),
    ("cntp_cval_el0", 64),
    ("cntp_ctl_el0", 2),
    ("sctlr_el1", 64),
    ("tcr_el1", 64),
    ("s3_0_c2_c1_0", 64),
    ("s3_0_c2_c3_1", 64),
    ("s3_4_c12_c1_1", 64),
    ("s3_3_c4_c4_0", 32),
    ("s3_3_c4_c4_1", 32),
    // DBGBVR, DBGBCR, DBGWVR, DBGWCR; OSECCR_EL1, MDCCINT_EL1, OSDTRRX_EL1, OSDTRTX_EL1; OSLSR_EL1, OSDLR_EL1, claim tags.
    ("s2_0_c0_c0_4", 64),
    ("s2_0_c0_c5_5", 32),
    ("s2_0_c0_c0_6", 64),
    ("s2_0_c0_c3_7", 32),
    ("s2_0_c0_c6_2", 32),
    ("s2_0_c0_c2_0", 32),
    ("s2_0_c0_c0_2", 32),
    ("s2_0_c0_c3_2", 32),
    ("s2_0_c1_c3_4", 1),
    ("s2_0_c7_c9_6", 8),
    ("cntvoff_el2", 0),
    ("cntpct_el0", 0),
];

/// A core with pointer authentication, RAS, six breakpoints, four watchpoints, an OS double lock, and 7 bits of preemption.
fn core_with_all() -> Features {
    fake::reset();
    fake::set("id_aa64isar1_el1", 1 << 4);
    fake::set("id_aa64pfr0_el1", 1 << 28);
    fake::set("id_aa64dfr0_el1", 5 << 12 | 3 << 20);
    fake::set("ich_vtr_el2", 6 << 26 | 3);
    Features::here()
}

#[test]
fn a_vcpu_that_is_saved_and_restored_elsewhere_finds_every_register_as_it_left_it() {
    let mut random = Rng::with_seed(0x2545_f491_4f6c_dd1d);
    for _ in 0..if cfg!(miri) { 2 } else { 200 } {
        let features = core_with_all();
        for (register, width) in REGISTERS {
            fake::set(register, random.u64(..) & u64::MAX.checked_shr(64 - width).unwrap_or(0));
        }
        let vectors = std::array::from_fn(|_| u128::from(random.u64(..)) << 64 | u128::from(random.u64(..)));
        fake::set_vectors(vectors);
        // The guest debugs itself, so it has its debug registers.
        fake::set("mdscr_el1", fake::read("mdscr_el1") | 1);
        let left = REGISTERS.map(|(register, _)| fake::read(register));
        let (mut world, mut other) = (World::new(), World::new());
        // What it has of debug it was given, and that is what a core has where it was not given any.
        world.debug.save();
        world.debug.load();
        assert!(!world.save(&features), "no SError is pending");
        timer::stop_guest_timers();
        let saved = world.save_state();

        let features = core_with_all();
        assert_eq!(other.restore_state(&saved, &features), Ok(()));
        assert_eq!(other.save_state(), saved);
        other.load(&features);
        let found = REGISTERS.map(|(register, _)| fake::read(register));
        for ((register, left), found) in REGISTERS.iter().zip(left).zip(found) {
            assert_eq!(found, left, "{register:?}");
        }
        assert_eq!(fake::vectors(), vectors);
    }
}

#[test]
fn a_world_that_no_vcpu_has_is_refused_by_name() {
    type Damage = (fn(&mut state::World), Unfit);
    let features = core_with_all();
    let mut world = World::new();
    let good = world.save_state();
    let damages: &[Damage] = &[
        (|world| world.version = 3, Unfit::Version { saved: 3, known: 1 }),
        (|world| world.reserved = 1, Unfit::Value("a reserved word")),
        (|world| world.el1.cntv_ctl = 8, Unfit::Value("CNTV_CTL_EL0")),
        (|world| world.el1.cntp_ctl = 1 << 63, Unfit::Value("CNTP_CTL_EL0")),
        (|world| world.fpcr = 1 << 32, Unfit::Value("FPCR")),
        (|world| world.fpsr = u64::MAX, Unfit::Value("FPSR")),
        (|world| world.debug.breakpoints[6][0] = 4, Unfit::Absent("more breakpoints")),
        (|world| world.debug.watchpoints[15][1] = 1, Unfit::Absent("more watchpoints")),
        (|world| world.debug.breakpoints[0][1] = 1 << 32, Unfit::Value("DBGBCR<n>_EL1")),
        (|world| world.debug.watchpoints[3][1] = 1 << 40, Unfit::Value("DBGWCR<n>_EL1")),
        (|world| world.debug.os_lock = 2, Unfit::Value("OSLSR_EL1")),
        (|world| world.debug.double_lock = 2, Unfit::Value("OSDLR_EL1")),
        (|world| world.debug.communication_interrupt = 1 << 32, Unfit::Value("MDCCINT_EL1")),
        (|world| world.debug.communication[1] = 1 << 32, Unfit::Value("OSDTRRX_EL1 or OSDTRTX_EL1")),
        (|world| world.debug.exception_catch = 1 << 32, Unfit::Value("OSECCR_EL1")),
        (|world| world.debug.claim = 0x100, Unfit::Value("DBGCLAIMSET_EL1")),
    ];
    for (number, (damage, expected)) in damages.iter().enumerate() {
        let mut bad = good;
        damage(&mut bad);
        assert_eq!(world.restore_state(&bad, &features), Err(*expected), "damage {number}");
        assert_eq!(world.save_state(), good, "damage {number}");
    }
    fake::reset();
    fake::set("id_aa64dfr0_el1", 0xf << 36);
    let absent: &[Damage] = &[
        (|world| world.keys[9] = 1, Unfit::Absent("pointer authentication keys")),
        (|world| world.deferred_error = 1, Unfit::Absent("a deferred error")),
        (|world| world.debug.double_lock = 1, Unfit::Absent("an OS double lock")),
    ];
    for (damage, expected) in absent {
        let mut bad = good;
        damage(&mut bad);
        assert_eq!(world.restore_state(&bad, &Features::here()), Err(*expected));
    }
}

#[test]
fn general_registers_come_back_and_never_lead_to_el2() {
    let mut random = Rng::with_seed(7);
    for _ in 0..if cfg!(miri) { 5 } else { 200 } {
        let context = Context::new();
        context.set_registers::<31>(std::array::from_fn(|_| random.u64(..)));
        context.elr.set(random.u64(..));
        context.spsr.set(random.u64(..) & 0xffff_ffe0 | [0, 4, 5, 0x10][random.u64(..) as usize % 4]);
        let (saved, other) = (context.save_general(), Context::new());
        assert_eq!(other.restore_general(&saved), Ok(()));
        assert_eq!(other.save_general(), saved);
    }
    let good = Context::new().save_general();
    let context = Context::new();
    for mode in (0..32).filter(|mode| ![0, 4, 5, 0x10].contains(mode)) {
        let bad = state::General { pstate: 0x3c0 | mode, ..good };
        assert_eq!(context.restore_general(&bad), Err(Unfit::Value("PSTATE")), "{mode:#x}");
    }
    let bad = state::General { pstate: 1 << 32, ..good };
    assert_eq!(context.restore_general(&bad), Err(Unfit::Value("PSTATE")));
    let bad = state::General { reserved: 1, ..good };
    assert_eq!(context.restore_general(&bad), Err(Unfit::Value("a reserved word")));
    let bad = state::General { version: 0, ..good };
    assert_eq!(context.restore_general(&bad), Err(Unfit::Version { saved: 0, known: 1 }));
    assert_eq!(context.save_general(), good);
}

#[test]
fn a_cpu_interface_comes_back() {
    let mut random = Rng::with_seed(99);
    for _ in 0..if cfg!(miri) { 2 } else { 100 } {
        core_with_all();
        fake::set("ich_vmcr_el2", random.u64(..) & VMCR_V3);
        for register in ["ich_ap0r0_el2", "ich_ap1r0_el2", "ich_ap0r3_el2", "ich_ap1r2_el2"] {
            fake::set(register, random.u64(..) & 0xffff_ffff);
        }
        let mut interface = gicv3::VirtualInterface::default();
        interface.save();
        let saved = interface.save_state();
        let other = gicv3::VirtualInterface::restored(&saved).unwrap();
        assert_eq!(other.save_state(), saved);
        fake::set("ich_ap1r2_el2", 0);
        other.load();
        assert_eq!(fake::read("ich_ap1r2_el2"), saved.active[2][1]);

        fake::install_gicv2(4);
        let interface =
            gicv2::VirtualInterface { control: random.u64(..) as u32 & VMCR_V2 as u32, active: random.u64(..) as u32 };
        let saved = interface.save_state();
        assert_eq!(gicv2::VirtualInterface::restored(&saved).map(|other| other.save_state()), Ok(saved));
    }
}

#[test]
fn a_cpu_interface_that_is_none_is_refused_by_name() {
    type Damage = (fn(&mut state::GicCpuInterface), Unfit);
    core_with_all();
    fake::set("ich_vtr_el2", 4 << 26 | 3);
    let v3 = gicv3::VirtualInterface::default().save_state();
    let v2 = gicv2::VirtualInterface::default().save_state();
    let both: &[Damage] = &[
        (|saved| saved.version = 2, Unfit::Version { saved: 2, known: 1 }),
        (|saved| saved.architecture = 4, Unfit::Value("the GIC's architecture")),
        (|saved| saved.architecture ^= 1, Unfit::Absent("a GIC of an architecture")),
        (|saved| saved.control = 1 << 5, Unfit::Value("the control of the CPU interface")),
        (|saved| saved.active[0][0] = 1 << 32, Unfit::Value("the active priorities")),
    ];
    for (damage, expected) in both {
        let (mut bad_v3, mut bad_v2) = (v3, v2);
        damage(&mut bad_v3);
        damage(&mut bad_v2);
        assert_eq!(gicv3::VirtualInterface::restored(&bad_v3).err(), Some(*expected));
        assert_eq!(gicv2::VirtualInterface::restored(&bad_v2).err(), Some(*expected));
    }
    let mut deeper = v3;
    deeper.active[1][1] = 1;
    assert_eq!(gicv3::VirtualInterface::restored(&deeper).err(), Some(Unfit::Absent("more levels of priority")));
    let mut second = v2;
    second.active[0][1] = 1;
    assert_eq!(gicv2::VirtualInterface::restored(&second).err(), Some(Unfit::Value("the active priorities")));
}
