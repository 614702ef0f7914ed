//! What a guest does, in the words of its programmer.

use portcullis_arch::context::Context;
use portcullis_arch::fake::{self, Trap};
use portcullis_vgic::GicVersion;

use crate::trap::call::{portcullis_call, portcullis_serve};
use crate::vm::Vcpu;

/// ESR_EL2 of an HVC with immediate 0.
const HVC: u64 = 0x16 << 26 | 1 << 25;
/// ESR_EL2 of a data abort by a translation fault at level 3, with a syndrome of a 32-bit access of x0.
const DATA_ABORT: u64 = 0x24 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 0b00_0111;
/// ESR_ELx.WnR.
const WRITE: u64 = 1 << 6;

/// A call that only the gate can decide.
pub fn hvc(context: &mut Context, x: [u64; 4]) -> Trap {
    context.x[..4].copy_from_slice(&x);
    Trap::To(portcullis_call, HVC)
}

/// The same by SMC.
pub fn smc(context: &mut Context, x: [u64; 4]) -> Trap {
    context.x[..4].copy_from_slice(&x);
    Trap::To(portcullis_call, 0x17 << 26 | 1 << 25)
}

/// A call that the vectors have found to be a service's with this code.
pub fn serve(context: &mut Context, code: u32, x: [u64; 4]) -> Trap {
    context.x[..4].copy_from_slice(&x);
    Trap::Service(portcullis_serve, code)
}

/// Loads x0 from an address that is not mapped.
pub fn load(ipa: u64) -> Trap {
    fault_at(ipa);
    Trap::Exception(DATA_ABORT)
}

/// Stores x0 there.
pub fn store(context: &mut Context, ipa: u64, value: u64) -> Trap {
    context.x[0] = value;
    fault_at(ipa);
    Trap::Exception(DATA_ABORT | WRITE)
}

/// Has the fault registers say that an access of `ipa` failed.
pub fn fault_at(ipa: u64) {
    fake::set("hpfar_el2", ipa >> 12 << 4);
    fake::set("far_el2", ipa);
}

/// ESR_EL2 of an MSR of `register` to a system register, or an MRS to it.
pub const fn system_register(op0: u64, op1: u64, crn: u64, crm: u64, op2: u64, register: u64, read: bool) -> u64 {
    0x18 << 26 | 1 << 25 | op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | register << 5 | crm << 1 | read as u64
}

/// Has the guest of `vcpu` want a private interrupt, as it would by the frames of its GIC.
pub fn wants(vcpu: &Vcpu, intid: u32) {
    let (vgic, index) = (&vcpu.vm.vgic, vcpu.index);
    match crate::cpu::gic::version() {
        GicVersion::V3 => {
            // GICD_CTLR.EnableGrp1, then GICR_IGROUPR0 and GICR_ISENABLER0.
            let _ = vgic.write_distributor(index, 0, 4, 2);
            let _ = vgic.write_redistributor(index, index, 0x1_0080, 4, u32::MAX.into());
            let _ = vgic.write_redistributor(index, index, 0x1_0100, 4, 1 << intid);
        }
        GicVersion::V2 => {
            // GICD_CTLR.EnableGrp0, then GICD_ISENABLER0.
            let _ = vgic.write_gicv2_distributor(index, 0, 4, 1);
            let _ = vgic.write_gicv2_distributor(index, 0x100, 4, 1 << intid);
        }
    }
}

/// Makes an SGI that its guest wants pend for `vcpu`, and kicks its core.
pub fn raise_sgi(vcpu: &Vcpu, intid: u32) {
    wants(vcpu, intid);
    // GICR_ISPENDR0.
    let write = vcpu.vm.vgic.write_redistributor(vcpu.index, vcpu.index, 0x1_0200, 4, 1 << intid);
    vcpu.vm.kicks.send(write.kick);
}
