//! Saving a whole GIC as a plain structure, and making another one of it.
//!
//! A VM that is saved stands still: each vCPU is off its core ([`Vgic::leave_core`]), so that its list registers are in the model,
//! and no physical interrupt stands behind a virtual one.

use core::sync::atomic::Ordering;

use portcullis_abi::map::MAX_VCPUS;
use portcullis_abi::state::{self, Unfit};

use super::Vgic;
use super::fields::{GROUP_ENABLES, ICH_LR};
use super::list_register::{self, HW, State};
use super::model::{Bank, PRIORITY_MASK, Residence};
use super::slots::{Bits, MAX_SLOTS, Slots, WAITING};
use super::spis::{self, BANKS, INTIDS, SPIS, Spis};
use super::vcpu::{FRESH, PRIVATE, Private, SGIS, SPI};
use super::version::GicVersion;

const _: () =
    assert!(MAX_VCPUS == 8 && MAX_SLOTS == 16 && BANKS == 8 && SPIS == 256, "the structure's arrays are as long");

impl GicVersion {
    /// Its number in a saved state.
    const fn number(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

impl Vgic {
    /// Returns all that the GIC remembers; nothing while a physical interrupt stands behind a virtual one: a vCPU that has timers
    /// is on its core, or the interrupt of a device that the VM drives is active.
    pub fn save(&self) -> Option<state::Gic> {
        let mut saved = state::Gic {
            version: state::Gic::VERSION,
            architecture: self.version.number(),
            vcpus: self.count as u32,
            control: self.control.load(Ordering::Relaxed),
            cpus: [NO_CPU; MAX_VCPUS],
            spis: [NO_INTERRUPTS; BANKS],
            routes: [0; SPIS],
        };
        for (index, (cpu, vcpu)) in saved.cpus.iter_mut().zip(&self.vcpus).enumerate() {
            let attention = vcpu.attention();
            if attention as u32 & !SGIS != 0 {
                return None;
            }
            *cpu = save_cpu(&vcpu.state.lock(), attention)?;
            cpu.senders = core::array::from_fn(|sgi| self.sources(index).of(sgi as u32));
        }
        let spis = self.spis.lock();
        for (index, (saved, bank)) in saved.spis.iter_mut().zip(&spis.banks).enumerate() {
            let waited = spis.waited.get(index).is_some_and(|waited| *waited != 0);
            if waited || bank.physical | bank.lr.physical != 0 {
                return None;
            }
            *saved = save_bank(bank);
        }
        saved.routes = core::array::from_fn(|index| spis.route(index));
        Some(saved)
    }

    /// Puts the GIC of a VM none of whose vCPUs runs into the state that was saved. The vCPUs' cores have `list_registers` each.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the GIC is as before.
    pub fn restore(&self, saved: &state::Gic, list_registers: usize) -> Result<(), Unfit> {
        self.check(saved)?;
        let mut spis = Spis::new(self.version, self.count);
        for (bank, saved) in spis.banks.iter_mut().zip(&saved.spis) {
            *bank = restore_bank(saved, 0, "an SPI")?;
        }
        for (index, route) in saved.routes.iter().enumerate() {
            match self.version {
                // Most are as they are in a new one.
                _ if *route == spis.route(index) => {}
                GicVersion::V3 => spis.set_route(index, *route),
                GicVersion::V2 if *route & !self.present != 0 => return Err(Unfit::Value("GICD_ITARGETSR")),
                GicVersion::V2 => spis.set_targets(index, *route as u8),
            }
        }
        let mut private = [const { None }; MAX_VCPUS];
        for (index, (place, saved)) in private.iter_mut().zip(&saved.cpus).enumerate() {
            *place = Some(self.restore_cpu(index, saved, list_registers, &mut spis)?);
        }
        // What is in a list register is in one of some vCPU.
        if spis.banks.iter().any(|bank| (bank.lr.latch | bank.lr.deactivate) & !bank.lr.held != 0) {
            return Err(Unfit::Value("what is known of an SPI in a list register"));
        }
        // All of it is good: from here on nothing is refused.
        self.control.store(saved.control, Ordering::Relaxed);
        for (index, ((vcpu, state), saved)) in self.vcpus.iter().zip(private).zip(&saved.cpus).enumerate() {
            let sources = self.sources(index);
            sources.clear();
            for (sgi, senders) in saved.senders.iter().enumerate() {
                sources.add(sgi as u32, *senders);
            }
            if let Some(state) = state {
                *vcpu.state.lock() = state;
            }
            vcpu.set_attention(if saved.fresh == 0 { PRIVATE | SPI } else { FRESH | PRIVATE | SPI });
        }
        *self.spis.lock() = spis;
        Ok(())
    }

    /// What concerns the whole.
    fn check(&self, saved: &state::Gic) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Gic::VERSION)?;
        if !(2..=3).contains(&saved.architecture) {
            return Err(Unfit::Value("the GIC's architecture"));
        }
        if saved.architecture != self.version.number() {
            return Err(Unfit::Absent("a GIC of an architecture"));
        }
        if saved.vcpus == 0 || saved.vcpus as usize > MAX_VCPUS {
            return Err(Unfit::Value("the number of vCPUs"));
        }
        if saved.vcpus as usize != self.count {
            return Err(Unfit::Absent("a number of vCPUs"));
        }
        if saved.control & !GROUP_ENABLES != 0 {
            return Err(Unfit::Value("GICD_CTLR"));
        }
        Ok(())
    }

    /// The vCPU `index`; what its list registers hold of SPIs is noted in `spis`.
    fn restore_cpu(
        &self,
        index: usize,
        saved: &state::GicCpu,
        list_registers: usize,
        spis: &mut Spis,
    ) -> Result<Private, Unfit> {
        let mut bank = restore_bank(&saved.private, SGIS, "an SGI or PPI")?;
        let senders = saved.senders.iter().fold(0, |all, senders| all | u32::from(*senders));
        let allowed = if matches!(self.version, GicVersion::V2) { self.present } else { 0 };
        if senders & !allowed != 0 {
            return Err(Unfit::Value("the senders of an SGI"));
        }
        for (flag, name) in [
            (saved.maintained, "the maintenance interrupt's mark"),
            (saved.fresh, "a vCPU's mark of having been switched on"),
            (saved.asleep, "GICR_WAKER"),
        ] {
            if flag > 1 {
                return Err(Unfit::Value(name));
            }
        }
        Unfit::check_reserved(saved.reserved)?;
        if saved.used >= 1 << MAX_SLOTS || saved.fresh != 0 && saved.used != 0 {
            return Err(Unfit::Value("the list registers in use"));
        }
        if index >= self.count && saved.used != 0 {
            return Err(Unfit::Value("the list registers of a vCPU beyond the last"));
        }
        if saved.used.checked_shr(list_registers as u32).is_some_and(|beyond| beyond != 0) {
            return Err(Unfit::Absent("more list registers in use"));
        }
        let mut slots = Slots::new();
        for (n, value) in saved.list_registers.iter().enumerate() {
            if saved.used >> n & 1 != 0 {
                self.check_list_register(*value)?;
                let (intid, bit) = (*value as u32, 1u32.wrapping_shl(*value as u32));
                let bank = match spis::position(intid) {
                    None => Some(&mut bank),
                    Some((place, _)) => spis.banks.get_mut(place),
                };
                let Some(bank) = bank.filter(|bank| bank.lr.held & bit == 0) else {
                    return Err(Unfit::Value("the INTID of a list register"));
                };
                bank.lr.held |= bit;
                if let Some((place, bit)) = spis::position(intid) {
                    if saved.special >> n & 1 == 0 {
                        return Err(Unfit::Value("the list registers whose end is looked at"));
                    }
                    spis.set_held(index, place, bit, true);
                }
            } else if *value != 0 {
                return Err(Unfit::Value("a list register that is not in use"));
            }
            slots.note(n, *value);
        }
        if saved.special & !(saved.used | WAITING) != 0 {
            return Err(Unfit::Value("the list registers whose end is looked at"));
        }
        if (bank.lr.latch | bank.lr.deactivate) & !bank.lr.held != 0 {
            return Err(Unfit::Value("what is known of an SGI or PPI in a list register"));
        }
        slots.used = saved.used;
        slots.special = saved.special;
        slots.maintained = saved.maintained != 0;
        Ok(Private { bank, slots, asleep: saved.asleep != 0 })
    }

    /// The value of a list register that is in use.
    fn check_list_register(&self, value: u64) -> Result<(), Unfit> {
        let intid = value as u32;
        if intid as usize >= INTIDS {
            return Err(Unfit::Value("the INTID of a list register"));
        }
        // HW is clear: nothing physical stands behind it.
        let plain = ICH_LR::VINTID::SET
            + ICH_LR::Priority.val(PRIORITY_MASK.into())
            + ICH_LR::Group1::SET
            + ICH_LR::EOI::SET
            + ICH_LR::State::PendingActive;
        let of_sender = matches!(self.version, GicVersion::V2) && intid < 16;
        let sender = if of_sender { list_register::sent_by(u32::MAX) } else { 0 };
        if value & !(plain.value | sender) != 0 || of_sender && list_register::source(value) as usize >= self.count {
            return Err(Unfit::Value("a list register"));
        }
        Ok(())
    }
}

/// One that remembers nothing.
const NO_INTERRUPTS: state::GicInterrupts = state::GicInterrupts {
    group: 0,
    enabled: 0,
    edge: 0,
    line: 0,
    latch: 0,
    active: 0,
    latch_in_list: 0,
    deactivate: 0,
    priority: [0; 32],
};

/// One that remembers nothing.
const NO_CPU: state::GicCpu = state::GicCpu {
    private: NO_INTERRUPTS,
    list_registers: [0; 16],
    used: 0,
    special: 0,
    maintained: 0,
    fresh: 0,
    asleep: 0,
    reserved: 0,
    senders: [0; 16],
};

/// A vCPU's side, but for the senders of its SGIs; nothing while a physical interrupt stands behind a virtual one.
fn save_cpu(state: &Private, attention: u64) -> Option<state::GicCpu> {
    let Private { bank, slots, asleep } = state;
    let (mut list_registers, mut linked) = ([0; MAX_SLOTS], bank.lr.physical);
    for n in Bits(slots.used) {
        let value = slots.value(n);
        let intid = value as u32;
        let ended = matches!(State::of(value), State::Inactive) && value & HW != 0;
        if ended && intid < 32 {
            // The guest has ended it, and the physical one with it.
            linked &= !1u32.wrapping_shl(intid);
        } else if value & HW != 0 {
            return None;
        }
        list_registers[n % MAX_SLOTS] = if ended { list_register::unlinked(value) } else { value };
    }
    if bank.physical | linked != 0 {
        return None;
    }
    let mut private = save_bank(bank);
    // SGIs that have come in and were not looked at; a GICv2's are what the senders say.
    private.latch |= attention as u32;
    Some(state::GicCpu {
        private,
        list_registers,
        used: slots.used,
        special: slots.special,
        maintained: slots.maintained.into(),
        fresh: (attention & FRESH != 0).into(),
        asleep: (*asleep).into(),
        ..NO_CPU
    })
}

fn save_bank(bank: &Bank) -> state::GicInterrupts {
    state::GicInterrupts {
        group: bank.group,
        enabled: bank.enabled,
        edge: bank.edge,
        line: bank.line,
        latch: bank.latch,
        active: bank.active,
        latch_in_list: bank.lr.latch,
        deactivate: bank.lr.deactivate,
        priority: bank.priority,
    }
}

/// Thirty-two interrupts, of which those in `fixed` are SGIs; which of them are held is for the list registers to say.
fn restore_bank(saved: &state::GicInterrupts, fixed: u32, name: &'static str) -> Result<Bank, Unfit> {
    let priorities = saved.priority.iter().all(|priority| priority & !PRIORITY_MASK == 0);
    if !priorities || saved.edge & fixed != fixed || saved.line & fixed != 0 {
        return Err(Unfit::Value(name));
    }
    let lr = Residence { latch: saved.latch_in_list, deactivate: saved.deactivate, ..Residence::NONE };
    let &state::GicInterrupts { group, enabled, edge, line, latch, active, priority, .. } = saved;
    Ok(Bank { group, enabled, edge, line, latch, active, physical: 0, priority, lr })
}
