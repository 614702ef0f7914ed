//! Synchronous exceptions that are not firmware calls, and SErrors.

use portcullis_arch::{account::Exit, context::Context, el2, vectors::Next};

use super::{abort, fault};
use crate::processor::Processor;
use crate::vm::vcpu::Vcpu;

/// ESR_ELx.EC: a system register access.
const EC_SYSTEM_REGISTER: u64 = 0x18;
/// ESR_ELx.EC: an instruction abort from a lower level.
const EC_INSTRUCTION_ABORT: u64 = 0x20;
/// ESR_ELx.EC: a data abort from a lower level.
const EC_DATA_ABORT: u64 = 0x24;
/// ESR_ELx of an undefined instruction: EC 0 and a 32-bit instruction.
const UNDEFINED: u64 = 1 << 25;

/// ESR_ELx.ISS of an MSR or MRS, without the general register.
const REGISTER_MASK: u64 = 0x3f_fc1f;
/// [`REGISTER_MASK`] of `msr icc_sgi1r_el1`: S3_0_C12_C11_5, a write.
const ICC_SGI1R_EL1: u64 = 3 << 20 | 5 << 17 | 12 << 10 | 11 << 1;

/// A guest did something that is trapped.
#[unsafe(no_mangle)]
extern "C" fn portcullis_exception(context: &mut Context, syndrome: u64) -> Next {
    let vcpu = Vcpu::of(context);
    match syndrome >> 26 & 0x3f {
        EC_SYSTEM_REGISTER if syndrome & REGISTER_MASK == ICC_SGI1R_EL1 => send_sgi(context, vcpu, syndrome),
        EC_DATA_ABORT => abort::data(context, vcpu, syndrome),
        EC_INSTRUCTION_ABORT => fault::stop(vcpu, "instruction abort", syndrome),
        EC_SYSTEM_REGISTER => system_register(context, vcpu, syndrome),
        // Everything else is something that this machine does not have: SVE, SME, coprocessors, unknown instructions.
        _ => undefined(vcpu),
    }
}

/// The instruction does not exist on this machine.
fn undefined(vcpu: &'static Vcpu) -> Next {
    vcpu.account().exit(Exit::Undefined);
    el2::inject(UNDEFINED, None);
    vcpu.before_resume()
}

/// An SError came while a guest ran. It may be late, but a guest that touches no device cannot cause one for another.
#[unsafe(no_mangle)]
extern "C" fn portcullis_serror(context: &mut Context, syndrome: u64) -> Next {
    fault::stop(Vcpu::of(context), "SError", syndrome)
}

/// The system register of a trapped access, as the instruction names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Access {
    op0: u64,
    op1: u64,
    crn: u64,
    crm: u64,
    op2: u64,
    register: u64,
    read: bool,
}

impl Access {
    /// From ESR_ELx.ISS (Arm ARM, D19.2.37, "ISS encoding for an exception from MSR, MRS, or System instruction").
    fn new(syndrome: u64) -> Self {
        Self {
            op0: syndrome >> 20 & 3,
            op2: syndrome >> 17 & 7,
            op1: syndrome >> 14 & 7,
            crn: syndrome >> 10 & 0xf,
            register: syndrome >> 5 & 0x1f,
            crm: syndrome >> 1 & 0xf,
            read: syndrome & 1 != 0,
        }
    }
}

/// A guest sends an SGI.
#[inline]
fn send_sgi(context: &Context, vcpu: &'static Vcpu, syndrome: u64) -> Next {
    vcpu.account().exit(Exit::Sgi);
    let value = context.register(syndrome >> 5 & 0x1f);
    vcpu.vm.kick(vcpu.vm.vgic.write_sgi1r(vcpu.index, value));
    el2::set_return_address(el2::return_address().wrapping_add(4));
    vcpu.before_resume()
}

fn system_register(context: &mut Context, vcpu: &'static Vcpu, syndrome: u64) -> Next {
    let access = Access::new(syndrome);
    match access {
        // ICC_ASGI1R_EL1 and ICC_SGI0R_EL1 name the other security state's group 1 and group 0, which no vCPU takes: they
        // have no effect.
        Access { op0: 3, op1: 0, crn: 12, crm: 11, op2: 6 | 7, read: false, .. } => vcpu.account().exit(Exit::Sgi),
        Access { op0: 3, op1: 0, crn: 0, crm, op2, read: true, .. } if crm != 0 => {
            vcpu.account().exit(Exit::IdRegister);
            let value = Processor::current().map_or(0, |processor| processor.id_register(crm, op2));
            context.set_register(access.register, value);
        }
        _ => return undefined(vcpu),
    }
    el2::set_return_address(el2::return_address().wrapping_add(4));
    vcpu.before_resume()
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
    fn the_syndrome_names_the_register() {
        // mrs x1, cntpct_el0
        let access = Access::new(0x32_f821);
        assert_eq!(access, Access { op0: 3, op1: 3, crn: 14, crm: 0, op2: 1, register: 1, read: true });
    }
}
