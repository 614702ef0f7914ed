//! The CPU that a VM's manifest has it shown, against its cores: each has to have all of it.

use alloc::vec::Vec;

use portcullis_abi::id_register::number;
use portcullis_abi::state::{self, Cpu};
use portcullis_gate::Register;
use portcullis_stream::needs::{Lack, check_features, check_identity, is_told};

use crate::cpu::feature_set::{Beyond, FeatureSet};
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::machine::transfer::Kept;
use crate::vm::Vm;

/// What a core lacks of the CPU that a VM is shown: the value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The core.
    pub core: usize,
    /// The register.
    pub register: &'static str,
    /// The field's lowest bit.
    pub bit: u32,
    /// The field as the VM would be shown it.
    pub shown: u64,
    /// The field as the core has it.
    pub here: u64,
}

/// Returns what a VM is shown of the features of `cpu` on `cores`, one at least.
///
/// # Errors
///
/// [`Lacking`]: the first field that one of them lacks.
pub fn features(cpu: &Cpu, cores: &[&'static Core]) -> Result<FeatureSet, Lacking> {
    let Some(first) = cores.first() else { return Ok(FeatureSet::new()) };
    let features = FeatureSet::of(&cpu.features, first.features());
    let shown = Cpu { features: features.to_array(), ..*cpu };
    for core in cores {
        let here = registers(core, features.has_wide_cache_sizes());
        // There is nothing else that it compares.
        if let Err(Lack::Feature { register, bit, saved, here, .. }) = check_features(0, &shown, &here) {
            return Err(Lacking { core: core.index, register, bit, shown: saved, here });
        }
    }
    Ok(features)
}

impl Vm {
    /// Checks that the VM can go on reading of its CPUs what it read where it was saved, as far as it goes by that.
    ///
    /// # Errors
    ///
    /// [`Lack`]: it reads another CPU here, of which it was not told.
    pub(super) fn check_identity(&self, kept: &Kept) -> Result<(), Lack> {
        let vendor_hyp_2 = kept.firmware.as_ref().map_or(0, vendor_hyp_2);
        for (index, vcpu) in self.vcpus().iter().enumerate() {
            let Some(core) = Machine::get().cores.get(vcpu.core) else { continue };
            let own = core.implementation().registers();
            // What it is shown here follows what it was.
            let here = if self.cpu.is_some() { kept.read_identity(0) } else { own };
            if !is_told(own, kept.implementations.as_ref(), vendor_hyp_2) {
                check_identity(index as u32, kept.read_identity(index), here)?;
            }
        }
        Ok(())
    }

    /// Shows the VM, which was restored, of its CPU what it read before.
    pub(super) fn keep_identity(&self, kept: &Kept) {
        if let Some(cpu) = &self.cpu {
            cpu.identify_as(kept.read_identity(0));
        }
    }

    /// Shows the VM, which begins a new life, the CPU that its manifest says.
    pub(super) fn forget_identity(&self) {
        if let (Some(cpu), Some(wanted)) = (&self.cpu, self.config.cpu) {
            cpu.identify_as(wanted.registers().implementation);
        }
    }
}

/// VENDOR_HYP_2 of these registers.
pub(super) fn vendor_hyp_2(saved: &state::Firmware) -> u64 {
    let mut registers = Register::ALL.iter().zip(&saved.registers);
    registers.find(|(register, _)| **register == Register::VendorHyp2).map_or(0, |(_, value)| *value)
}

/// What a core has, with the sizes of its caches told in the format wanted.
fn registers(core: &Core, has_wide_cache_sizes: bool) -> Cpu {
    /// ID_AA64MMFR2_EL1.CCIDX: CCSIDR_EL1 is answered by EL2, in either format.
    const SIZES: (usize, u64) = (number(7, 2), 0xf << 20);
    let mut features = core.features().to_array();
    if let Some(register) = features.get_mut(SIZES.0) {
        *register = *register & !SIZES.1 | u64::from(has_wide_cache_sizes) << 20;
    }
    let [cache_type, zeroing] = core.caches();
    let implementation = core.implementation().registers();
    Cpu { version: Cpu::VERSION, reserved: 0, implementation, cache_type, zeroing, features }
}

/// Says which CPU a VM is shown, and what its cores have beyond that. `is_told`: it may ask which cores it has.
pub fn report(vm: &str, cpu: &Cpu, features: &FeatureSet, cores: &[&'static Core], is_told: bool) {
    let [midr, ..] = cpu.implementation;
    let sets: Vec<&FeatureSet> = cores.iter().map(|core| core.features()).collect();
    let beyond = Beyond { common: features, cores: &sets };
    log::info!("{vm}: is shown the CPU with MIDR_EL1 {midr:#x}; fields in which its cores have more: {beyond}");
    let other = cores.iter().find(|core| core.implementation().midr != midr).filter(|_| !is_told);
    if let Some(core) = other {
        log::warn!(
            "{vm}: its core {} has MIDR_EL1 {:#x}, of which it is not told: its kernel works around errors of the CPU that it is shown \
             alone (vendor-hyp-2 = [\"impl-ver\", \"impl-cpus\"] under its [vm.firmware] tells it)",
            core.index,
            core.implementation().midr
        );
    }
}
