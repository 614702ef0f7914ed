//! A simulated core: list registers, and a guest that acknowledges and ends interrupts.

use portcullis_vgic::{ListRegisters, Vgic};

/// Bit of a list register with HW = 0: a maintenance interrupt when the guest deactivates it (IHI 0069, 12.4.12).
const EOI: u64 = 1 << 41;
/// Bit: deactivation goes on to the physical interrupt.
const HW: u64 = 1 << 61;
const PENDING: u64 = 1;
const ACTIVE: u64 = 2;

fn state(value: u64) -> u64 {
    value >> 62
}

fn with_state(value: u64, state: u64) -> u64 {
    value & !(3 << 62) | state << 62
}

/// A core whose SGIs have sources, as a GICv2's, or not.
#[derive(Debug)]
pub struct Core<const SOURCES: bool> {
    lrs: [u64; 4],
    no_pending_maintenance: bool,
}

impl<const SOURCES: bool> ListRegisters for Core<SOURCES> {
    const SOURCES: bool = SOURCES;

    fn count(&self) -> usize {
        self.lrs.len()
    }
    fn read(&self, n: usize) -> u64 {
        self.lrs[n]
    }
    fn write(&mut self, n: usize, value: u64) {
        assert_ne!(state(value), PENDING | ACTIVE, "pending and active at once is never written");
        self.lrs[n] = value;
    }
    fn empty(&self) -> u32 {
        let empty = |lr: u64| state(lr) == 0 && (lr & HW != 0 || lr & EOI == 0);
        (0..).zip(self.lrs).map(|(n, lr)| u32::from(empty(lr)) << n).sum()
    }
    fn set_no_pending_maintenance(&mut self, enable: bool) {
        self.no_pending_maintenance = enable;
    }
    fn deactivate(&mut self, _: u32) {}
    fn synchronize(&mut self) {}
}

impl<const SOURCES: bool> Default for Core<SOURCES> {
    fn default() -> Self {
        Self { lrs: [0; 4], no_pending_maintenance: false }
    }
}

impl<const SOURCES: bool> Core<SOURCES> {
    /// Takes over from whatever was there before.
    pub fn reset(&mut self, gic: &Vgic, vcpu: usize) {
        let _ = gic.reset_vcpu(vcpu, self);
    }

    fn maintenance(&self) -> bool {
        let ended = self.lrs.iter().any(|&lr| state(lr) == 0 && lr & HW == 0 && lr & EOI != 0);
        ended || self.no_pending_maintenance && self.lrs.iter().all(|&lr| state(lr) != PENDING)
    }

    /// What the trap path does before it enters the guest, and what must be true then.
    pub fn enter(&mut self, gic: &Vgic, vcpu: usize) {
        if self.maintenance() {
            gic.attend(vcpu);
        }
        if gic.needs_flush(vcpu) {
            let _ = gic.flush(vcpu, self);
        }
        assert!(!gic.needs_flush(vcpu), "a flush leaves nothing to do");
        assert!(!self.maintenance(), "the guest would not get to run: {self:x?}");
        let mut valid: Vec<u32> = self.lrs.iter().filter(|&&lr| state(lr) != 0).map(|&lr| lr as u32).collect();
        let count = valid.len();
        valid.sort_unstable();
        valid.dedup();
        assert_eq!(valid.len(), count, "one interrupt in two list registers: {self:x?}");
        assert!(valid.iter().all(|&intid| intid < 1020), "no interrupt has such a number: {self:x?}");
    }

    /// The guest acknowledges what list register `n` holds.
    pub fn acknowledge(&mut self, n: usize) {
        let lr = &mut self.lrs[n % 4];
        if state(*lr) == PENDING {
            *lr = with_state(*lr, ACTIVE);
        }
    }

    /// The guest ends what list register `n` holds.
    pub fn end(&mut self, n: usize) {
        let lr = &mut self.lrs[n % 4];
        if state(*lr) & ACTIVE != 0 {
            *lr = with_state(*lr, state(*lr) & PENDING);
        }
    }
}
