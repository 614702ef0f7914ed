//! What the guest does, one file for each kind of run: the cases, or a run that ends the VM or takes long.

mod aborts;
mod busy;
mod clock;
mod copies;
mod cost;
mod device;
mod disks;
mod disturb;
mod dma;
mod draws;
mod end;
mod fault;
mod flash;
mod forward;
mod fresh;
mod garbage;
mod hostile;
mod idle;
mod leak;
mod links;
mod moved;
mod moved_flash;
mod pause;
mod peers;
mod psci;
mod reset;
mod rings;
mod serial;
mod shared;
mod shown;
mod speculation;
mod steal;
mod steps;
mod storm;
mod suspend;
mod sweep;
mod travels;
mod typed;
mod vcpus;
mod watchdog;
mod wires;

use conformance::profile::{Mode, Profile};
use guest_runtime::gic;

use crate::guest::cases;

/// Runs the mode that the command line asks for. The GIC is ready for use but where a mode looks at it as it came.
pub fn run(profile: &Profile) {
    if profile.gic && !matches!(profile.mode, Mode::Reset | Mode::Leak) {
        gic::init_distributor();
        gic::init_cpu();
    }
    match profile.mode {
        Mode::Cases => cases::run(profile),
        Mode::Garbage => garbage::run(profile),
        Mode::Sweep => sweep::run(profile),
        Mode::Matrix => sweep::matrix(profile),
        Mode::Forward => forward::run(profile),
        Mode::Late => forward::late(profile),
        Mode::Draws => draws::numbered(profile),
        Mode::Words => draws::show(profile),
        Mode::Scarce => draws::scarce(profile),
        Mode::NoEntropy => draws::none(profile),
        Mode::MachineOff => end::run(profile, false),
        Mode::MachineReset => end::run(profile, true),
        Mode::Copies => copies::run(),
        Mode::LinksAsk => links::ask(),
        Mode::LinksStay => links::stay(profile.seconds),
        Mode::SerialAsk => serial::ask(),
        Mode::SerialAnswer => serial::answer(),
        Mode::Disks => disks::run(),
        Mode::LinksAnswer => links::answer(),
        Mode::Cost => cost::run(profile),
        Mode::Storm => storm::run(profile),
        Mode::Busy => busy::run(profile),
        Mode::Psci => psci::run(profile),
        Mode::Vcpus => vcpus::run(profile),
        Mode::Suspend => suspend::run(profile),
        Mode::Reset => reset::run(profile),
        Mode::Peers => peers::run(profile),
        Mode::Fresh => fresh::run(profile),
        Mode::Device => device::run(profile),
        Mode::Disturb => disturb::run(profile),
        Mode::Dma => dma::run(profile),
        Mode::Leak => leak::run(profile),
        Mode::Starved => steal::starved(profile),
        Mode::Paused => pause::run(profile),
        Mode::Moved => moved::run(profile),
        Mode::Travels => travels::run(profile),
        Mode::Clock => clock::run(),
        Mode::Hostile => hostile::run(profile),
        Mode::Rings => rings::run(profile),
        Mode::Idle => idle::run(profile),
        Mode::Typed => typed::run(profile),
        Mode::Abort => fault::abort(profile),
        Mode::Aborts => aborts::run(profile),
        Mode::Steps => steps::run(profile),
        Mode::Speculation => speculation::run(profile),
        Mode::Flash => flash::run(profile),
        Mode::FirstBank => flash::first(),
        Mode::MovedFlash => moved_flash::run(),
        Mode::NoVectors => aborts::without_vectors(),
        Mode::SystemRegister => fault::system_register(),
        Mode::Mmio => fault::malformed_mmio(profile),
        Mode::Jump => fault::jump(profile),
        Mode::Watchdog => watchdog::run(profile),
        Mode::Ask => wires::ask(),
        Mode::Answer => wires::answer(),
        Mode::ShareWriting => shared::write(),
        Mode::ShareReading => shared::read(),
        Mode::Shown => shown::run(profile),
    }
}
