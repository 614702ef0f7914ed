//! What a VM is told of its cores, once all of them have come: which CPUs they are, and what all of them have.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::bundle::IMPLEMENTATIONS_MAX;
use portcullis_abi::firmware::VENDOR_HYP_2_IMPL;
use portcullis_abi::state::Cpu;
use portcullis_board::Range;
use portcullis_board::device::Device;
use portcullis_bundle::page_size::PageSize;
use portcullis_gate::Register;

use super::baseline::{self, Lacking};
use crate::cpu::feature_set::{Beyond, FeatureSet};
use crate::cpu::physical_core::Core;
use crate::vm::Vm;
use crate::vm::implementations::KnownImplementations;

/// Bits of address that guests are told of (ID_AA64MMFR0_EL1.PARange), unless they have something beyond.
const SHOWN_BITS: u32 = 36;

/// Why a VM cannot run on its cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnfitCores {
    /// It would be told of too many CPU implementations.
    Implementations(&'static str),
    /// Its kernel works with pages that a core lacks.
    Pages {
        /// The VM.
        vm: &'static str,
        /// The pages.
        pages: PageSize,
        /// The core.
        core: usize,
    },
    /// A core lacks something of the CPU that it is shown.
    Shown {
        /// The VM.
        vm: &'static str,
        /// What.
        lacking: Lacking,
    },
    /// Its kernel works with pages that the CPU lacks which it is shown.
    ShownPages {
        /// The VM.
        vm: &'static str,
        /// The pages.
        pages: PageSize,
    },
    /// It has memory or a device beyond the addresses of a core.
    Reach {
        /// The VM.
        vm: &'static str,
        /// The last address of what it has.
        end: u64,
        /// The core.
        core: usize,
        /// Bits of that core's addresses.
        bits: u32,
    },
    /// Its cores do not say the same of the counter.
    Frequency {
        /// The VM.
        vm: &'static str,
        /// Two of its cores.
        cores: [usize; 2],
        /// CNTFRQ_EL0 of each.
        hz: [u64; 2],
    },
}

impl fmt::Display for UnfitCores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Implementations(vm) => write!(
                f,
                "{vm}: its cores and its `implementations` are more than {IMPLEMENTATIONS_MAX} different CPUs; leave some out"
            ),
            Self::Pages { vm, pages, core } => write!(
                f,
                "{vm}: its kernel has pages of {pages}, which core {core} lacks; take one with pages of 4 KiB, or other cores"
            ),
            Self::Shown { vm, lacking: Lacking { core, register, bit, shown, here } } => write!(
                f,
                "{vm}: the CPU that its `cpu` has it shown has {shown:#x} in {register} from bit {bit} on, and its core {core} has \
                 {here:#x}; name one with no more than its cores have, or give it others"
            ),
            Self::ShownPages { vm, pages } => write!(
                f,
                "{vm}: its kernel has pages of {pages}, which the CPU lacks that its `cpu` has it shown; take one with pages of 4 KiB, \
                 or another `cpu`"
            ),
            Self::Reach { vm, end, core, bits } => write!(
                f,
                "{vm} has memory or a device up to {end:#x}, and core {core} has addresses of {bits} bits; give {vm} other cores"
            ),
            Self::Frequency { vm, cores: [one, other], hz: [hz, others] } => write!(
                f,
                "{vm} has cores {one} and {other}, whose CNTFRQ_EL0 is {hz} and {others}; firmware at EL3 has to write the counter's \
                 frequency there on every core, the same"
            ),
        }
    }
}

impl core::error::Error for UnfitCores {}

/// Decides what `vm` is told of its cores, which are among `cores` and have come: their implementations with those of its manifest,
/// and of their features what all of them have. A line says what that leaves out.
///
/// # Errors
///
/// [`UnfitCores`]: it would find out by what a core lacks.
pub fn settle_cores(vm: &Vm, cores: &[&'static Core]) -> Result<(), UnfitCores> {
    let name = vm.name();
    let own = || vm.vcpus().iter().filter_map(|vcpu| cores.get(vcpu.core).copied());
    let known = KnownImplementations::of(own().map(Core::implementation).chain(vm.config.implementations.iter()));
    vm.set_implementations(known.map_err(|_| UnfitCores::Implementations(name))?);

    let Some(first) = own().next() else { return Ok(()) };
    let end = end_of(vm);
    for core in own() {
        if core.frequency() != first.frequency() {
            let (cores, hz) = ([first.index, core.index], [first.frequency(), core.frequency()]);
            return Err(UnfitCores::Frequency { vm: name, cores, hz });
        }
        if end.checked_shr(core.reach()).unwrap_or(0) != 0 {
            return Err(UnfitCores::Reach { vm: name, end, core: core.index, bits: core.reach() });
        }
    }
    if let Some(pages) = vm.config.kernel_pages() {
        lacking(pages, own()).map_or(Ok(()), |core| Err(UnfitCores::Pages { vm: name, pages, core }))?;
    }
    let features = match (&vm.config.cpu, own().find(|core| core.features() != first.features())) {
        (Some(cpu), _) => disguised(vm, &cpu.registers(), &own().collect::<Vec<_>>())?,
        (None, None) => first.features(),
        (None, Some(other)) => common(name, [first.index, other.index], &own().map(Core::features).collect::<Vec<_>>()),
    };
    // Its cores reach it, so they have 40 bits at the least (Arm ARM, D19.2.64).
    let is_far = own_end_of(vm) >> SHOWN_BITS != 0;
    vm.features.show(if is_far { Box::leak(Box::new(features.with_40_bits())) } else { features });
    Ok(())
}

/// What a VM that is shown `cpu` sees of the features of these cores, its own.
fn disguised(vm: &Vm, cpu: &Cpu, cores: &[&'static Core]) -> Result<&'static FeatureSet, UnfitCores> {
    let name = vm.name();
    let features = baseline::features(cpu, cores).map_err(|lacking| UnfitCores::Shown { vm: name, lacking })?;
    if let Some(pages) = vm.config.lacking_pages(features.register(7, 0)) {
        return Err(UnfitCores::ShownPages { vm: name, pages });
    }
    let is_told = vm.row.get(Register::VendorHyp2) & VENDOR_HYP_2_IMPL == VENDOR_HYP_2_IMPL;
    baseline::report(name, cpu, &features, cores, is_told);
    Ok(Box::leak(Box::new(features)))
}

/// The first of these cores that lacks these pages.
fn lacking(pages: PageSize, mut cores: impl Iterator<Item = &'static Core>) -> Option<usize> {
    // ID_AA64MMFR0_EL1.
    cores.find(|core| !pages.is_in(core.features().register(7, 0))).map(|core| core.index)
}

/// The last address of what a VM has, in its own addresses and in the board's.
fn end_of(vm: &Vm) -> u64 {
    own_end_of(vm).max(vm.memory.end.saturating_sub(1))
}

/// The last address of what a VM has, in its own addresses.
fn own_end_of(vm: &Vm) -> u64 {
    let ram = Range::sized(vm.ram, vm.memory.size());
    let pages = vm.devices.iter().flat_map(Device::pages);
    pages.chain([ram]).map(|range| range.end.saturating_sub(1)).max().unwrap_or(0)
}

/// What the cores of the VM of this name have in common, two of which differ.
fn common(vm: &str, differing: [usize; 2], cores: &[&FeatureSet]) -> &'static FeatureSet {
    let common = cores.first().map(|first| (*first).clone()).unwrap_or_default();
    cores.iter().for_each(|core| common.limit_to(core));
    let [one, other] = differing;
    let beyond = Beyond { common: &common, cores };
    log::info!("{vm}: cores {one} and {other} differ; fields of which it is told what all of its cores have: {beyond}");
    Box::leak(Box::new(common))
}

#[cfg(test)]
mod tests;
