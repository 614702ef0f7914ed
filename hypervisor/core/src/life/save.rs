//! Saving a VM that is paused, a piece at a time, into a buffer in the memory of the VM that manages it.

use portcullis_abi::name::padded;
use portcullis_abi::state::{Needs, PortNeeds, Unfit};
use portcullis_arch::{checksum, timer};
use portcullis_stream::layout::PAGE;
use portcullis_stream::{Alike, Area, Each, Kind, STATE, Save, Section, Sum};
use portcullis_virtio::Cursor;
use zerocopy::{Immutable, IntoBytes};

use super::refusal::Refusal;
use super::shape::{contents_of, kind_of, list_registers_of, way_to};
use crate::links::backplane::{Backplane, Linked};
use crate::memory::guest::GuestMemory;
use crate::vm::manager_lock::ManagerLock;
use crate::vm::{Vcpu, Vm};

/// A VM that is saved, whose manager has it. It stands still as long as this is there.
pub struct Saving<'a, 'c> {
    /// The VM.
    pub lock: &'a ManagerLock<'a>,
    /// Its memory as this core reaches it.
    pub memory: &'a mut GuestMemory,
    /// The memory of the VM that has the buffer.
    pub buffer: &'a mut GuestMemory,
    /// What is left of the buffer.
    pub at: Cursor<'c>,
    /// Instructions that it took so far besides copies, about.
    pub spent: u32,
}

/// Instructions that it takes to look at a page, about.
pub const LOOK: u32 = 600;
/// Bytes that are taken into a checksum by an instruction, about.
const SUMMED: u32 = 4;

impl Saving<'_, '_> {
    fn vm(&self) -> &Vm {
        self.lock.vm
    }

    const fn spend(&mut self, instructions: u32) {
        self.spent = self.spent.saturating_add(instructions);
    }

    fn vcpu(&self, section: Section) -> Option<&Vcpu> {
        self.vm().vcpus().get(section.index as usize)
    }

    /// What is in a virtio transport.
    fn linked(&self, section: Section) -> Option<&dyn Linked> {
        self.vm().links?.device(section.index as usize)
    }

    /// The state of a device in a virtio transport, if it is of the kind.
    fn link(&self, section: Section, body: &mut [u8]) -> Result<bool, Refusal> {
        match self.linked(section).filter(|linked| kind_of(&linked.needs()) == Some(section.kind)) {
            Some(linked) => Ok(linked.save(body).map(|()| true)?),
            None => Ok(false),
        }
    }

    /// The name of a port of the console, or its state.
    fn port(&self, section: Section, body: &mut [u8]) -> Result<bool, Refusal> {
        let console = self.vm().links.and_then(Backplane::console).ok_or(Refusal::NoneOn)?;
        let number = section.index as usize;
        if section.kind == Kind::Port {
            return Ok(console.save_port(number, body).map(|()| true)?);
        }
        let name = padded(console.port_name(number).ok_or(Refusal::NoneOn)?);
        put(&PortNeeds { version: PortNeeds::VERSION, reserved: 0, name }, body)
    }

    /// What the VM needs of a machine.
    fn needs(&self) -> Result<Needs, Refusal> {
        let gic = self.vm().vgic.save().ok_or(Refusal::Moves)?;
        Ok(self.vm().shape(list_registers_of(&gic)))
    }

    /// A vCPU's registers, or its CPU interface.
    fn registers(&self, vcpu: &Vcpu, section: Section, body: &mut [u8]) -> Result<bool, Refusal> {
        let Some(off_core) = vcpu.off_core() else { return Err(Refusal::Moves) };
        // SAFETY: the VM is paused, which its core has seen to after it had put the vCPU away; it neither goes on, as the
        // manager has its lock, nor ends, as it is kept still.
        let (world, interface) = unsafe { off_core.save() };
        if section.kind == Kind::Interface {
            return put(&interface, body);
        }
        put(&world, body)
    }
}

/// Puts a state where the body of its section is to be.
fn put(state: &(impl IntoBytes + Immutable), body: &mut [u8]) -> Result<bool, Refusal> {
    state.write_to(body).map_err(|_| Refusal::Unfit(Unfit::Value("the length of a state")))?;
    Ok(true)
}

impl Sum for Saving<'_, '_> {
    fn sum(sum: u32, bytes: &[u8]) -> u32 {
        checksum::crc32c(sum, bytes)
    }
}

impl Save for Saving<'_, '_> {
    type Error = Refusal;

    fn state(&mut self, section: Section, body: &mut [u8]) -> Result<bool, Refusal> {
        self.spend(LOOK.saturating_mul(STATE as u32));
        let (vm, frequency) = (self.vm(), timer::frequency());
        match section.kind.each() {
            Each::Transport if section.kind == Kind::Link => {
                return put(&self.linked(section).ok_or(Refusal::NoneOn)?.needs(), body);
            }
            Each::Transport => return self.link(section, body),
            Each::Port => return self.port(section, body),
            Each::Vm | Each::Vcpu => {}
        }
        let vcpu = self.vcpu(section).ok_or(Refusal::NoneOn)?;
        match section.kind {
            Kind::Needs => put(&self.needs()?, body),
            Kind::Firmware => put(&vm.row.save(self.lock.filter()), body),
            Kind::Implementations => vm.told().map_or(Ok(false), |told| put(&told, body)),
            Kind::Cpu => put(&vm.shown_cpu(section.index).ok_or(Refusal::NoneOn)?, body),
            Kind::Identity => vm.shown_identity().map_or(Ok(false), |identity| put(&identity, body)),
            Kind::Counter => put(&vm.life.counter().save(frequency as u32), body),
            Kind::Restarts => put(&vm.life.restart_policy().save(), body),
            Kind::Watchdog => match vm.save_watchdog().ok_or(Refusal::Moves)? {
                Some(watchdog) => put(&watchdog, body),
                None => Ok(false),
            },
            Kind::Gic => put(&vm.vgic.save().ok_or(Refusal::Moves)?, body),
            Kind::Power => put(&vcpu.save_power().ok_or(Refusal::Moves)?, body),
            Kind::General => put(&vcpu.context.save_general(), body),
            Kind::World | Kind::Interface => self.registers(vcpu, section, body),
            Kind::Stolen => put(&vcpu.save_stolen(frequency), body),
            // How long ago calls were refused, by then.
            Kind::Calls => put(&vcpu.account().save(vm.life.counter().stopped()), body),
            Kind::Uart => put(&vm.console.save(), body),
            Kind::Rtc => match vm.bus.devices().find_map(|device| device.save_clock()) {
                Some(clock) => put(&clock, body),
                None => Ok(false),
            },
            Kind::Wires => vm.wires.map_or(Ok(false), |wires| put(&wires.needs(), body)),
            Kind::Gpio => vm.wires.map_or(Ok(false), |wires| put(&wires.save(), body)),
            Kind::Banks => vm.flash.as_ref().map_or(Ok(false), |flash| put(&flash.needs(), body)),
            Kind::Flash => match vm.bus.devices().find_map(|device| device.save_flash()) {
                Some(flash) => put(&flash, body),
                None => Ok(false),
            },
            Kind::Generation => vm.generation.as_ref().map_or(Ok(false), |generation| put(&generation.save(), body)),
            _ => Ok(false),
        }
    }

    fn size(&self, area: Area) -> u64 {
        contents_of(self.vm(), area).map_or(0, |(_, size)| size)
    }

    fn alike(&mut self, area: Area, offset: u64, blanks: u64, others: u64) -> Result<Alike, Refusal> {
        let way = way_to(area);
        let alike = match area {
            Area::Memory => {
                let address = self.vm().ram.saturating_add(offset);
                self.memory.alike(area, way, address, blanks, others)?
            }
            Area::Disk(_) | Area::Flash => {
                let (mut contents, size) = contents_of(self.vm(), area).ok_or(Refusal::NoneOn)?;
                let left = size.saturating_sub(offset) / PAGE;
                contents.alike(area, way, offset, blanks.min(left), others.min(left))?
            }
        };
        self.spend(LOOK.saturating_mul(alike.pages as u32));
        Ok(alike)
    }

    fn room(&self) -> usize {
        self.at.left() as usize
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.at.write(self.buffer, bytes)?;
        Ok(())
    }

    fn copy(&mut self, area: Area, offset: u64, length: usize, mut sum: u32) -> Result<u32, Refusal> {
        // Contents are made where they are used: they are large to pass on.
        let mut contents;
        let (from, mut address) = match area {
            Area::Memory => {
                let address = self.vm().ram.saturating_add(offset);
                (&mut *self.memory, address)
            }
            Area::Disk(_) | Area::Flash => {
                (contents, _) = contents_of(self.vm(), area).ok_or(Refusal::NoneOn)?;
                (&mut contents, offset)
            }
        };
        let way = way_to(area);
        let mut left = length as u32;
        self.spent = self.spent.saturating_add(left / SUMMED);
        while let Some(place) = self.at.piece(left) {
            sum = from.send(way, address, self.buffer, place.address, place.length as usize, sum)?;
            address = address.saturating_add(place.length.into());
            left = left.saturating_sub(place.length);
        }
        Ok(sum)
    }
}
