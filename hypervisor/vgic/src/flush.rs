//! List registers and model are brought together, on the vCPU's own core before it enters the guest.
//!
//! An active interrupt keeps its list register until the guest deactivates it, so an interrupt that would preempt more
//! levels than the core has list registers waits for the first of them to end. Nothing is lost; it is only later.

use core::sync::atomic::Ordering;

use super::candidates::Candidates;
use super::list_register::{self, HW, ListRegisters, State};
use super::model::{Bank, Residence};
use super::slots::{Bits, MAX_SLOTS, Slots, WAITING};
use super::spis::{self, ALL_BANKS, BANKS, Spis};
use super::vcpu::{CpuState, FRESH, PRIVATE, Private, SGIS, SPI_FLAG, banks};
use super::{VcpuSet, Vgic};

impl Vgic {
    /// Takes what the guest has finished out of the list registers of vCPU `vcpu`, and puts in what it should get next.
    /// To be called on the vCPU's core, with interrupts masked, before it enters the guest, and once: the next time it is
    /// [`Vgic::flush_again`]. Returns other vCPUs to kick: an interrupt that was routed elsewhere has become theirs.
    #[inline]
    pub fn flush(&self, vcpu: usize, lrs: &mut impl ListRegisters) -> VcpuSet {
        let Some(this) = self.vcpus.get(vcpu) else { return VcpuSet::EMPTY };
        self.flush_with(this, vcpu, this.take_attention(), lrs)
    }

    /// [`Vgic::flush`] for who looks at the list registers next, by [`Vgic::has_pending`] or another flush.
    #[inline]
    pub fn flush_and_see(&self, vcpu: usize, lrs: &mut impl ListRegisters) -> VcpuSet {
        let kick = self.flush(vcpu, lrs);
        lrs.synchronize();
        kick
    }

    /// [`Vgic::flush`] for who has flushed since the guest came to EL2: what that has written is there.
    #[inline(never)]
    pub fn flush_again(&self, vcpu: usize, lrs: &mut impl ListRegisters) -> VcpuSet {
        lrs.synchronize();
        self.flush(vcpu, lrs)
    }

    /// [`Vgic::raise_hardware`] and [`Vgic::flush`] in one, and faster: for a timer that interrupts the guest. `intid`
    /// is 16 to 31; others are not raised.
    #[inline(always)]
    pub fn flush_hardware(&self, vcpu: usize, intid: u32, lrs: &mut impl ListRegisters) -> VcpuSet {
        let Some(this) = self.vcpus.get(vcpu) else { return VcpuSet::EMPTY };
        // Mostly nothing else has come in.
        let events = if this.is_notified() { this.take_attention() } else { 0 };
        self.flush_with(this, vcpu, events | u64::from(1u32.checked_shl(intid).unwrap_or(0) & !SGIS), lrs)
    }

    /// Takes in private interrupts that have come in. The attention word says that SGIs have; a GICv2's are pending for
    /// whom the senders say.
    #[inline(always)]
    pub(super) fn receive<L: ListRegisters>(&self, vcpu: usize, bank: &mut Bank, events: u64) {
        bank.receive(events as u32, !SGIS);
        if L::SOURCES {
            bank.latch = bank.latch & !SGIS | self.sources(vcpu).pending();
        }
    }

    /// Moves private interrupt `intid` into a list register as pending and returns the register's value.
    #[inline(always)]
    fn load<L: ListRegisters>(&self, vcpu: usize, bank: &mut Bank, intid: u32) -> u64 {
        let value = bank.load(intid, intid);
        if L::SOURCES && 1u32.wrapping_shl(intid) & SGIS != 0 {
            value | self.next_source(vcpu, bank, intid)
        } else {
            value
        }
    }

    #[inline(always)]
    fn flush_with<L: ListRegisters>(&self, this: &CpuState, vcpu: usize, events: u64, lrs: &mut L) -> VcpuSet {
        let mut state = this.state.lock();
        let state: &mut Private = &mut state;
        let control = self.control.load(Ordering::Relaxed);
        if events & PRIVATE != 0 && state.bank.physical != 0 {
            state.sample_lines(lrs);
        }
        // The usual case: only private interrupts are concerned, all that were presented have ended, and at most one is
        // next. The general case would come to the same result.
        if events & (SPI_FLAG | FRESH) == 0 && state.slots.special == 0 && state.slots.used & !lrs.empty() == 0 {
            let bank = &mut state.bank;
            bank.lr = Residence::NONE;
            self.receive::<L>(vcpu, bank, events);
            state.slots.used = 0;
            let next = bank.deliverable(control);
            if next == 0 {
                return VcpuSet::EMPTY;
            }
            if next.is_power_of_two() {
                let intid = next.trailing_zeros();
                let value = self.load::<L>(vcpu, bank, intid);
                state.slots.used = 1;
                state.slots.rewrite(0, value, lrs);
                return VcpuSet::EMPTY;
            }
            // What came in is in the model now.
            return self.flush_all(vcpu, state, 0, control, lrs);
        }
        self.flush_spis(vcpu, state, events, control, lrs)
    }

    /// The general case: SPIs are concerned, something is still in a list register, or there is a choice to make.
    #[inline(never)]
    pub(super) fn flush_all<L: ListRegisters>(
        &self,
        vcpu: usize,
        state: &mut Private,
        events: u64,
        control: u32,
        lrs: &mut L,
    ) -> VcpuSet {
        if events & FRESH != 0 {
            state.empty(lrs);
        }
        self.receive::<L>(vcpu, &mut state.bank, events);
        self.harvest(vcpu, state, control, lrs);
        let mut spis = self.spis.lock();
        // What was deliverable before is in a list register, unless it waits for one. So there can be news of these alone.
        let mut banks = if state.slots.special & WAITING != 0 { ALL_BANKS } else { banks(events) };
        let kick = self.harvest_spis(vcpu, &mut state.slots, &mut spis, control, &mut banks, lrs);
        self.present(vcpu, state, &mut spis, control, banks, lrs);
        kick
    }

    /// Puts what is next into list registers: private interrupts, and SPIs of these `banks`, a bit each.
    #[inline]
    pub(super) fn present<L: ListRegisters>(
        &self,
        vcpu: usize,
        state: &mut Private,
        spis: &mut Spis,
        control: u32,
        banks: u32,
        lrs: &mut L,
    ) {
        let mut candidates = Candidates::new(vcpu, state, spis, control, banks);
        let mut waiting = false;
        while !candidates.is_empty() {
            let next = candidates.take_only(spis).or_else(|| candidates.take_most_urgent(state, spis));
            let Some((priority, intid)) = next else { break };
            if let Some((index, bit)) = spis::position(intid)
                && spis.withdraw_waited(index, bit)
            {
                lrs.deactivate(intid);
                continue;
            }
            let slot = match state.slots.free(lrs.count()) {
                Some(slot) => slot,
                None => {
                    waiting = true;
                    let Some(slot) = state.slots.victim(priority) else { break };
                    if L::SOURCES {
                        self.give_back(vcpu, &state.bank, state.slots.value(slot));
                    }
                    evict(vcpu, slot, state, spis);
                    slot
                }
            };
            let value = match spis::position(intid) {
                None => self.load::<L>(vcpu, &mut state.bank, intid),
                Some((index, bit)) => {
                    let Some(bank) = spis.banks.get_mut(index) else { continue };
                    let value = reported::<L>(bank.load(intid, intid));
                    spis.set_held(vcpu, index, bit, true);
                    value
                }
            };
            state.slots.occupy(slot, value, lrs);
        }
        if waiting || state.slots.special & WAITING != 0 || state.slots.maintained {
            state.slots.ask_for_maintenance(waiting, lrs);
        }
    }

    /// Looks at the list registers that hold private interrupts.
    fn harvest<L: ListRegisters>(&self, vcpu: usize, state: &mut Private, control: u32, lrs: &mut L) {
        let empty = lrs.empty();
        for slot in Bits(state.slots.used) {
            let intid = state.slots.intid(slot);
            if intid >= 32 {
                continue;
            }
            let bit = 1u32.wrapping_shl(intid);
            let bank = &mut state.bank;
            if L::SOURCES && bit & SGIS != 0 && empty >> (slot % MAX_SLOTS) & 1 == 0 {
                self.review_sgi(vcpu, bank, slot, &mut state.slots, control, lrs);
            } else {
                let allowed = bank.allowed(control);
                review(bank, bit, slot, &mut state.slots, allowed, empty, lrs);
            }
        }
    }

    /// The SPIs' part of [`Vgic::harvest`], whose banks it adds to `banks`. Returns the vCPUs to kick whose SPIs these have become.
    fn harvest_spis(
        &self,
        vcpu: usize,
        slots: &mut Slots,
        spis: &mut Spis,
        control: u32,
        banks: &mut u32,
        lrs: &mut impl ListRegisters,
    ) -> VcpuSet {
        let mut kick = VcpuSet::EMPTY;
        let empty = lrs.empty();
        for slot in slots.spis() {
            let Some((index, bit)) = spis::position(slots.intid(slot)) else { continue };
            *banks |= 1 << (index % BANKS);
            let routed = spis.routed(vcpu, index);
            let Some(bank) = spis.banks.get_mut(index) else { continue };
            if review(bank, bit, slot, slots, bank.allowed(control) & routed, empty, lrs) {
                spis.set_held(vcpu, index, bit, false);
                if bit & routed == 0 {
                    kick.extend(self.notify_spis(spis, index, bit));
                }
            }
        }
        kick
    }
}

impl Private {
    /// Drops linked interrupts that wait in the model while their line is low.
    #[cold]
    pub(super) fn sample_lines(&mut self, lrs: &mut impl ListRegisters) {
        for intid in Bits(self.bank.physical) {
            if !lrs.line(intid as u32) {
                self.bank.latch &= !(1 << (intid & 31));
                self.bank.physical &= !(1 << (intid & 31));
                lrs.deactivate(intid as u32);
            }
        }
    }
}

impl Slots {
    /// Sees to it that the core comes back when a list register can be had, if something is `waiting` for one.
    fn ask_for_maintenance(&mut self, waiting: bool, lrs: &mut impl ListRegisters) {
        self.special = if waiting { self.special | WAITING } else { self.special & !WAITING };
        let any_pending = self.in_state(State::Pending).next().is_some();
        if waiting && !any_pending {
            // "None pending" would hold all the time. What matters is the end of an active one.
            for slot in Bits(self.used) {
                let value = self.report_end(slot, self.value(slot));
                if value != self.value(slot) {
                    self.rewrite(slot, value, lrs);
                }
            }
        }
        let maintained = waiting && any_pending;
        if maintained != self.maintained {
            self.maintained = maintained;
            lrs.set_no_pending_maintenance(maintained);
        }
    }
}

/// The value of a list register of an SPI that is linked to the physical one: with a GICv2 its end is reported instead, and
/// EL2 deactivates the physical one. QEMU's GICv2 does not look at a line again when a list register deactivates its
/// interrupt, so one that is still high would be forgotten. Private interrupts, the timers, stay linked: their lines are low
/// by then.
#[inline(always)]
pub(super) fn reported<L: ListRegisters>(value: u64) -> u64 {
    if L::SOURCES && value & HW != 0 && value as u32 >= 32 { list_register::with_end_reported(value) } else { value }
}

/// Brings one list register and its interrupt up to date; `allowed` are those of the bank that may be presented here,
/// `empty` is ICH_ELRSR_EL2. Returns whether the interrupt has left the list register.
#[inline]
fn review<L: ListRegisters>(
    bank: &mut Bank,
    bit: u32,
    slot: usize,
    slots: &mut Slots,
    allowed: u32,
    empty: u32,
    lrs: &mut L,
) -> bool {
    if empty >> (slot % MAX_SLOTS) & 1 != 0 {
        finish(bank, bit, slot, slots, lrs);
        return true;
    }
    review_valid(bank, bit, slot, slots, allowed, lrs)
}

/// The interrupt of a list register has ended.
#[inline]
pub(super) fn finish(bank: &mut Bank, bit: u32, slot: usize, slots: &mut Slots, lrs: &mut impl ListRegisters) {
    if bank.lr.physical & bit != 0 && slots.value(slot) & HW == 0 {
        lrs.deactivate(slots.intid(slot));
    }
    slots.vacate(slot);
    bank.forget(bit);
}

/// [`review`] for a list register that is not empty.
pub(super) fn review_valid<L: ListRegisters>(
    bank: &mut Bank,
    bit: u32,
    slot: usize,
    slots: &mut Slots,
    allowed: u32,
    lrs: &mut L,
) -> bool {
    let found = lrs.read(slot);
    slots.note(slot, found);
    let mut value = found;
    let mut state = State::of(value);
    if bank.lr.deactivate & bit != 0 {
        bank.lr.deactivate &= !bit;
        if state.is_active() {
            state = State::Inactive;
            // The guest has not ended it, so the hardware has not deactivated a linked one.
            slots.note(slot, list_register::with_end_reported(found));
        }
    }
    if state.is_active() {
        bank.lr.latch &= !bit;
    }
    let wanted = allowed & (bank.pending() | bank.lr.latch) & bit != 0;
    match state {
        State::Inactive => {
            finish(bank, bit, slot, slots, lrs);
            lrs.write(slot, 0);
            return true;
        }
        State::Pending if wanted => {
            bank.hand_over(bit);
            value = reported::<L>(bank.encode(bit.trailing_zeros(), slots.intid(slot)));
        }
        State::Pending => {
            slots.vacate(slot);
            bank.unload(bit);
            lrs.write(slot, 0);
            return true;
        }
        // Pending once more while active stays in the model: in the list register it could not be displaced by a more
        // urgent one, and its end would go unreported.
        State::Active | State::PendingActive => {
            // The guest may also have asked for it to be active (ISACTIVER); it is.
            bank.active &= !bit;
            value = list_register::with_state(value, State::Active);
            if bank.latch & bit != 0 {
                value = slots.report_end(slot, value);
            } else if value & HW == 0 && bank.edge & bit == 0 {
                value |= list_register::EOI;
            }
        }
    }
    if value != found {
        slots.rewrite(slot, value, lrs);
    }
    false
}

/// Takes the pending interrupt of a slot back into the model, for another to take its place.
fn evict(vcpu: usize, slot: usize, state: &mut Private, spis: &mut Spis) {
    let intid = state.slots.intid(slot);
    state.slots.vacate(slot);
    match spis::position(intid) {
        None => state.bank.unload(1u32.wrapping_shl(intid)),
        Some((index, bit)) => {
            spis.set_held(vcpu, index, bit, false);
            if let Some(bank) = spis.banks.get_mut(index) {
                bank.unload(bit);
            }
        }
    }
}
