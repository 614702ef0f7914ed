//! A simulated core: list registers, and a guest that acknowledges and ends interrupts as a virtual CPU interface does.

use crate::list_register::{EOI, HW, ListRegisters, State, priority, source, with_state};
use crate::{VcpuSet, Vgic};

/// A core with `lrs.len()` list registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    pub lrs: Vec<u64>,
    /// What the list registers were at the last context synchronization: ICH_ELRSR_EL2 sees no more.
    seen: Vec<u64>,
    pub no_pending_maintenance: bool,
    /// Physical interrupts that were deactivated, by the guest through a link or by the hypervisor.
    pub deactivated: Vec<u32>,
    /// Acknowledged interrupts with their priority, innermost last.
    pub running: Vec<(u8, u32)>,
    /// Physical private interrupts whose line is low.
    pub low: u32,
    /// It is that of a GICv2: SGIs have sources.
    pub sources: bool,
}

/// The core with SGIs that have sources.
struct WithSources<'a>(&'a mut Core);

impl ListRegisters for WithSources<'_> {
    const SOURCES: bool = true;

    fn count(&self) -> usize {
        self.0.count()
    }
    fn read(&self, n: usize) -> u64 {
        self.0.read(n)
    }
    fn write(&mut self, n: usize, value: u64) {
        self.0.write(n, value);
    }
    fn empty(&self) -> u32 {
        self.0.empty()
    }
    fn synchronize(&mut self) {
        self.0.synchronize();
    }
    fn set_no_pending_maintenance(&mut self, enable: bool) {
        self.0.set_no_pending_maintenance(enable);
    }
    fn deactivate(&mut self, intid: u32) {
        self.0.deactivate(intid);
    }
    fn line(&self, intid: u32) -> bool {
        self.0.line(intid)
    }
}

impl ListRegisters for Core {
    const SOURCES: bool = false;

    fn count(&self) -> usize {
        self.lrs.len()
    }
    fn read(&self, n: usize) -> u64 {
        self.lrs[n]
    }
    fn write(&mut self, n: usize, value: u64) {
        assert_ne!(State::of(value), State::PendingActive);
        self.lrs[n] = value;
    }
    fn empty(&self) -> u32 {
        let empty = |lr: u64| State::of(lr) == State::Inactive && (lr & HW != 0 || lr & EOI == 0);
        (0..).zip(&self.seen).map(|(n, &lr)| u32::from(empty(lr)) << n).sum()
    }
    fn synchronize(&mut self) {
        self.seen.clone_from(&self.lrs);
    }
    fn set_no_pending_maintenance(&mut self, enable: bool) {
        self.no_pending_maintenance = enable;
    }
    fn deactivate(&mut self, intid: u32) {
        self.deactivated.push(intid);
    }
    fn line(&self, intid: u32) -> bool {
        self.low >> intid & 1 == 0
    }
}

impl Core {
    pub fn new(lrs: usize) -> Self {
        // As after power-on, when anything may be in there.
        Self {
            lrs: vec![0xd0a0_0000_0000_0005; lrs],
            seen: vec![0xd0a0_0000_0000_0005; lrs],
            no_pending_maintenance: true,
            deactivated: Vec::new(),
            running: Vec::new(),
            low: 0,
            sources: false,
        }
    }

    /// A core of a GICv2.
    pub fn v2(lrs: usize) -> Self {
        Self { sources: true, ..Self::new(lrs) }
    }

    /// [`Vgic::flush`] on this core, or what its general case comes to.
    fn flush(&mut self, gic: &Vgic, vcpu: usize, generally: bool) -> VcpuSet {
        match (self.sources, generally) {
            (false, false) => gic.flush(vcpu, self),
            (true, false) => gic.flush(vcpu, &mut WithSources(self)),
            (false, true) => gic.flush_generally(vcpu, self),
            (true, true) => gic.flush_generally(vcpu, &mut WithSources(self)),
        }
    }

    /// [`Vgic::reset_vcpu`] on this core.
    pub fn reset(&mut self, gic: &Vgic, vcpu: usize) -> VcpuSet {
        if self.sources { gic.reset_vcpu(vcpu, &mut WithSources(self)) } else { gic.reset_vcpu(vcpu, self) }
    }

    /// Acknowledges as GICV_IAR of a GICv2 does: INTID and, of an SGI, its sender.
    pub fn acknowledge_v2(&mut self) -> Option<(u32, u32)> {
        let intid = self.acknowledge()?;
        let value = self.lrs.iter().find(|&&lr| lr as u32 == intid && State::of(lr).is_active())?;
        Some((intid, if intid < 16 { source(*value) } else { 0 }))
    }

    /// Whether the maintenance interrupt is asserted.
    pub fn maintenance(&self) -> bool {
        let ended = self.lrs.iter().any(|&lr| State::of(lr) == State::Inactive && lr & HW == 0 && lr & EOI != 0);
        let none_pending = self.lrs.iter().all(|&lr| State::of(lr) != State::Pending);
        ended || self.no_pending_maintenance && none_pending
    }

    /// What the trap path does before it enters the guest, while no other core does anything. It comes to the same by the general
    /// case of a flush.
    pub fn enter(&mut self, gic: &Vgic, vcpu: usize) -> VcpuSet {
        let general = (gic.needs_flush(vcpu) || self.maintenance()).then(|| (gic.copy(), self.clone()));
        let kick = self.enter_by(gic, vcpu, false);
        assert!(!gic.needs_flush(vcpu), "a flush leaves nothing to do");
        if let Some((general, mut core)) = general {
            assert_eq!((kick, &mut *self), (core.enter_by(&general, vcpu, true), &mut core));
            gic.assert_same(&general);
        }
        kick
    }

    /// What the trap path does before it enters the guest.
    pub fn enter_beside_others(&mut self, gic: &Vgic, vcpu: usize) -> VcpuSet {
        self.enter_by(gic, vcpu, false)
    }

    /// See [`enter_beside_others`](Self::enter_beside_others).
    fn enter_by(&mut self, gic: &Vgic, vcpu: usize, generally: bool) -> VcpuSet {
        // The exception that led to it.
        self.synchronize();
        if self.maintenance() {
            gic.attend(vcpu);
        }
        let kick = if gic.needs_flush(vcpu) { self.flush(gic, vcpu, generally) } else { VcpuSet::default() };
        assert!(!self.maintenance(), "the guest would not get to run: {self:x?}");
        let mut valid = self.valid();
        valid.sort();
        valid.dedup();
        assert_eq!(valid.len(), self.valid().len(), "one interrupt in two list registers");
        kick
    }

    /// INTIDs in valid list registers.
    pub fn valid(&self) -> Vec<u32> {
        self.lrs.iter().filter(|&&lr| State::of(lr) != State::Inactive).map(|&lr| lr as u32).collect()
    }

    /// INTIDs that are pending in a list register, with their priority, most urgent first.
    pub fn pending(&self) -> Vec<(u8, u32)> {
        let mut pending: Vec<_> =
            self.lrs.iter().filter(|&&lr| State::of(lr).is_pending()).map(|&lr| (priority(lr), lr as u32)).collect();
        pending.sort();
        pending
    }

    /// The list register of an interrupt.
    pub fn lr_of(&self, intid: u32) -> Option<u64> {
        self.lrs.iter().copied().find(|&lr| lr as u32 == intid && State::of(lr) != State::Inactive)
    }

    /// Reads ICC_IAR1_EL1: acknowledges the most urgent pending interrupt if it may preempt what is running.
    pub fn acknowledge(&mut self) -> Option<u32> {
        // One that is still active cannot be acknowledged again.
        let best = (0..self.lrs.len())
            .filter(|&n| State::of(self.lrs[n]) == State::Pending)
            .min_by_key(|&n| (priority(self.lrs[n]), self.lrs[n] as u32))?;
        let lr = self.lrs[best];
        if self.running.last().is_some_and(|&(running, _)| priority(lr) >= running) {
            return None;
        }
        self.lrs[best] = with_state(lr, State::Active);
        self.running.push((priority(lr), lr as u32));
        Some(lr as u32)
    }

    /// Writes ICC_EOIR1_EL1 for the innermost running interrupt (EOImode = 0).
    pub fn end(&mut self) -> Option<u32> {
        let (_, intid) = self.running.pop()?;
        let lr = self.lrs.iter_mut().find(|lr| **lr as u32 == intid && State::of(**lr).is_active());
        if let Some(lr) = lr {
            let state = if State::of(*lr).is_pending() { State::Pending } else { State::Inactive };
            *lr = with_state(*lr, state);
            if *lr & HW != 0 {
                self.deactivated.push((*lr >> 32) as u32 & 0x1fff);
            }
        }
        Some(intid)
    }

    /// Enters, acknowledges and ends until nothing is left. Returns what was handled, in order.
    pub fn drain(&mut self, gic: &Vgic, vcpu: usize) -> Vec<u32> {
        let mut handled = Vec::new();
        loop {
            let _ = self.enter(gic, vcpu);
            if let Some(intid) = self.acknowledge() {
                handled.push(intid);
                assert!(handled.len() < 10_000, "endless: {:?}", &handled[9_900..]);
                let _ = self.enter(gic, vcpu);
            }
            if self.end().is_none() {
                return handled;
            }
        }
    }
}
