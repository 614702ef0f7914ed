//! Reads of registers that say which CPU this is and what caches it has (HCR_EL2.TID1 and TID2), by a VM that is shown another one
//! than its core. Those of other VMs do not trap.
//!
//! Which caches there are is told as it is: whoever goes over them by set and way has asked before, and has to reach all of them.

use portcullis_arch::{account::Exit, cache_shape, stepping, vectors::Next};

use super::register_access::{self, EC_SYSTEM_REGISTER, READ};
use crate::vm::Vcpu;
use crate::vm::shown_cpu::ShownCpu;

/// What is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Register {
    /// AIDR_EL1.
    Auxiliary,
    /// CTR_EL0.
    CacheType,
    /// CLIDR_EL1.
    Levels,
    /// CCSIDR_EL1.
    Size,
    /// CSSELR_EL1.
    Selection,
}

/// The register that an access is to, if it is one of these.
const fn register(syndrome: u64) -> Option<Register> {
    if syndrome >> 26 & 0x3f != EC_SYSTEM_REGISTER {
        return None;
    }
    match (register_access::register(syndrome), syndrome & READ) {
        ([3, 1, 0, 0, 7], READ) => Some(Register::Auxiliary),
        ([3, 3, 0, 0, 1], READ) => Some(Register::CacheType),
        ([3, 1, 0, 0, 1], READ) => Some(Register::Levels),
        ([3, 1, 0, 0, 0], READ) => Some(Register::Size),
        ([3, 2, 0, 0, 0], _) => Some(Register::Selection),
        _ => None,
    }
}

/// Returns what a VM that is shown `cpu` reads. `has_wide_sizes`: it was told that CCSIDR_EL1 has the format of FEAT_CCIDX.
fn value(register: Register, cpu: &ShownCpu, has_wide_sizes: bool) -> u64 {
    let [_, _, auxiliary] = cpu.identity();
    match register {
        Register::Auxiliary => auxiliary,
        Register::CacheType => cpu.cache_type,
        Register::Levels => cache_shape::levels(),
        Register::Size => cache_shape::size(has_wide_sizes),
        Register::Selection => cache_shape::selection(),
    }
}

/// REVIDR_EL1, which traps as ID registers do.
#[cold]
pub fn revision(vcpu: &Vcpu) -> u64 {
    let [_, revision, _] = vcpu.vm.cpu.as_ref().map(ShownCpu::identity).unwrap_or_default();
    revision
}

/// Answers the access that trapped, if it is to one of these registers and the VM is shown another CPU.
pub fn answer(vcpu: &'static Vcpu, syndrome: u64) -> Option<Next> {
    let register = register(syndrome)?;
    let cpu = vcpu.vm.cpu.as_ref()?;
    let general = syndrome >> 5 & 0x1f;
    if syndrome & READ != 0 {
        vcpu.context.set_register(general, value(register, cpu, vcpu.vm.features.get().has_wide_cache_sizes()));
    } else {
        cache_shape::select(vcpu.context.register(general));
    }
    vcpu.account().exit(Exit::IdRegister);
    stepping::step_over_a64();
    Some(vcpu.before_resume_on_any_with(if syndrome & READ != 0 { general } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn access(op1: u64, op2: u64, direction: u64) -> u64 {
        EC_SYSTEM_REGISTER << 26 | 3 << 20 | op2 << 17 | op1 << 14 | 9 << 5 | direction
    }

    #[test]
    fn each_register_is_recognised() {
        use Register::{Auxiliary, CacheType, Levels, Selection, Size};
        let read = [(1, 7), (3, 1), (1, 1), (1, 0), (2, 0)].map(|(op1, op2)| register(access(op1, op2, READ)));
        assert_eq!(read, [Auxiliary, CacheType, Levels, Size, Selection].map(Some));
        let written = [(1, 7), (3, 1), (1, 1), (1, 0), (2, 0)].map(|(op1, op2)| register(access(op1, op2, 0)));
        assert_eq!(written, [None, None, None, None, Some(Selection)], "the others cannot be written");
        // CCSIDR2_EL1, SMIDR_EL1, DCZID_EL0, REVIDR_EL1, which is among the ID registers, and a register of another class.
        let others = [(1, 2), (1, 6), (3, 7), (0, 6)].map(|(op1, op2)| access(op1, op2, READ));
        assert_eq!(register(access(3, 1, READ) & !(0x3f << 26)), None);
        assert_eq!(others.map(register), [None; 4]);
    }
}
