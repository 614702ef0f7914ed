//! Tests of the virtual GIC as a whole: a simulated core plays the guest on simulated list registers.

mod core;
mod general;
mod given;
mod lifecycle;
mod lines;
mod linked;
mod overflow;
mod private;
mod random;
mod registers;
mod saved;
mod sharing;
mod threads;
mod v2;
mod wake;

use self::core::Core;
use super::Vgic;
use crate::list_register::ListRegisters;

const CTLR: u64 = 0;
const ISENABLER: u64 = 0x100;
const ICENABLER: u64 = 0x180;
const ISPENDR: u64 = 0x200;
const ICPENDR: u64 = 0x280;
const ISACTIVER: u64 = 0x300;
const ICACTIVER: u64 = 0x380;
const IPRIORITYR: u64 = 0x400;
const ICFGR: u64 = 0xc00;
const IROUTER: u64 = 0x6000;
/// SGI_base in a redistributor.
const SGI_BASE: u64 = 0x1_0000;

/// A GIC with both groups on and every interrupt enabled.
fn enabled(vcpus: usize) -> Vgic {
    let gic = Vgic::new(vcpus);
    let _ = gic.write_distributor(0, CTLR, 4, 3);
    for bank in 1..9 {
        let _ = gic.write_distributor(0, ISENABLER + bank * 4, 4, 0xffff_ffff);
    }
    for frame in 0..vcpus {
        let _ = gic.write_redistributor(frame, frame, SGI_BASE + ISENABLER, 4, 0xffff_ffff);
    }
    gic
}

/// Sets the bit of `intid` in a bitmap register, wherever that interrupt has it.
fn write_bit(gic: &Vgic, vcpu: usize, register: u64, intid: u32) -> super::VcpuSet {
    let bit = 1 << (intid % 32);
    if intid < 32 {
        gic.write_redistributor(vcpu, vcpu, SGI_BASE + register, 4, bit).kick
    } else {
        gic.write_distributor(vcpu, register + u64::from(intid / 32) * 4, 4, bit)
    }
}

/// The bit of `intid` in a bitmap register as vCPU `vcpu` reads it.
fn read_bit(gic: &Vgic, vcpu: usize, register: u64, intid: u32, core: &Core) -> bool {
    let word = if intid < 32 {
        gic.read_redistributor(vcpu, vcpu, SGI_BASE + register, 4, core)
    } else {
        gic.read_distributor(vcpu, register + u64::from(intid / 32) * 4, 4, core)
    };
    word >> (intid % 32) & 1 != 0
}

fn set_priority(gic: &Vgic, vcpu: usize, intid: u32, priority: u8) {
    let offset = IPRIORITYR + u64::from(intid);
    if intid < 32 {
        let _ = gic.write_redistributor(vcpu, vcpu, SGI_BASE + offset, 1, priority.into());
    } else {
        let _ = gic.write_distributor(vcpu, offset, 1, priority.into());
    }
}

/// The GIC, whose vCPUs are off their cores, is saved, and a new one that is made of it takes its place.
fn moves(gic: &mut Vgic, list_registers: usize) {
    let saved = gic.save().expect("nothing physical stands behind it");
    let next = Vgic::of_version(gic.version, gic.count);
    assert_eq!(next.restore(&saved, list_registers), Ok(()));
    assert_eq!(next.save(), Some(saved));
    *gic = next;
}

/// The vCPUs leave their cores, the GIC [moves], and they come back.
fn move_all(gic: &mut Vgic, cores: &mut [Core]) {
    for (vcpu, core) in cores.iter_mut().enumerate() {
        gic.leave_core(vcpu, core);
    }
    moves(gic, cores[0].lrs.len());
    for (vcpu, core) in cores.iter_mut().enumerate() {
        gic.enter_core(vcpu, core);
        core.synchronize();
    }
}

/// The value of ICC_SGI1R_EL1 that sends an SGI to a list of vCPUs.
fn sgi1r(sgi: u32, targets: u16) -> u64 {
    u64::from(sgi) << 24 | u64::from(targets)
}
