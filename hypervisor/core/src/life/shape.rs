//! What a VM has of its machine: what a saved one needs, and one that is restored is compared by.

use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::map;
use portcullis_abi::state::{self, LinkNeeds, Needs};
use portcullis_arch::timer;
use portcullis_stream::{Area, Kind};
use portcullis_vgic::ListRegisters;

use crate::cpu::gic::{self, VirtualControl};
use crate::cpu::physical_core::Core;
use crate::links::backplane::Backplane;
use crate::machine::Machine;
use crate::memory::guest::{GuestMemory, Way};
use crate::vm::Vm;
use crate::with_interface;

impl Vm {
    /// Returns its shape, with `list_registers` of them in use, or there.
    pub(super) fn shape(&self, list_registers: u32) -> Needs {
        let has_clock = self.bus.devices().any(|device| device.save_clock().is_some());
        let mut name = [0; NAME_MAX];
        for (to, from) in name.iter_mut().zip(self.name().bytes()) {
            *to = from;
        }
        Needs {
            version: Needs::VERSION,
            vcpus: self.vcpus().len() as u32,
            memory: self.memory.size(),
            ram: self.ram,
            pv_time: map::PV_TIME,
            gic: match gic::version() {
                portcullis_vgic::GicVersion::V2 => 2,
                portcullis_vgic::GicVersion::V3 => 3,
            },
            list_registers,
            frequency: timer::frequency() as u32,
            devices: Needs::UART
                | if has_clock { Needs::RTC } else { 0 }
                | if self.wires.is_some() { Needs::GPIO } else { 0 }
                | if self.flash.is_some() { Needs::FLASH } else { 0 },
            transports: self.links.iter().flat_map(|links| links.slots()).fold(0, |slots, slot| slots | 1 << slot),
            ports: self.links.and_then(Backplane::console).map_or(0, |console| console.needs().kind),
            name,
        }
    }

    /// Returns what vCPU `index` is shown of its CPU, and which CPU that is; none if there is no such vCPU.
    pub(super) fn shown_cpu(&self, index: u32) -> Option<state::Cpu> {
        let core = Machine::get().cores.get(self.vcpus().get(index as usize)?.core)?;
        let [cache_type, zeroing] = self.cpu.as_ref().map_or(core.caches(), |cpu| [cpu.cache_type, cpu.zeroing]);
        Some(state::Cpu {
            version: state::Cpu::VERSION,
            reserved: 0,
            implementation: core.implementation().registers(),
            cache_type,
            zeroing,
            features: self.features.get().to_array(),
        })
    }

    /// Returns what it reads of which CPU it has, if that is not its cores' own.
    pub(super) fn shown_identity(&self) -> Option<state::Identity> {
        let shown = self.cpu.as_ref()?.identity();
        Some(state::Identity { version: state::Identity::VERSION, reserved: 0, shown })
    }

    /// Returns the CPU implementations that it is told of, if it is of any.
    pub(super) fn told(&self) -> Option<state::Implementations> {
        let known = self.implementations()?.as_slice();
        let mut told = state::Implementations {
            version: state::Implementations::VERSION,
            count: known.len() as u32,
            list: [[0; 3]; portcullis_abi::bundle::IMPLEMENTATIONS_MAX],
        };
        for (to, from) in told.list.iter_mut().zip(known) {
            *to = from.registers();
        }
        Some(told)
    }
}

/// The list registers of the core on which this runs.
pub fn list_registers() -> usize {
    with_interface!(G => G::here().count())
}

/// How many list registers a GIC needs: one more than the number of the last one in use.
pub fn list_registers_of(gic: &state::Gic) -> u32 {
    gic.cpus.iter().map(|cpu| u32::BITS - cpu.used.leading_zeros()).max().unwrap_or(0)
}

/// The section that has the state of a device in a virtio transport.
pub const fn kind_of(link: &LinkNeeds) -> Option<Kind> {
    match link.device {
        LinkNeeds::NETWORK => Some(Kind::Network),
        LinkNeeds::DISK => Some(Kind::Disk),
        LinkNeeds::CONSOLE => Some(Kind::Console),
        _ => None,
    }
}

/// What is behind a VM's memory in an area that goes with the VM, as the core on which this runs reaches it, and how many bytes in
/// whole pages.
#[inline(never)]
pub fn contents_of(vm: &Vm, area: Area) -> Option<(GuestMemory, u64)> {
    match area {
        Area::Memory => None,
        Area::Disk(transport) => vm.links?.device(transport as usize)?.contents(),
        Area::Flash => {
            let flash = vm.flash.as_ref()?;
            Some((flash.second_on(Core::current()?.index)?, flash.banks.second.size()))
        }
    }
}

/// How an area is reached. What EL2 alone has is read and written by its caches; the guest may read cells past them.
pub const fn way_to(area: Area) -> Way {
    match area {
        Area::Memory => Way::Past,
        Area::Disk(_) => Way::Kept,
        Area::Flash => Way::Through,
    }
}
