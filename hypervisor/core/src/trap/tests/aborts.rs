//! Accesses that reach no memory.

use portcullis_abi::map;
use portcullis_arch::account::Exit;
use portcullis_arch::fake::{self, Trap};
use portcullis_bundle::{Settings, VmConfig};

use crate::tests::guest::{fault_at, load, store};
use crate::tests::rig::{Rig, SETTINGS, exits, vm, x};
use crate::trap::exception::portcullis_serror;
use crate::vm::failure::Reason;
use crate::vm::state::Phase;

/// Where a guest's vectors are.
const VECTORS: u64 = map::RAM + 0x1000;
/// Where there is nothing.
const NOWHERE: u64 = 0x3000_0000;
/// ESR_EL2 of an instruction abort by a translation fault at level 3.
const FETCH: u64 = 0x20 << 26 | 1 << 25 | 7;

fn rig(stop_on_fault: bool) -> Rig {
    let rig =
        Rig::new(&[vm("ops", &[0]), VmConfig { settings: Settings { stop_on_fault, ..SETTINGS }, ..vm("a", &[1]) }]);
    rig.settle();
    rig.at(1, || fake::set("vbar_el1", VECTORS));
    rig
}

#[test]
fn the_uart_shows_what_is_written_and_is_read() {
    let rig = rig(false);
    rig.parts.line.take_shown();
    for byte in *b"hello\n" {
        rig.guest(1, move |context| store(context, map::UART, byte.into()));
    }
    assert!(rig.parts.line.take_shown().contains("hello"));
    let flags = x(rig.guest(1, |_| load(map::UART + 0x18)), 0);
    assert_eq!(flags & 0x90, 0x90, "UARTFR: it has sent all and received nothing");
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Uart), 7);
    assert_eq!(rig.register(1, "elr_el2") & 0xffff, 7 * 4, "behind each access");
}

#[test]
fn the_frames_of_the_gic_are_its_own() {
    let rig = rig(false);
    // GICD_CTLR, GICR_IGROUPR0 and GICR_ISENABLER0 for the virtual timer; then GICD_TYPER, GICR_ISENABLER0, GICR_ISPENDR0.
    let sgi_base = map::GICR + 0x1_0000;
    for (ipa, value) in [(map::GICD, 2), (sgi_base + 0x80, u32::MAX), (sgi_base + 0x100, 1 << 27)] {
        rig.guest(1, move |context| store(context, ipa, value.into()));
    }
    rig.at(1, || {
        fake::set("cntv_cval_el0", 0);
        fake::set("cntv_ctl_el0", 1);
    });
    assert_ne!(x(rig.guest(1, |_| load(map::GICD + 4)), 0), 0);
    assert_eq!(x(rig.guest(1, move |_| load(sgi_base + 0x100)), 0), 1 << 27);
    assert_eq!(x(rig.guest(1, move |_| load(sgi_base + 0x200)), 0) >> 27 & 1, 1, "a timer's line is seen here");
    // An SPI is sent elsewhere: GICD_IROUTER40. And an enable is taken back.
    rig.guest(1, |context| store(context, map::GICD + 0x6000 + 40 * 8, 0));
    rig.guest(1, move |context| store(context, sgi_base + 0x180, 1 << 27));
    assert_eq!(x(rig.guest(1, move |_| load(sgi_base + 0x100)), 0), 0);
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Gic), 9);
}

#[test]
fn the_clock_is_behind_the_bus() {
    let rig = rig(false);
    let time = x(rig.guest(1, |_| load(map::RTC)), 0);
    assert_eq!(time, 1_795_970_000);
    // RTCMR, RTCIMSC: an alarm in a minute, by the timer of this core.
    rig.guest(1, move |context| store(context, map::RTC + 4, time + 60));
    rig.guest(1, |context| store(context, map::RTC + 0x10, 1));
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Device), 3);
    rig.advance(61_000_000);
    rig.interrupt(1, portcullis_board::signal::EL2_TIMER_INTID);
    assert_eq!(x(rig.guest(1, |_| load(map::RTC + 0x18)), 0), 1, "RTCMIS");
}

#[test]
fn what_reaches_nothing_is_an_abort_to_the_guest() {
    let rig = rig(false);
    rig.at(1, || fake::set("elr_el2", map::RAM + 0x40));
    rig.guest(1, |_| load(NOWHERE));
    assert_eq!(rig.register(1, "elr_el2") & !0x7ff, VECTORS & !0x7ff, "it is in its vectors");
    assert_eq!(rig.register(1, "elr_el1"), map::RAM + 0x40);
    assert_eq!(rig.register(1, "far_el1"), NOWHERE);
    assert_eq!(rig.register(1, "esr_el1") & 0x3f, 0x10, "a synchronous external abort");
    // So is a fetch, and what no syndrome describes where a device is.
    rig.at(1, || fake::set("elr_el2", map::RAM + 0x80));
    rig.guest(1, |_| {
        fault_at(NOWHERE);
        Trap::Exception(FETCH)
    });
    for ipa in [map::UART, map::GICD, map::RTC] {
        rig.at(1, || fake::set("elr_el2", map::RAM + 0x80));
        rig.guest(1, move |_| {
            fault_at(ipa);
            // ISV is 0: a load of a pair, say.
            Trap::Exception(0x24 << 26 | 1 << 25 | 7)
        });
    }
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Abort), 5);
    assert_eq!(rig.vm(1).phase(), Phase::Running);
    // Cache maintenance of nothing has nothing to do.
    rig.at(1, || fake::set("elr_el2", map::RAM + 0x80));
    rig.guest(1, |_| {
        fault_at(NOWHERE);
        Trap::Exception(0x24 << 26 | 1 << 25 | 1 << 8 | 1 << 6 | 7)
    });
    assert_eq!(rig.register(1, "elr_el2"), map::RAM + 0x84);
}

/// Cortex-A57 erratum 834220: what is told as an access to nothing may be a fault of the guest's own.
#[test]
fn a_core_that_mistakes_faults_is_not_believed() {
    for (midr, par, believed) in [
        (0x411f_d072, 1, false),
        (0x411f_d072, 0xff00_0000_3000_0980, true),
        (0x410f_d070, 1, false),
        (0x411f_d073, 1, true),
        (0x410f_d083, 1, true),
    ] {
        let rig = rig(false);
        rig.at(1, || {
            fake::set("elr_el2", map::RAM + 0x40);
            fake::set("midr_el1", midr);
            fake::set("par_el1", par);
        });
        rig.guest(1, |_| load(NOWHERE));
        let aborts = exits(rig.vcpu(1, 0), Exit::Abort);
        let at = rig.register(1, "elr_el2");
        if believed {
            assert_eq!((aborts, at & !0x7ff), (1, VECTORS), "{midr:#x}");
        } else {
            assert_eq!((aborts, at), (0, map::RAM + 0x40), "{midr:#x}: it is tried again");
        }
        assert_eq!(rig.register(1, "par_el1"), par);
    }
}

#[test]
fn an_abort_on_a_walk_tells_its_level() {
    let rig = rig(false);
    rig.at(1, || {
        fake::set("elr_el2", map::RAM + 0x40);
        // TCR_EL1.T0SZ of 25: three levels of 4 KiB tables, the first of which is where there is nothing.
        fake::set("tcr_el1", 25);
        fake::set("ttbr0_el1", NOWHERE);
    });
    rig.guest(1, |_| {
        fake::set("hpfar_el2", NOWHERE >> 12 << 4);
        fake::set("far_el2", 0x1234);
        Trap::Exception(0x24 << 26 | 1 << 25 | 1 << 7 | 7)
    });
    assert_eq!(rig.register(1, "esr_el1") & 0x3f, 0x15, "on a walk, at level 1");
}

#[test]
fn a_vm_whose_manifest_says_so_stops() {
    let rig = rig(true);
    rig.guest(1, |_| load(NOWHERE));
    let failure = rig.vm(1).failure().unwrap();
    assert_eq!((rig.vm(1).phase(), failure.reason, failure.address), (Phase::Failed, Reason::Access, NOWHERE));
    assert!(!rig.is_in_guest(1));
}

#[test]
fn an_abort_at_the_vector_again_and_again_ends_the_vm() {
    let rig = rig(false);
    for _ in 0..3 {
        if !rig.is_in_guest(1) {
            break;
        }
        let vector = rig.at(1, portcullis_arch::el2::exception_vector);
        rig.at(1, || fake::set("elr_el2", vector));
        rig.guest(1, move |_| {
            fault_at(vector);
            Trap::Exception(FETCH)
        });
    }
    assert_eq!(rig.vm(1).failure().unwrap().reason, Reason::Vector);
}

#[test]
fn an_serror_and_what_has_no_answer_end_the_vm() {
    let rig = rig(false);
    rig.guest(1, |_| Trap::To(portcullis_serror, 0x2f << 26 | 1 << 25));
    assert_eq!(rig.vm(1).failure().unwrap().reason, Reason::SError);
    let rig = self::rig(false);
    rig.guest(1, |_| {
        fault_at(NOWHERE);
        // A fault of the hypervisor's own tables: an external abort on a walk of stage 2.
        Trap::Exception(0x24 << 26 | 1 << 25 | 0x17)
    });
    assert_eq!(rig.vm(1).failure().unwrap().reason, Reason::Exception);
}

/// Only the guest's own tables tell where a store went that its memory does not allow: flash is mapped for reading.
#[test]
fn a_store_to_flash_is_found_by_the_guests_tables() {
    let flash = VmConfig { flash: Some([None, None]), ..vm("a", &[1]) };
    let rig = Rig::new(&[vm("ops", &[0]), flash]);
    rig.settle();
    let written = |par: u64| {
        rig.at(1, || {
            fake::set("elr_el2", map::RAM + 0x40);
            // HPFAR_EL2 says nothing of a permission fault, and PAR_EL1 is what AT leaves.
            fake::set("par_el1", par);
        });
        let before = exits(rig.vcpu(1, 0), Exit::Device);
        rig.guest(1, |context| {
            context.set_register(0, 0x90_0090);
            fake::set("hpfar_el2", NOWHERE >> 12 << 4);
            fake::set("far_el2", 0xffff_8000_0000_0000);
            // A word is stored, in memory that is not written: a permission fault at level 3.
            Trap::Exception(0x24 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 1 << 6 | 0xf)
        });
        assert_eq!(exits(rig.vcpu(1, 0), Exit::Device), before + 1);
        assert_eq!(rig.register(1, "par_el1"), par, "the guest's own is as before");
        rig.register(1, "elr_el2") - map::RAM
    };
    assert_eq!(written(map::FLASH), 0x44, "it is a command to the flash");
    // The walk has failed, or was aborted: the tables are others by now, and the guest tries again.
    assert_eq!(written(1), 0x40);
    assert_eq!(rig.vm(1).phase(), Phase::Running);
    // An address of nothing is an abort to the guest.
    rig.at(1, || fake::set("par_el1", NOWHERE));
    rig.guest(1, |_| Trap::Exception(0x24 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 1 << 6 | 0xf));
    assert_eq!(exits(rig.vcpu(1, 0), Exit::Abort), 1);
}
