//! Firmware registers: the calls that this project is named for. The rules are the gate's.

use portcullis_abi::manage;
use portcullis_gate::{Register, Rule, SetError};

use super::status::Status;
use super::{Answer, DONE, item};
use crate::machine::Machine;
use crate::vm::Vm;

/// The register of this identifier.
pub fn find(id: u64) -> Result<Register, SetError> {
    Register::from_id(id).ok_or(SetError::UnknownRegister { id })
}

/// `REGISTER_LIST`.
pub fn list(machine: &Machine, vm: &Vm, index: u64) -> Answer {
    let register = *item(&Register::ALL, index).ok_or(Status::NoItem)?;
    Ok([register.id(), vm.row.get(register), machine.support(vm).limit(register)])
}

/// `REGISTER_GET`.
pub fn get(vm: &Vm, id: u64) -> Answer {
    Ok([vm.row.get(find(id)?), 0, 0])
}

/// `REGISTER_SET`.
pub fn set(machine: &Machine, vm: &Vm, id: u64, value: u64) -> Answer {
    vm.row.set(find(id)?, value, &machine.support(vm))?;
    DONE
}

/// `REGISTER_CLEAR`.
pub fn clear(vm: &Vm) -> Answer {
    vm.row.clear_all()?;
    DONE
}

/// `RULE_SET`.
pub fn set_rule(vm: &Vm, rule: u64) -> Answer {
    vm.row.set_rule(match rule {
        manage::RULE_CLEAR => Rule::Clear,
        manage::RULE_KEEP => Rule::Keep,
        _ => return Err(Status::BadArgument),
    })?;
    DONE
}

/// `RULE_GET`.
pub fn rule(vm: &Vm) -> Answer {
    let profile = vm.row.profile();
    let rule = match profile.rule() {
        Rule::Clear => manage::RULE_CLEAR,
        Rule::Keep => manage::RULE_KEEP,
    };
    Ok([rule, u64::from(profile.is_written()), 0])
}
