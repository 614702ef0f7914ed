//! The same model seen as a GICv2.

mod random;
mod registers;
mod sgi;
mod targets;

use super::core::Core;
use super::*;
use crate::GicVersion;
use crate::VcpuSet;

const ITARGETSR: u64 = 0x800;
const SGIR: u64 = 0xf00;
const CPENDSGIR: u64 = 0xf10;
const SPENDSGIR: u64 = 0xf20;

fn fresh(vcpus: usize) -> Vgic {
    Vgic::of_version(GicVersion::V2, vcpus)
}

fn write(gic: &Vgic, vcpu: usize, offset: u64, value: u64) -> VcpuSet {
    gic.write_gicv2_distributor(vcpu, offset, 4, value).kick
}

fn write_byte(gic: &Vgic, vcpu: usize, offset: u64, value: u8) -> VcpuSet {
    gic.write_gicv2_distributor(vcpu, offset, 1, value.into()).kick
}

/// As vCPU `vcpu`, whose core has nothing in its list registers.
fn read(gic: &Vgic, vcpu: usize, offset: u64) -> u64 {
    gic.read_gicv2_distributor(vcpu, offset, 4, &Core::v2(4))
}

fn read_on(gic: &Vgic, vcpu: usize, offset: u64, core: &Core) -> u64 {
    gic.read_gicv2_distributor(vcpu, offset, 4, core)
}

/// A GIC with both groups on, every interrupt enabled and every SPI sent to vCPU 0.
fn enabled(vcpus: usize) -> Vgic {
    let gic = fresh(vcpus);
    let _ = write(&gic, 0, CTLR, 3);
    for bank in 0..9 {
        for vcpu in 0..if bank == 0 { vcpus } else { 1 } {
            let _ = write(&gic, vcpu, ISENABLER + bank * 4, 0xffff_ffff);
        }
    }
    for intid in (32..288).step_by(4) {
        let _ = write(&gic, 0, ITARGETSR + intid, 0x0101_0101);
    }
    gic
}

/// The value of GICD_SGIR that sends an SGI to a list of vCPUs.
fn sgir(sgi: u32, targets: u8) -> u64 {
    u64::from(targets) << 16 | u64::from(sgi)
}

/// Cores out of power-on, each entered once.
fn cores<const N: usize>(gic: &Vgic) -> [Core; N] {
    std::array::from_fn(|vcpu| {
        let mut core = Core::v2(4);
        let _ = core.enter(gic, vcpu);
        core
    })
}

/// Takes and ends everything; what came, with the senders of SGIs.
fn drain(core: &mut Core, gic: &Vgic, vcpu: usize) -> Vec<(u32, u32)> {
    let mut taken = Vec::new();
    loop {
        let _ = core.enter(gic, vcpu);
        if let Some(interrupt) = core.acknowledge_v2() {
            taken.push(interrupt);
            assert!(taken.len() < 1000, "endless: {taken:?}");
        }
        let _ = core.enter(gic, vcpu);
        if core.end().is_none() {
            return taken;
        }
    }
}
