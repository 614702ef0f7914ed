//! Synchronous exceptions that are not firmware calls, and SErrors.

use portcullis_arch::registers::ESR_EL2::{self, EC::Value as Class};
use portcullis_arch::{account::Exit, context::Context, el2, gicv3, stepping, stepping::Place, vectors::Next};
use portcullis_vgic::GicVersion;

use super::register_access::EC_SYSTEM_REGISTER;
use super::{abort, call, external_abort, identification, physical_time, system_error, visit};
use crate::cpu::gic::Interface;
use crate::vm::{Vcpu, failure::Reason, off_core::OffCore};

/// ESR_ELx.EC: WFI or WFE.
const EC_WAIT: u64 = Class::TrappedWFIorWFE as u64;
/// ESR_ELx.ISS.TI of [`EC_WAIT`]: 0 is WFI.
const WAIT_KIND: u64 = 0b11;
/// ESR_ELx.EC: HVC of AArch64.
pub(super) const EC_HVC: u64 = 0x16;
/// ESR_ELx.EC: SMC of AArch64.
pub(super) const EC_SMC: u64 = 0x17;
/// ESR_ELx.EC: an access of AArch32 to a register of coprocessor 14, by MCR or MRC, and by LDC or STC.
const EC_COPROCESSOR_14: [u64; 2] = [Class::TrappedMCRorMRC2 as u64, Class::TrappedLDCorSTC as u64];
/// ESR_ELx.ISS.Op0 of a system register access: 2 are debug and trace registers.
const DEBUG_REGISTER: u64 = 2 << 20;
/// The part of ESR_ELx that says so.
const DEBUG_REGISTER_MASK: u64 = 3 << 20;
/// ESR_ELx.EC: an instruction abort from a lower level.
const EC_INSTRUCTION_ABORT: u64 = Class::InstrAbortLowerEL as u64;
/// ESR_ELx.EC: a data abort from a lower level.
const EC_DATA_ABORT: u64 = Class::DataAbortLowerEL as u64;
/// ESR_ELx of an undefined instruction: EC 0 and a 32-bit instruction.
const UNDEFINED: u64 = ESR_EL2::IL::SET.value;

/// ESR_ELx.ISS of an MSR or MRS, without the general register: op0 21:20, op2 19:17, op1 16:14, CRn 13:10, CRm 4:1, and
/// bit 0 for a read (Arm ARM, D19.2.37, "ISS encoding for an exception from MSR, MRS, or System instruction").
const REGISTER_MASK: u64 = 0x3f_fc1f;
/// [`REGISTER_MASK`] of `msr icc_sgi1r_el1`: S3_0_C12_C11_5, a write.
const ICC_SGI1R_EL1: u64 = 3 << 20 | 5 << 17 | 12 << 10 | 11 << 1;
/// The same of `msr icc_asgi1r_el1`: S3_0_C12_C11_6.
const ICC_ASGI1R_EL1: u64 = 3 << 20 | 6 << 17 | 12 << 10 | 11 << 1;
/// The same of `msr icc_sgi0r_el1`: S3_0_C12_C11_7.
const ICC_SGI0R_EL1: u64 = 3 << 20 | 7 << 17 | 12 << 10 | 11 << 1;
/// [`REGISTER_MASK`] of `icc_sre_el1`, S3_0_C12_C12_5, but for bit 0: both ways.
const ICC_SRE_EL1: u64 = 3 << 20 | 5 << 17 | 12 << 10 | 12 << 1;
/// The part of [`REGISTER_MASK`] that all ID registers share.
const ID_REGISTER_MASK: u64 = 0x31_fc01;
/// Its value: S3_0_C0, a read. Of CRm 0 only REVIDR_EL1 traps, and that of a VM alone that is shown another CPU than its core.
const ID_REGISTER: u64 = 3 << 20 | 1;

/// A guest did something that is trapped.
///
/// # Safety
///
/// For the vectors only.
#[inline(never)]
pub unsafe extern "C" fn taken<G: Interface>(context: *const Context, syndrome: u64) -> Next {
    // SAFETY: it comes from the vectors.
    answer::<G>(unsafe { Vcpu::of(context) }, syndrome)
}

/// Each way out is a call in tail position.
#[inline(always)]
fn answer<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    match el2::class(syndrome) {
        EC_SYSTEM_REGISTER if has_registers::<G>() && syndrome & REGISTER_MASK == ICC_SGI1R_EL1 => {
            send_sgi::<G>(vcpu, syndrome)
        }
        EC_SYSTEM_REGISTER if syndrome & ID_REGISTER_MASK == ID_REGISTER => id_register::<G>(vcpu, syndrome),
        EC_DATA_ABORT => abort::data::<G>(vcpu, syndrome),
        EC_WAIT => wait::<G>(vcpu, syndrome),
        _ => rare::<G>(vcpu, syndrome),
    }
}

/// Whether the guest's CPU interface is system registers.
const fn has_registers<G: Interface>() -> bool {
    matches!(G::VERSION, GicVersion::V3)
}

/// What a guest does seldom, or never.
#[cold]
fn rare<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    if !Place::here().executes(syndrome) {
        return pass(vcpu, syndrome);
    }
    match syndrome >> 26 & 0x3f {
        // With an immediate that is not 0: the vectors finish the others, or hand them to the gate.
        EC_HVC => call::decide(vcpu, syndrome),
        EC_SMC => {
            stepping::step_over_a64();
            call::decide(vcpu, syndrome)
        }
        EC_INSTRUCTION_ABORT => external_abort::answer(vcpu, Reason::Fetch, syndrome),
        // They name the other security state's group 1 and group 0, which no vCPU takes: no effect.
        EC_SYSTEM_REGISTER
            if has_registers::<G>() && matches!(syndrome & REGISTER_MASK, ICC_ASGI1R_EL1 | ICC_SGI0R_EL1) =>
        {
            vcpu.account().exit(Exit::Sgi);
            step_over::<G>(vcpu)
        }
        EC_SYSTEM_REGISTER if has_registers::<G>() && syndrome & REGISTER_MASK & !1 == ICC_SRE_EL1 => {
            interface_enable::<G>(vcpu, syndrome)
        }
        EC_SYSTEM_REGISTER if syndrome & DEBUG_REGISTER_MASK == DEBUG_REGISTER => debug_register::<G>(vcpu),
        class if EC_COPROCESSOR_14.contains(&class) => debug_register::<G>(vcpu),
        // Everything else is something that this machine does not have: SVE, SME, coprocessors, unknown instructions.
        _ => physical_time::answer(vcpu, syndrome)
            .or_else(|| identification::answer(vcpu, syndrome))
            .unwrap_or_else(|| undefined::<G>(vcpu)),
    }
}

/// A guest reads or writes ICC_SRE_EL1, which says that there are system registers and cannot be changed.
fn interface_enable<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    vcpu.account().exit(Exit::Gic);
    stepping::step_over_a64();
    let register = syndrome >> 5 & 0x1f;
    if syndrome & 1 != 0 {
        vcpu.context.set_register(register, gicv3::SYSTEM_REGISTERS);
    }
    vcpu.before_resume_with::<G>(register)
}

/// Goes on behind the instruction that trapped.
#[inline(always)]
fn step_over<G: Interface>(vcpu: &'static Vcpu) -> Next {
    stepping::step_over_a64();
    vcpu.before_resume::<G>()
}

/// An instruction of AArch32 whose condition does not hold has trapped: it does nothing.
#[cold]
#[inline(never)]
fn pass(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    stepping::step_over(syndrome);
    vcpu.before_resume_on_any()
}

/// A guest on a shared core waits for an interrupt. WFIT, which waits for a time as well, is hidden from guests; it does not wait
/// here, which every WFI may do.
#[inline(never)]
fn wait<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    let place = Place::here();
    if place.is_aarch32() {
        return wait_in_aarch32::<G>(vcpu, place, syndrome);
    }
    vcpu.account().exit(Exit::Wait);
    stepping::step_over_from(place);
    wait_behind::<G>(vcpu, syndrome)
}

#[cold]
#[inline(never)]
fn wait_in_aarch32<G: Interface>(vcpu: &'static Vcpu, place: Place, syndrome: u64) -> Next {
    if !place.executes(syndrome) {
        return pass(vcpu, syndrome);
    }
    vcpu.account().exit(Exit::Wait);
    stepping::step_over(syndrome);
    wait_behind::<G>(vcpu, syndrome)
}

/// The guest goes on behind its instruction when it has waited.
#[inline(always)]
fn wait_behind<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    match syndrome & WAIT_KIND {
        0 => vcpu.wait_and_resume(),
        _ => vcpu.before_resume::<G>(),
    }
}

/// A guest uses a debug register. On a core that it shares it is given these when it uses one, and tries again; what traps
/// even so is a register that it does not have.
fn debug_register<G: Interface>(vcpu: &'static Vcpu) -> Next {
    if vcpu.off_core().is_some_and(OffCore::give_debug) {
        vcpu.account().exit(Exit::Debug);
        vcpu.before_resume::<G>()
    } else {
        undefined::<G>(vcpu)
    }
}

/// The instruction does not exist on this machine.
fn undefined<G: Interface>(vcpu: &'static Vcpu) -> Next {
    vcpu.account().exit(Exit::Undefined);
    el2::inject(UNDEFINED, None);
    vcpu.before_resume::<G>()
}

/// An SError came while a guest ran.
///
/// # Safety
///
/// For the vectors only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portcullis_serror(context: *const Context, syndrome: u64) -> Next {
    // SAFETY: it comes from the vectors.
    let vcpu = unsafe { Vcpu::of(context) };
    match vcpu.vm.audit.watch() {
        Some(watch) if watch.is_traced() => visit::system_error(vcpu, syndrome, system_error::while_running),
        _ => system_error::while_running(vcpu, syndrome),
    }
}

/// A guest sends an SGI. Each of these is a function of its own, so that none pays for another's registers.
#[inline(never)]
fn send_sgi<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    vcpu.account().exit(Exit::Sgi);
    let value = vcpu.context.register(syndrome >> 5 & 0x1f);
    vcpu.vm.kicks.send_by::<G>(vcpu.vm.vgic.write_sgi1r(vcpu.index, value));
    step_over::<G>(vcpu)
}

/// A guest reads an ID register.
#[inline(never)]
fn id_register<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    vcpu.account().exit(Exit::IdRegister);
    let (crm, op2) = (syndrome >> 1 & 0xf, syndrome >> 17 & 7);
    let value = vcpu.vm.features.get().find(crm, op2).unwrap_or_else(|| identification::revision(vcpu));
    let register = syndrome >> 5 & 0x1f;
    vcpu.context.set_register(register, value);
    stepping::step_over_a64();
    vcpu.before_resume_with::<G>(register)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sgi_is_recognised_whatever_register_holds_it() {
        // msr s3_0_c12_c11_5, x7
        let syndrome = 0x18 << 26 | 1 << 25 | 3 << 20 | 5 << 17 | 12 << 10 | 7 << 5 | 11 << 1;
        assert_eq!(syndrome & REGISTER_MASK, ICC_SGI1R_EL1);
        assert_ne!((syndrome | 1) & REGISTER_MASK, ICC_SGI1R_EL1);
    }

    #[test]
    fn id_registers_are_recognised_and_nothing_else() {
        // mrs x1, id_aa64isar0_el1 (S3_0_C0_C6_0); mrs x1, cntpct_el0
        assert_eq!((3 << 20 | 1 << 5 | 6 << 1 | 1) & ID_REGISTER_MASK, ID_REGISTER);
        assert_ne!(0x32_f821 & ID_REGISTER_MASK, ID_REGISTER);
    }
}
