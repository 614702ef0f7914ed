//! A neighbour that does its worst for a while, and then says how often it did.

use conformance::profile::{Profile, Worst};
use guest_runtime::call::quick;
use guest_runtime::{console, counter, cpu, gic, mmio, power};
use portcullis_abi::function::{PSCI_SYSTEM_RESET2, SMCCC_VERSION};
use portcullis_abi::map::{GICD, TIMER_VIRTUAL_INTID as TIMER};

use crate::guest::{interrupts, report};

/// The interrupt in use.
const SGI: u32 = 2;
/// Calls between two looks at the counter.
const BURST: u32 = 64;

/// Does it until the time is over.
pub fn run(profile: &Profile) {
    let end = counter::virtual_count() + counter::ticks(profile.seconds * 1_000_000);
    let mut times = 0_u64;
    (0..16).for_each(gic::enable);
    gic::enable(TIMER);
    if matches!(profile.worst, Worst::Signals | Worst::Floods | Worst::Alarms) {
        cpu::unmask_interrupts();
    }
    while counter::virtual_count() < end {
        for _ in 0..BURST {
            once(profile.worst);
        }
        times += u64::from(BURST);
    }
    cpu::mask_interrupts();
    counter::set_control(0);
    console::line(format_args!("hostile: {:?} {times} times, {} interrupts", profile.worst, interrupts::total()));
    report::pass(format_args!("hostile/had its time"));
}

fn once(worst: Worst) {
    match worst {
        // Interrupts are masked, and it never waits.
        Worst::Spin => core::hint::spin_loop(),
        // One interrupt is pending always: no wait lasts.
        Worst::Waits => {
            gic::set_pending(SGI);
            cpu::wait_for_interrupt();
        }
        Worst::Signals => gic::send(SGI, 1),
        // More at once than there are list registers: the end of some has EL2 put in others.
        Worst::Floods => {
            cpu::mask_interrupts();
            (0..16).for_each(|sgi| gic::send(sgi, 1));
            cpu::unmask_interrupts();
        }
        // It fires in a microsecond, or is set anew before.
        Worst::Alarms => counter::arm(counter::ticks(1), counter::CONTROL_ENABLE),
        Worst::Calls => {
            let _ = quick(power::conduit(), [SMCCC_VERSION.into(), 0, 0, 0]);
            let _ = quick(power::conduit(), [(PSCI_SYSTEM_RESET2 ^ 0xff).into(), 0, 0, 0]);
        }
        Worst::Accesses => mmio::write32(GICD + 0x104, mmio::read32(GICD + 0x104)),
    }
}
