//! EL1's physical counter and timer of a VM that can be saved: they are as far behind the machine's as its virtual ones, so that
//! they go on where they were on whatever machine the VM is. Those of other VMs do not trap.
//!
//! The timer itself is the core's (Arm ARM, D12.2.4): what it is compared with is the machine's counter, and what is told of it
//! the VM's. It fires without EL2.

use portcullis_arch::{account::Exit, stepping, timer, vectors::Next};

use super::register_access::{self, EC_SYSTEM_REGISTER, READ};
use crate::vm::Vcpu;

/// ESR_ELx.EC: MCR or MRC of coprocessor 15, in AArch32.
const EC_COPROCESSOR_15: u64 = 0x03;
/// ESR_ELx.EC: MCRR or MRRC of it.
const EC_COPROCESSOR_15_PAIR: u64 = 0x04;

/// What is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Register {
    /// CNTPCT, and CNTPCTSS.
    Count,
    /// CNTP_TVAL.
    Value,
    /// CNTP_CTL.
    Control,
    /// CNTP_CVAL.
    Compare,
}

/// The register that an access of this class is to, if it is one of these.
const fn register(class: u64, syndrome: u64) -> Option<Register> {
    match (class, register_access::register(syndrome)) {
        (EC_SYSTEM_REGISTER, [3, 3, 14, 0, 1 | 5]) => Some(Register::Count),
        (EC_SYSTEM_REGISTER, [3, 3, 14, 2, which]) => timer_register(which),
        (EC_COPROCESSOR_15, [_, 0, 14, 2, which @ 0..=1]) => timer_register(which),
        // Opc1 19:16, CRm 4:1.
        (EC_COPROCESSOR_15_PAIR, _) if syndrome >> 1 & 0xf == 14 => match syndrome >> 16 & 0xf {
            0 | 8 => Some(Register::Count),
            2 => Some(Register::Compare),
            _ => None,
        },
        _ => None,
    }
}

const fn timer_register(op2: u64) -> Option<Register> {
    match op2 {
        0 => Some(Register::Value),
        1 => Some(Register::Control),
        2 => Some(Register::Compare),
        _ => None,
    }
}

/// Answers the access that trapped, if it is to one of these registers and the VM has its own.
pub fn answer(vcpu: &'static Vcpu, syndrome: u64) -> Option<Next> {
    let class = syndrome >> 26;
    let register = register(class & 0x3f, syndrome).filter(|_| vcpu.vm.config.settings.movable)?;
    let (offset, first) = (vcpu.vm.counter_offset(), syndrome >> 5 & 0x1f);
    // The upper half of a pair.
    let second = (class & 0x3f == EC_COPROCESSOR_15_PAIR).then_some(syndrome >> 10 & 0x1f);
    if syndrome & READ != 0 {
        let value = match register {
            Register::Count => timer::count().wrapping_sub(offset),
            Register::Value => u64::from(timer::physical_timer_value() as u32),
            Register::Control => timer::physical_timer_control(),
            Register::Compare => timer::physical_timer_compare().wrapping_sub(offset),
        };
        let low = if second.is_some() { value & 0xffff_ffff } else { value };
        vcpu.context.set_register(first, low);
        if let Some(second) = second {
            vcpu.context.set_register(second, value >> 32);
        }
    } else {
        let low = vcpu.context.register(first);
        let value = second.map_or(low, |second| low & 0xffff_ffff | vcpu.context.register(second) << 32);
        match register {
            // It cannot be written.
            Register::Count => return None,
            Register::Value => timer::set_physical_timer_value(value as i32),
            Register::Control => timer::set_physical_timer_control(value),
            Register::Compare => timer::set_physical_timer_compare(value.wrapping_add(offset)),
        }
    }
    vcpu.account().exit(Exit::Device);
    stepping::step_over(syndrome);
    let highest = if syndrome & READ != 0 { first.max(second.unwrap_or(0)) } else { 0 };
    Some(vcpu.before_resume_on_any_with(highest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn system(op2: u64, crm: u64) -> u64 {
        EC_SYSTEM_REGISTER << 26 | 3 << 20 | op2 << 17 | 3 << 14 | 14 << 10 | 7 << 5 | crm << 1
    }

    fn of(syndrome: u64) -> Option<Register> {
        register(syndrome >> 26, syndrome)
    }

    #[test]
    fn each_register_is_recognised_in_both_states() {
        use Register::{Compare, Control, Count, Value};
        assert_eq!([system(1, 0), system(5, 0)].map(of), [Some(Count); 2]);
        assert_eq!([0, 1, 2].map(|op2| of(system(op2, 2))), [Some(Value), Some(Control), Some(Compare)]);
        // CNTVCT_EL0, CNTV_CTL_EL0, CNTFRQ_EL0 never trap so, and ID registers are another's.
        assert_eq!([system(2, 0), system(1, 3), system(0, 0), system(1, 0) & !(3 << 20)].map(of), [None; 4]);
        let word = |op2: u64| EC_COPROCESSOR_15 << 26 | op2 << 17 | 14 << 10 | 2 << 1;
        assert_eq!([word(0), word(1), word(2)].map(of), [Some(Value), Some(Control), None]);
        let pair = |op1: u64| EC_COPROCESSOR_15_PAIR << 26 | op1 << 16 | 14 << 1;
        assert_eq!([0, 1, 2, 8].map(|op1| of(pair(op1))), [Some(Count), None, Some(Compare), Some(Count)]);
    }
}
