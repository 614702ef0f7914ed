use super::*;
use crate::context::{Context, Handlers, Next};
use crate::{barrier, el1, el2, gicv2, gicv3, read_sysreg, smc, stepping, timer, vectors, write_sysreg};

#[test]
fn a_register_holds_what_was_written_until_the_core_is_reset() {
    // SAFETY: the host has no such register.
    unsafe { write_sysreg!("tpidr_el2", 7) };
    assert_eq!(read_sysreg!("tpidr_el2"), 7);
    assert_eq!(std::thread::spawn(|| read_sysreg!("tpidr_el2")).join().ok(), Some(0), "another core");
    reset();
    assert_eq!(read_sysreg!("tpidr_el2"), 0);
}

#[test]
fn what_the_code_did_is_recorded_in_order_and_what_the_test_did_is_not() {
    barrier::isb();
    record();
    set("esr_el2", 3);
    el2::set_return_address(0x80);
    barrier::isb();
    let expected = [Event::Write("elr_el2", 0x80), Event::Instruction("isb")];
    assert_eq!((recorded(), recorded()), (expected.to_vec(), Vec::new()));
}

#[test]
fn timers_assert_their_interrupts_when_the_counter_is_there() {
    set("cntpct_el0", 100);
    timer::set_virtual_offset(30);
    set("cntv_ctl_el0", 1);
    set("cntv_cval_el0", 71);
    set("cntp_ctl_el0", 3);
    assert_eq!((timer::count(), timer::guest_lines()), (100, 0), "one is not there yet, one is masked");
    advance(1);
    assert_eq!(timer::guest_lines(), 1 << 27);
    tick(10);
    assert_eq!([timer::count(), timer::count_relaxed()], [111, 121]);
}

#[test]
fn a_gicv3_hands_out_what_pends_in_order() {
    set("ich_vtr_el2", 3);
    pend(27);
    pend(1);
    assert_eq!([(); 3].map(|()| gicv3::acknowledge()), [27, 1, gicv3::SPURIOUS]);
    assert_eq!((gicv3::list_registers(), gicv3::empty_list_registers()), (4, 0b1111));
    gicv3::write_list_register(1, 1 << 62 | 5);
    // Neither pending nor active, and its end is reported.
    gicv3::write_list_register(2, 1 << 41 | 40);
    // The same bit of one that is linked is part of its number.
    gicv3::write_list_register(3, 1 << 61 | 1 << 41 | 40);
    assert_eq!((gicv3::read_list_register(1), gicv3::empty_list_registers()), (1 << 62 | 5, 0b1001));
}

#[test]
fn a_gicv2_is_of_the_tests_own_machine() {
    install_gicv2(4);
    assert!(gicv2::is_present());
    assert_eq!(std::thread::spawn(gicv2::is_present).join().ok(), Some(false), "another machine");
    pend(1 | 2 << 10);
    assert_eq!([(); 2].map(|()| gicv2::acknowledge()), [1 | 2 << 10, gicv2::SPURIOUS]);
    assert_eq!((gicv2::list_registers(), gicv2::empty_list_registers()), (4, 0b1111));
    gicv2::write_list_register(2, 1 << 28 | 33);
    assert_eq!((gicv2::read_list_register(2), gicv2::empty_list_registers()), (1 << 28 | 33, 0b1011));
    gicv2::init_core(1, 0b10);
    record();
    gicv2::send_sgi(gicv2::sgi(3, 1));
    let sent = Event::WriteGicv2(Frame::Gicd, 0xf00, 0b10 << 16 | 3);
    assert_eq!(recorded(), [Event::Instruction("dsb ishst"), sent]);
    reset();
    assert!(!gicv2::is_present());
}

#[test]
fn firmware_serves_calls_and_may_look_at_the_core() {
    assert_eq!(smc::call([0x8400_0000, 9, 9, 9, 9, 9, 9, 9]), [u64::MAX, 0, 0, 0, 9, 9, 9, 9]);
    firmware(|x| x[0] = timer::count() + x[1]);
    set("cntpct_el0", 50);
    assert_eq!([smc::call([1, 2, 0, 0, 0, 0, 0, 0])[0], smc::call([1, 3, 0, 0, 0, 0, 0, 0])[0]], [52, 53]);
}

#[test]
fn registers_that_are_more_than_a_word() {
    set("cntvct_el0", 0);
    // OSLAR_EL1 and OSLSR_EL1; DBGCLAIMSET_EL1 and DBGCLAIMCLR_EL1.
    // SAFETY: the host has no such registers.
    unsafe {
        write_sysreg!("s2_0_c1_c0_4", 1);
        write_sysreg!("s2_0_c7_c8_6", 0b110);
        write_sysreg!("s2_0_c7_c9_6", 0b010);
    }
    assert_eq!((read_sysreg!("s2_0_c1_c1_4"), read_sysreg!("s2_0_c7_c9_6")), (0b10, 0b100));
    el1::hold_walks();
    assert_eq!(read_sysreg!("tcr_el1"), 1 << 7 | 1 << 23);
}

/// Counts what it serves in x0; an interrupt with x1 set has the vCPU leave.
unsafe extern "C" fn interrupt(context: *const Context) -> Next {
    // SAFETY: it is the one that was entered.
    let context = unsafe { &*context };
    context.set_register(0, context.register(0) + u64::from(gicv3::acknowledge()));
    if context.register(1) == 0 { Next::Resume } else { Next::Leave }
}

/// Puts the syndrome where the guest finds it.
unsafe extern "C" fn exception(context: *const Context, syndrome: u64) -> Next {
    assert_eq!(el2::syndrome(), syndrome);
    // SAFETY: it is the one that was entered.
    unsafe { &*context }.set_register(2, syndrome);
    stepping::step_over(syndrome);
    Next::Restore
}

#[test]
fn a_core_enters_a_guest_takes_its_traps_and_looks_for_something_else_when_it_leaves() {
    let handlers = Handlers { interrupt, exception };
    let owned = Box::new(Context::new());
    owned.start(0x4000, 5, 0x1000, handlers);
    let context = std::ptr::from_ref(&*owned);
    let mut looked = 0;
    let mut idle = || -> () {
        looked += 1;
        match looked {
            // SAFETY: the context lives as long as this test, and is its alone.
            1 => unsafe { vectors::enter(context) },
            _ => loop {
                barrier::wfi();
                let _ = gicv3::acknowledge();
            },
        }
    };
    pend(30);
    guest(|context| {
        assert_eq!(context.register(0), 5);
        Trap::Interrupt
    });
    guest(|_| Trap::Exception(0x9300_0000));
    guest(|context| {
        assert_eq!(context.register(2), 0x9300_0000);
        // An SMC64: the vectors step over it themselves.
        Trap::To(exception, 0x5e00_0000)
    });
    assert_eq!(run(&mut idle), Outcome::InGuest(context));
    assert_eq!(el2::return_address(), 0x4000 + 4 + 4 + 4);
    assert_eq!(run(&mut idle), Outcome::InGuest(context), "nothing more is queued");
    // SAFETY: as above; the guest stands still.
    assert_eq!(unsafe { (*context).register(0) }, 5 + 30);

    guest(|context| {
        context.set_register(1, 1);
        Trap::Interrupt
    });
    on_wait(|| pend(1));
    record();
    assert_eq!(run(&mut idle), Outcome::Waits);
    assert_eq!(recorded(), [Event::Instruction("wfi"); 2], "it looked again after the interrupt");
    assert_eq!((pending(), looked), (0, 2));
}
