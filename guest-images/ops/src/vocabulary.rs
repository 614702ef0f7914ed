//! What can be completed: commands, VMs, registers and their values.

use controls::register::{self, REGISTERS};
use controls::vm::{self, VmNames};

use crate::command::COMMANDS;
use crate::command::entry::{self, Kind};
use crate::completion::Vocabulary;
use crate::manager::Manager;

/// The words of the shell; the VMs are those of the machine's manifest, which do not change.
#[derive(Debug, Default)]
pub struct Shell {
    vms: VmNames,
}

impl Shell {
    /// The words of this machine. In a VM that may not ask, no VM is known by name.
    pub fn new(manager: &mut dyn Manager) -> Self {
        Self { vms: vm::names(manager).unwrap_or_default() }
    }
}

impl Vocabulary for Shell {
    fn candidates(&self, before: &[&str], each: &mut dyn FnMut(&str)) {
        let Some((&name, arguments)) = before.split_first() else {
            return COMMANDS.iter().copied().flatten().for_each(|command| each(command.name));
        };
        let Ok(command) = entry::find(COMMANDS, name) else { return };
        let nested = command.kinds.iter().position(|kind| *kind == Kind::Command);
        if let Some(rest) = nested.and_then(|at| arguments.get(at..)) {
            // The words behind it are that command's.
            return self.candidates(rest, each);
        }
        match command.kinds.get(arguments.len()) {
            Some(Kind::Vm) => self.vms.iter().for_each(|vm| each(vm)),
            Some(Kind::VmOr(words)) => {
                words.iter().for_each(|word| each(word));
                self.vms.iter().for_each(|vm| each(vm));
            }
            Some(Kind::Register) => REGISTERS.iter().for_each(|register| each(register.name)),
            Some(Kind::Value) => values(arguments.last().copied().unwrap_or_default(), each),
            Some(Kind::Word(words)) => words.iter().for_each(|word| each(word)),
            Some(Kind::Command | Kind::Free) | None => {}
        }
    }
}

fn values(name: &str, each: &mut dyn FnMut(&str)) {
    let Some(register) = register::identifier(name).ok().and_then(register::by_id) else { return };
    register.values.iter().for_each(|(value, _)| each(value));
    each("all");
    if register.bitmap {
        each("none");
    }
}
