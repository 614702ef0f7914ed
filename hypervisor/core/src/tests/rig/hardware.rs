//! The cores of a test, and what they do to each other.

use portcullis_arch::fake::{self, Core as Hardware, Event};
use portcullis_vgic::GicVersion;

/// Ticks of the counter in a second.
pub const SECOND: u64 = 1_000_000;
/// ICH_VTR_EL2.ListRegs: four of them.
const FOUR_LIST_REGISTERS: u64 = 3;

/// MIDR_EL1 of the cores, in turns: of a Cortex-A55, which is safe from speculation, in two revisions.
pub const MIDR: [u64; 2] = [0x412f_d050, 0x411f_d050];

/// A core that has just been switched on.
pub fn hardware(gic: GicVersion, number: usize) -> Hardware {
    let former = fake::become_core(Hardware::default());
    fake::set("cntfrq_el0", SECOND);
    fake::set("cntpct_el0", 1000);
    fake::set("revidr_el1", 5);
    // FEAT_RAS: an SError that is pending can be deferred.
    fake::set("id_aa64pfr0_el1", 1 << 28);
    fake::set("midr_el1", MIDR[number % MIDR.len()]);
    // PARange: 48 bits, as the host's addresses are.
    fake::set("id_aa64mmfr0_el1", 5);
    match gic {
        GicVersion::V3 => fake::set("ich_vtr_el2", FOUR_LIST_REGISTERS),
        GicVersion::V2 => {
            fake::install_gicv2(4);
            // Each core knows the bits of all, which the board's driver has noted.
            (0..portcullis_arch::gicv2::MAX_CORES).for_each(|core| portcullis_arch::gicv2::init_core(core, 1 << core));
        }
    }
    fake::record();
    fake::become_core(former)
}

/// Does something on a core of a list.
pub fn in_place<R>(cores: &mut [Hardware], core: usize, act: impl FnOnce() -> R) -> R {
    let former = fake::become_core(std::mem::take(&mut cores[core]));
    let result = act();
    cores[core] = fake::become_core(former);
    result
}

/// What a core has done since it was asked last.
pub fn events_of(cores: &mut [Hardware], core: usize) -> Vec<Event> {
    in_place(cores, core, || {
        let events = fake::recorded();
        fake::record();
        events
    })
}

/// Which SGIs a core has sent: to which core, and which.
pub fn sgis(events: &[Event]) -> Vec<(usize, u32)> {
    let mut sent = Vec::new();
    for event in events {
        let (targets, intid) = match *event {
            // ICC_SGI1R_EL1: target list 15:0, INTID 27:24. All affinities above level 0 are zero here.
            Event::Write("icc_sgi1r_el1", value) => (value & 0xffff, value >> 24 & 0xf),
            // GICD_SGIR: target list 23:16, INTID 3:0.
            Event::WriteGicv2(fake::Frame::Gicd, 0xf00, value) => {
                (u64::from(value) >> 16 & 0xff, u64::from(value) & 0xf)
            }
            _ => continue,
        };
        sent.extend((0..16).filter(|core| targets >> core & 1 != 0).map(|core| (core, intid as u32)));
    }
    sent
}
