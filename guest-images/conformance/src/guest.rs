//! The guest's main function: reads the command line and runs what it asks for.

use core::panic::PanicInfo;

use guest_runtime::arguments::Arguments;
use guest_runtime::power::Conduit;
use guest_runtime::{console, exception, gic, power};

use crate::door::Door;
use crate::profile::{Mode, Profile};
use crate::{
    aborts, architecture, busy, cost, device, distributor, dma, draws, end, fault, forward, garbage, gicv2, hostile,
    identification, idle, interrupts, leak, lifecycle, psci, ptp, pv_time, report, reset, sgi, spi, steal, storm,
    sweep, timer, trng, uart, unknown, vendor,
};

guest_runtime::main!(run);

fn run(line: &'static str) -> ! {
    console::line(format_args!("conformance: arguments \"{line}\""));
    match Profile::parse(Arguments::new(line)) {
        Ok(profile) => {
            exception::set_interrupt_handler(interrupts::handle);
            dispatch(&profile);
        }
        Err(problem) => report::fail(format_args!("arguments"), &problem.expected, &problem.got),
    }
    report::finish();
    power::off()
}

fn dispatch(profile: &Profile) {
    if profile.gic && !matches!(profile.mode, Mode::Reset | Mode::Leak) {
        gic::init_distributor();
        gic::init_cpu();
    }
    match profile.mode {
        Mode::Cases => cases(profile),
        Mode::Garbage => garbage::run(profile),
        Mode::Sweep => sweep::run(profile),
        Mode::Matrix => sweep::matrix(profile),
        Mode::Forward => forward::run(profile),
        Mode::Draws => draws::numbered(profile),
        Mode::Words => draws::show(),
        Mode::Scarce => draws::scarce(profile),
        Mode::NoEntropy => draws::none(profile),
        Mode::MachineOff => end::run(profile, false),
        Mode::MachineReset => end::run(profile, true),
        Mode::Cost => cost::run(profile),
        Mode::Storm => storm::run(profile),
        Mode::Busy => busy::run(profile),
        Mode::Reset => reset::run(profile),
        Mode::Device => device::run(profile),
        Mode::Dma => dma::run(profile),
        Mode::Leak => leak::run(profile),
        Mode::Starved => steal::starved(profile),
        Mode::Paused => steal::paused(),
        Mode::Hostile => hostile::run(profile),
        Mode::Idle => idle::run(profile),
        Mode::Abort => fault::abort(profile),
        Mode::Aborts => aborts::run(profile),
        Mode::NoVectors => aborts::without_vectors(),
        Mode::SystemRegister => fault::system_register(),
        Mode::Mmio => fault::malformed_mmio(profile),
        Mode::Jump => fault::jump(profile),
    }
}

fn cases(profile: &Profile) {
    if profile.wants("id") {
        identification::run(profile);
    }
    for conduit in [Conduit::Hvc, Conduit::Smc] {
        let door = Door::new(conduit);
        let open = profile.is_open(conduit == Conduit::Hvc);
        if profile.wants("services") {
            if open { services(&door, profile) } else { unknown::closed(&door) }
        }
        if profile.wants("lifecycle") && open {
            lifecycle::run(&door, profile);
        }
    }
    if profile.wants("uart") {
        uart::run(profile);
    }
    if profile.wants("gic") && profile.gic {
        report::equal(format_args!("gic/version"), if profile.gicv2 { 2 } else { 3 }, gic::version());
        if profile.gicv2 {
            gicv2::distributor(profile)
        } else {
            distributor::run(profile)
        }
        timer::run(profile);
        sgi::run(profile);
        if profile.gicv2 {
            gicv2::sgis(profile);
        }
        spi::run(profile);
    }
}

/// Every call of every service through one open door.
pub fn services(door: &Door, profile: &Profile) {
    architecture::run(door, profile);
    psci::run(door, profile);
    trng::run(door, profile);
    pv_time::run(door, profile);
    vendor::run(door, profile);
    ptp::run(door, profile);
    unknown::run(door, profile);
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    console::urgent_line(format_args!("case panic: FAIL expected none got {info}"));
    power::off()
}
