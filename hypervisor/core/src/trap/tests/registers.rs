//! System registers and instructions that trap.

use portcullis_abi::map;
use portcullis_arch::account::Exit;
use portcullis_arch::fake::{self, Trap};
use portcullis_board::signal::EL2_TIMER_INTID;

use crate::tests::guest::{system_register, wants};
use crate::tests::rig::{Rig, exits, vm, x};

/// ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1: S3_0_C12_C11_5 to 7, written from x0.
const fn sgi(op2: u64) -> u64 {
    system_register(3, 0, 12, 11, op2, 0, false)
}

fn rig() -> Rig {
    let rig = Rig::new(&[vm("ops", &[0]), vm("a", &[1, 2]), vm("b", &[3]), vm("c", &[3])]);
    rig.settle();
    rig
}

#[test]
fn an_sgi_reaches_the_other_vcpu() {
    let rig = rig();
    let (first, second) = (rig.vcpu(1, 0), rig.vcpu(1, 1));
    rig.at(1, || assert!(second.switch_on(crate::vm::power::PowerState::OnPending, map::RAM, 7)));
    rig.settle();
    rig.run(2);
    rig.at(2, || fake::pend(portcullis_board::signal::KICK));
    assert!(matches!(rig.run(2), fake::Outcome::InGuest(_)));
    rig.at(2, || wants(second, 5));
    // INTID 5 to affinity 0.0.0.1.
    rig.guest(1, |context| {
        context.set_register(0, 5 << 24 | 1 << 1);
        Trap::Exception(sgi(5))
    });
    rig.run(2);
    assert!(rig.at(2, || second.has_interrupt()));
    assert_eq!(exits(first, Exit::Sgi), 1);
    // The others name what no vCPU takes.
    for op2 in [6, 7] {
        rig.guest(1, move |_| Trap::Exception(sgi(op2)));
    }
    assert_eq!(exits(first, Exit::Sgi), 3);
}

#[test]
fn id_registers_are_read_as_this_core_shows_them() {
    let rig = rig();
    // ID_AA64PFR0_EL1 into x3: the CPU interface is system registers. And into x20, which the vectors do not restore by themselves.
    for register in [3, 20] {
        let outcome = rig.guest(1, move |context| {
            context.set_register(register, u64::MAX);
            Trap::Exception(system_register(3, 0, 0, 4, 0, register, true))
        });
        // The rig's cores are of a part that is not affected by what CSV2 and CSV3 are about, and do not say so.
        assert_eq!(x(outcome, register as usize), 1 << 56 | 1 << 60);
    }
    assert_eq!(exits(rig.vcpu(1, 0), Exit::IdRegister), 2);
}

#[test]
fn the_interface_cannot_be_turned_into_another_one() {
    let rig = rig();
    let outcome = rig.guest(1, |_| Trap::Exception(system_register(3, 0, 12, 12, 5, 1, true)));
    assert_eq!(x(outcome, 1), portcullis_arch::gicv3::SYSTEM_REGISTERS);
    rig.guest(1, |_| Trap::Exception(system_register(3, 0, 12, 12, 5, 1, false)));
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Gic), 2);
}

#[test]
fn what_this_machine_lacks_is_an_undefined_instruction() {
    let rig = rig();
    rig.at(1, || fake::set("vbar_el1", map::RAM + 0x1000));
    // SVE, an unknown instruction, a debug register and coprocessor 14 on a core of its own, a register of group 3 that is none.
    for syndrome in [0x19 << 26, 0, system_register(2, 0, 0, 2, 2, 0, true), 0x05 << 26, 0x06 << 26] {
        rig.at(1, || fake::set("elr_el2", map::RAM + 0x40));
        rig.guest(1, move |_| Trap::Exception(syndrome | 1 << 25));
        assert_eq!(rig.register(1, "esr_el1"), 1 << 25, "{syndrome:#x}");
        assert_eq!(rig.register(1, "elr_el1"), map::RAM + 0x40);
    }
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Undefined), 5);
}

#[test]
fn on_a_shared_core_debug_registers_come_with_their_first_use_and_wfe_does_not_wait() {
    let rig = rig();
    for _ in 0..10 {
        if rig.is_in_guest(3) {
            break;
        }
        rig.advance(5_000);
        rig.interrupt(3, EL2_TIMER_INTID);
    }
    let (vm, _) = rig.loaded(3).unwrap();
    let vcpu = rig.vcpu(vm, 0);
    rig.at(3, || fake::set("elr_el2", map::RAM + 0x40));
    rig.guest(3, |_| Trap::Exception(system_register(2, 0, 0, 2, 2, 0, true)));
    assert_eq!(rig.register(3, "elr_el2"), map::RAM + 0x40, "it tries again");
    assert_eq!(exits(vcpu, Exit::Debug), 1);
    // WFE: TI 1.
    rig.guest(3, |_| Trap::Exception(1 << 26 | 1 << 25 | 1));
    assert_eq!((rig.loaded(3), exits(vcpu, Exit::Wait)), (Some((vm, 0)), 1));
    assert_eq!(rig.register(3, "elr_el2"), map::RAM + 0x44);
}
