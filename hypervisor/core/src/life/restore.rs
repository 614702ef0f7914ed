//! Restoring a saved VM into one that was created, a piece at a time, from a buffer in the memory of the VM that manages it.
//!
//! The header is compared and kept. What follows goes to where it belongs, of a VM none of whose vCPUs is on; what belongs to a VM
//! that has started is judged and kept. What the vectors answer is worked out a piece at a time, and in the end firmware registers
//! are set, vCPUs are on, and the VM is paused. Until then it can be given up: it is created again, and nothing is left.

use core::sync::atomic::Ordering;

use portcullis_abi::manage;
use portcullis_abi::name::padded;
use portcullis_abi::state::{self, Needs, Unfit};
use portcullis_arch::{checksum, optional::Features, timer};
use portcullis_board::Firmware;
use portcullis_gate::{Filter, Profile};
use portcullis_stream::layout::PAGE;
use portcullis_stream::needs::{
    check_cpu, check_firmware, check_flash, check_link, check_port, check_shape, check_wires,
};
use portcullis_stream::{Area, Each, Kind, Restore, Section, Sum};
use portcullis_virtio::Cursor;
use zerocopy::FromBytes;

use super::baseline::vendor_hyp_2;
use super::load::fill_cells;
use super::refusal::Refusal;
use super::shape::{contents_of, kind_of, list_registers, way_to};
use crate::devices::gpio::Gpio;
use crate::links::backplane::{Backplane, Linked};
use crate::machine::Machine;
use crate::machine::owner::Beside;
use crate::machine::transfer::Kept;
use crate::memory::guest::GuestMemory;
use crate::vm::counter::VirtualCounter;
use crate::vm::fast_tables::PARTS;
use crate::vm::flash::Flash;
use crate::vm::generation::Generation;
use crate::vm::manager_lock::ManagerLock;
use crate::vm::power::PowerState;
use crate::vm::report::Occasion;
use crate::vm::{Vcpu, Vm};

/// There is nothing that what comes in runs could be in.
const ABSENT: Unfit = Unfit::Absent("a disk or flash");
/// Bytes of memory that are set to zero, or of firmware that are copied, at a time.
const CLEARED: u64 = 8 * PAGE;

/// A VM that is restored, whose manager has it.
pub struct Restoring<'a, 'c> {
    /// The VM.
    pub vm: &'a Vm,
    /// What is put into effect in the end.
    pub kept: &'a mut Kept,
    /// Its memory as this core reaches it.
    pub memory: &'a mut GuestMemory,
    /// The memory of the VM that has the buffer.
    pub buffer: &'a mut GuestMemory,
    /// What is left of the buffer.
    pub at: Cursor<'c>,
    /// Bytes of memory that were set to zero in this piece.
    pub cleared: u64,
}

/// The state in a body, which is as long.
fn of<T: FromBytes>(body: &[u8]) -> Result<T, Refusal> {
    T::read_from_bytes(body).map_err(|_| Refusal::Unfit(Unfit::Value("the length of a state")))
}

impl Restoring<'_, '_> {
    /// What the VM would have of these firmware registers and this filter.
    fn judge(&self, firmware: &state::Firmware) -> Result<(Profile, Filter), Unfit> {
        let machine = Machine::get();
        self.vm.row.restored(firmware, &machine.support(self.vm), machine.board.firmware.is_some())
    }

    /// Takes on what concerns a device in a virtio transport.
    fn link(&mut self, section: Section, body: &[u8]) -> Result<(), Refusal> {
        let linked = self.vm.links.and_then(|links| links.device(section.index as usize));
        if section.kind == Kind::Link {
            check_link(section.index, &of(body)?, linked.map(Linked::needs).as_ref())?;
            return Ok(());
        }
        let linked = linked.filter(|linked| kind_of(&linked.needs()) == Some(section.kind));
        linked.ok_or(Unfit::Absent("a device in a virtio transport"))?.restore(self.memory, body)?;
        self.kept.links |= 1_u32.wrapping_shl(section.index);
        Ok(())
    }

    /// Takes on what concerns a port of the console.
    fn port(&self, section: Section, body: &[u8]) -> Result<(), Refusal> {
        let console = self.vm.links.and_then(Backplane::console).ok_or(Unfit::Absent("a console"))?;
        let number = section.index as usize;
        if section.kind == Kind::PortName {
            let here = console.port_name(number).map(padded);
            check_port(section.index, &of(body)?, here.as_ref())?;
            return Ok(());
        }
        Ok(console.restore_port(number, self.memory, body)?)
    }

    /// Puts the next piece of its firmware, which was the same where it was saved, into the first bank of its flash. True: there
    /// may be more.
    fn load_firmware(&mut self) -> Result<bool, Refusal> {
        let Some(flash) = &self.vm.flash else { return Ok(false) };
        let Some(bank) = flash.banks.first else { return Ok(false) };
        let length = bank.size().saturating_sub(self.kept.firmware_loaded).min(CLEARED);
        fill_cells(self.memory.core(), bank, flash.firmware, self.kept.firmware_loaded, length)?;
        self.kept.firmware_loaded = self.kept.firmware_loaded.saturating_add(length);
        Ok(length != 0)
    }

    /// Takes on a vCPU's state.
    fn vcpu(&self, section: Section, body: &[u8]) -> Result<(), Refusal> {
        let vcpu = self.vm.vcpus().get(section.index as usize).ok_or(Refusal::NoneOn)?;
        match section.kind {
            Kind::General => {
                begin_context(vcpu);
                vcpu.context.restore_general(&of(body)?)?;
            }
            Kind::World => {
                let off_core = vcpu.off_core().ok_or(Refusal::Moves)?;
                // SAFETY: the vCPU is off, as its VM was only created, and nobody switches it on while that is being restored.
                unsafe { off_core.restore_world(&of(body)?, &Features::here()) }?;
            }
            Kind::Interface => {
                let off_core = vcpu.off_core().ok_or(Refusal::Moves)?;
                // SAFETY: as above.
                unsafe { off_core.restore_interface(&of(body)?) }?;
            }
            Kind::Stolen => vcpu.restore_stolen(&of(body)?, timer::frequency())?,
            _ => vcpu.account().restore(&of(body)?, self.kept.now)?,
        }
        Ok(())
    }
}

/// Has the vectors know the vCPU, which is off, as one that shares its core.
fn begin_context(vcpu: &Vcpu) {
    let machine = Machine::get();
    if let Some(core) = machine.cores.get(vcpu.core) {
        vcpu.context.start(0, 0, core.stack(), machine.handlers.sharing);
    }
}

impl Sum for Restoring<'_, '_> {
    fn sum(sum: u32, bytes: &[u8]) -> u32 {
        checksum::crc32c(sum, bytes)
    }
}

impl Restore for Restoring<'_, '_> {
    type Error = Refusal;

    fn available(&self) -> usize {
        self.at.left() as usize
    }

    fn take(&mut self, to: &mut [u8]) -> Result<(), Refusal> {
        self.at.read(self.buffer, to)?;
        Ok(())
    }

    fn state(&mut self, section: Section, body: &[u8]) -> Result<(), Refusal> {
        let (vm, machine) = (self.vm, Machine::get());
        match section.kind {
            Kind::Needs => {
                let needs = of(body)?;
                check_shape(&needs, &vm.shape(list_registers() as u32))?;
                self.kept.needs = Some(needs);
            }
            Kind::Firmware => {
                let firmware = of(body)?;
                check_firmware(&firmware, &machine.support(vm), machine.board.firmware.is_some())?;
                let _ = self.judge(&firmware)?;
                self.kept.firmware = Some(firmware);
            }
            Kind::Implementations => {
                let told: state::Implementations = of(body)?;
                Unfit::check_version(told.version, state::Implementations::VERSION)?;
                self.kept.implementations = Some(told);
            }
            Kind::Cpu => {
                let saved: state::Cpu = of(body)?;
                Unfit::check_version(saved.version, state::Cpu::VERSION)?;
                Unfit::check_reserved(saved.reserved)?;
                let here = vm.shown_cpu(section.index).ok_or(Refusal::NoneOn)?;
                let vendor_hyp_2 = self.kept.firmware.as_ref().map_or(0, vendor_hyp_2);
                check_cpu(section.index, &saved, &here, self.kept.implementations.as_ref(), vendor_hyp_2)?;
                let cpu = self.kept.cpus.get_mut(section.index as usize).ok_or(Refusal::NoneOn)?;
                *cpu = saved.implementation;
            }
            Kind::Identity => {
                let identity: state::Identity = of(body)?;
                Unfit::check_version(identity.version, state::Identity::VERSION)?;
                Unfit::check_reserved(identity.reserved)?;
                self.kept.identity = Some(identity);
            }
            Kind::Counter => {
                let (counter, now) = (of(body)?, timer::count());
                VirtualCounter::new().restore(&counter, now, timer::frequency() as u32)?;
                (self.kept.counter, self.kept.now) = (Some(counter), now);
            }
            Kind::Generation => {
                let generation = of(body)?;
                Generation::check(&generation)?;
                self.kept.generation = Some(generation);
            }
            Kind::Watchdog => {
                let watchdog = of(body)?;
                vm.check_watchdog(&watchdog)?;
                self.kept.watchdog = Some(watchdog);
            }
            Kind::Restarts => vm.life.restart_policy().restore(&of(body)?)?,
            Kind::Gic => vm.vgic.restore(&of(body)?, list_registers())?,
            Kind::Power => {
                let index = section.index as usize;
                let place = self.kept.powers.get_mut(index).zip(vm.vcpus().get(index));
                let (power, vcpu) = place.ok_or(Refusal::NoneOn)?;
                let saved = of(body)?;
                vcpu.check_power(&saved)?;
                *power = Some(saved);
            }
            Kind::Uart => vm.console.restore(&of(body)?)?,
            Kind::Rtc => {
                let saved = of(body)?;
                let clock = vm.bus.devices().find(|device| device.save_clock().is_some());
                clock.ok_or(Unfit::Absent("a PL031"))?.restore_clock(&saved)?;
            }
            Kind::Wires => check_wires(&of(body)?, vm.wires.map(Gpio::needs).as_ref())?,
            Kind::Gpio => {
                vm.wires.ok_or(Unfit::Absent("a PL061"))?.restore(&of(body)?)?;
                self.kept.wires = true;
            }
            Kind::Banks => check_flash(&of(body)?, vm.flash.as_ref().map(Flash::needs).as_ref())?,
            Kind::Flash => {
                let saved = of(body)?;
                let bank = vm.bus.devices().find(|device| device.save_flash().is_some());
                bank.ok_or(Unfit::Absent("flash"))?.restore_flash(&saved)?;
            }
            _ if section.kind.each() == Each::Transport => self.link(section, body)?,
            _ if section.kind.each() == Each::Port => self.port(section, body)?,
            _ => self.vcpu(section, body)?,
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<(), Refusal> {
        Ok(self.vm.check_identity(self.kept)?)
    }

    fn derive(&mut self) -> Result<bool, Refusal> {
        if self.load_firmware()? {
            return Ok(false);
        }
        let Some(firmware) = self.kept.firmware.as_ref().filter(|_| self.kept.parts < PARTS) else { return Ok(true) };
        let (profile, filter) = self.judge(firmware)?;
        self.vm.work_out_part(profile, &filter, self.kept.parts);
        self.kept.parts = self.kept.parts.saturating_add(1);
        Ok(false)
    }

    fn size(&self, area: Area) -> u64 {
        contents_of(self.vm, area).map_or(0, |(_, size)| size)
    }

    fn store(&mut self, area: Area, offset: u64, length: usize, mut sum: u32) -> Result<u32, Refusal> {
        // Contents are made where they are used: they are large to pass on.
        let mut contents;
        let (to, mut address) = match area {
            Area::Memory => (&mut *self.memory, self.vm.ram.saturating_add(offset)),
            Area::Disk(_) | Area::Flash => {
                (contents, _) = contents_of(self.vm, area).ok_or(ABSENT)?;
                (&mut contents, offset)
            }
        };
        let way = way_to(area);
        let mut left = length as u32;
        while let Some(place) = self.at.piece(left) {
            sum = to.receive(way, address, self.buffer, place.address, place.length as usize, sum)?;
            address = address.saturating_add(place.length.into());
            left = left.saturating_sub(place.length);
        }
        Ok(sum)
    }

    fn clear(&mut self, area: Area, offset: u64, length: u64) -> Result<u64, Refusal> {
        if area == Area::Memory && self.kept.zeros {
            return Ok(length);
        }
        let most = length.min(CLEARED.saturating_sub(self.cleared));
        match area {
            Area::Memory => self.memory.clear(self.vm.ram.saturating_add(offset), most as usize)?,
            Area::Disk(_) | Area::Flash => {
                let (mut contents, _) = contents_of(self.vm, area).ok_or(ABSENT)?;
                contents.fill(offset, most as usize, area.blank())?;
            }
        }
        self.cleared = self.cleared.saturating_add(most);
        Ok(most)
    }
}

impl Vm {
    /// Has the VM, all of which was restored but for what was kept, be paused where it was saved. `lock` is its own.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; the VM is to be given up then.
    pub(super) fn complete_restore(&'static self, lock: &mut ManagerLock<'_>, kept: &Kept) -> Result<(), Refusal> {
        const MISSING: Unfit = Unfit::Value("a section that is missing");
        let (vm, machine) = (self, Machine::get());
        let frequency = timer::frequency();
        let (firmware, counter) = (kept.firmware.as_ref().ok_or(MISSING)?, kept.counter.as_ref().ok_or(MISSING)?);
        // Each device of the header has a state.
        let lacks =
            |needs: &Needs| needs.transports & !kept.links != 0 || needs.devices & Needs::GPIO != 0 && !kept.wires;
        if kept.needs.as_ref().is_none_or(lacks) || kept.parts != PARTS {
            return Err(MISSING.into());
        }
        if firmware.frozen != 1 {
            return Err(Unfit::Value("the freeze").into());
        }
        vm.life.counter().restore(counter, kept.now, frequency as u32)?;
        if let Some(watchdog) = &kept.watchdog {
            vm.restore_watchdog(watchdog, counter.value)?;
        }
        if let Some(generation) = &vm.generation {
            generation.restore(kept.generation.as_ref())?;
        }
        // Held, so that none runs before the VM does: the state says that it is being restored.
        for (vcpu, power) in vm.vcpus().iter().zip(&kept.powers) {
            vcpu.restore_power(power.as_ref().ok_or(MISSING)?)?;
        }
        let on = vm.vcpus().iter().filter(|vcpu| vcpu.power() != PowerState::Off);
        if on.clone().count() == 0 {
            return Err(Refusal::NoneOn);
        }
        lock.restore_firmware(firmware, &machine.support(vm), machine.board.firmware.is_some())?;
        // From here on nothing is refused.
        lock.derive_restored();
        vm.keep_identity(kept);
        let wide = machine.board.firmware.is_some_and(Firmware::is_wide);
        for vcpu in on {
            vm.give_fast_tables(&vcpu.context, wide);
            vm.sets.on(vcpu.bit());
            vm.sets.park(vcpu.bit());
            vcpu.off_core().into_iter().for_each(|off_core| off_core.stands_restored());
        }
        vm.flash.iter().for_each(|flash| flash.loaded.store(true, Ordering::Relaxed));
        vm.life.restored();
        vm.tell_phase(manage::PHASE_CREATED, manage::PHASE_PAUSED);
        vm.report(Occasion::Repeatable, format_args!("{}: restored with {}", vm.name(), vm.row.profile()));
        Ok(())
    }

    /// Prepares the VM, which was created, for the state of its devices.
    pub(super) fn begin_restore(&self) {
        self.bus.devices().for_each(|device| device.begin(&Beside::of(self, None)));
    }

    /// Gives up what was restored: the VM is as it was created, but for its memory, which is nobody's.
    pub(super) fn give_up_restore(&self) {
        self.vgic.reset();
        self.pv_time.clear();
        self.reset_watchdog();
        self.console.reset(self);
        self.bus.devices().for_each(|device| device.reset(self));
        for vcpu in self.vcpus() {
            vcpu.switched_off();
            vcpu.account().clear();
            vcpu.reset_account();
        }
        self.life.not_restored();
    }
}
