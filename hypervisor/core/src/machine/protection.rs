//! What holds against speculation on the machine's cores, and so in its VMs.

use alloc::vec::Vec;

use super::Machine;
use crate::cpu::physical_core::Core;
use crate::cpu::speculation::{Answers, AtChange, Identity, Levels, Protection};
use crate::vm::Vm;

impl Machine {
    /// The levels of the workaround registers that are true on every core of `vm`: its worst one counts.
    pub fn levels(&self, vm: &Vm) -> Levels {
        let cores = vm.vcpus().iter().filter_map(|vcpu| self.cores.get(vcpu.core)?.protection());
        cores.fold(Levels::HIGHEST, |levels, protection| levels.worse(protection.levels()))
    }

    /// What the workaround registers of `vm` begin with: the levels of its cores, or those that hold by themselves on the CPU
    /// that it is shown, if that is less. A VM that was told that it needs nothing could not go where that is not so.
    pub fn first_levels(&self, vm: &Vm) -> Levels {
        let shown = vm.config.cpu.map(|cpu| Identity::of(&cpu.registers()));
        let levels = shown.map(|shown| Protection::of(&shown, &Answers::default()).levels());
        levels.unwrap_or(Levels::HIGHEST).worse(self.levels(vm))
    }

    /// Lowers the workaround registers of `vm`, which has just been created, to what they begin with.
    pub fn limit_workarounds(&self, vm: &Vm) {
        vm.row.limit_workarounds(&self.first_levels(vm).limit(self.support(vm)));
    }

    /// Gives every VM the levels of its cores, which have come by now, and says which cores are not protected, or how. To be called
    /// once, before a VM starts.
    pub fn settle_protection(&self) {
        self.vms.iter().for_each(|vm| self.limit_workarounds(vm));
        let mut told: Vec<&Protection> = Vec::new();
        for core in self.cores {
            let Some(protection) = core.protection().filter(|protection| !protection.needs_nothing()) else { continue };
            if told.contains(&protection) {
                continue;
            }
            told.push(protection);
            let alike: Vec<&Core> =
                self.cores.iter().copied().filter(|core| core.protection() == Some(protection)).collect();
            report(&alike, protection);
        }
    }
}

/// Says what holds on cores that are alike in it.
fn report(cores: &[&Core], protection: &Protection) {
    let numbers: Vec<usize> = cores.iter().map(|core| core.index).collect();
    log::info!("cores {numbers:?}: {protection}");
    if protection.at_change() == AtChange::Exposed {
        log::warn!(
            "cores {numbers:?}: let no VMs share them that do not trust each other: firmware with SMCCC_ARCH_WORKAROUND_1 or _3, \
             such as TF-A, would keep apart what they have taught the branch predictor"
        );
    }
}

#[cfg(test)]
mod tests;
