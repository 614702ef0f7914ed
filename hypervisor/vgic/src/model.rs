//! The model of an interrupt, 32 at a time: bit n of each word belongs to interrupt n of the bank.
//!
//! An interrupt is in one of two places. In the model it is pending when its latch is set or, if level-triggered, its
//! line is high. While it is resident in a list register, that register has its pending and active state; `Residence`
//! remembers what is needed to tell whether that pending state is still wanted.

use super::list_register;
use crate::version::GicVersion;

/// Priority bits that exist, as in a core with five of them (ICH_VTR_EL2.PRIbits is at least 4).
pub const PRIORITY_MASK: u8 = 0xf8;

/// What is known of interrupts that sit in list registers. All words are zero for those that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residence {
    /// Sits in a list register.
    pub held: u32,
    /// The pending state in the list register came from the latch; else it follows the line.
    pub latch: u32,
    /// The guest has asked for deactivation (ICACTIVER).
    pub deactivate: u32,
    /// The physical interrupt of the same number is active. If the list register is linked, it ends with the virtual
    /// one, else it is ours to deactivate.
    pub physical: u32,
}

impl Residence {
    /// Nothing sits in a list register.
    pub const NONE: Self = Self { held: 0, latch: 0, deactivate: 0, physical: 0 };
}

/// Thirty-two interrupts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    /// Group 1; else group 0.
    pub group: u32,
    /// Enabled.
    pub enabled: u32,
    /// Edge-triggered; else level-triggered.
    pub edge: u32,
    /// Level of the line.
    pub line: u32,
    /// An edge was seen, or software set it pending.
    pub latch: u32,
    /// Active, and not in a list register.
    pub active: u32,
    /// The physical interrupt of the same number is active and waits in the latch.
    pub physical: u32,
    /// Priority, lower is more urgent; only the bits of [`PRIORITY_MASK`].
    pub priority: [u8; 32],
    /// The part of the state that list registers have.
    pub lr: Residence,
}

impl Bank {
    /// A bank out of reset; `edge` says which interrupts are edge-triggered.
    pub const fn new(version: GicVersion, edge: u32) -> Self {
        Self {
            group: match version {
                GicVersion::V2 => 0,
                GicVersion::V3 => u32::MAX,
            },
            enabled: 0,
            edge,
            line: 0,
            latch: 0,
            active: 0,
            physical: 0,
            priority: [0; 32],
            lr: Residence::NONE,
        }
    }

    /// Interrupts that are pending in the model.
    #[inline]
    pub const fn pending(&self) -> u32 {
        self.latch | (self.line & !self.edge)
    }

    /// Interrupts that may be presented to the guest when they are pending.
    #[inline]
    pub const fn allowed(&self, control: u32) -> u32 {
        self.enabled & enabled_groups(control, self.group) & !self.active
    }

    /// Interrupts that wait for a list register.
    #[inline]
    pub const fn deliverable(&self, control: u32) -> u32 {
        self.deliverable_behind(0, control)
    }

    /// [`deliverable`](Self::deliverable) when those that have `ended` have left their list registers.
    #[inline]
    pub const fn deliverable_behind(&self, ended: u32, control: u32) -> u32 {
        self.pending() & self.allowed(control) & (!self.lr.held | ended)
    }

    /// Priority of interrupt `n` (modulo 32).
    #[inline]
    pub const fn priority(&self, n: u32) -> u8 {
        self.priority[(n & 31) as usize]
    }

    /// The most urgent of `candidates` and its priority: lowest number among equals.
    #[inline]
    pub fn most_urgent(&self, candidates: u32) -> Option<(u8, u32)> {
        let mut left = candidates;
        let mut best = None;
        while left != 0 {
            let n = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            let priority = self.priority(n);
            if best.is_none_or(|(least, _)| priority < least) {
                best = Some((priority, n));
            }
        }
        best
    }

    /// Takes in private interrupts that were sent or raised; those in `physical` have a physical one behind them.
    #[inline]
    pub fn receive(&mut self, incoming: u32, physical: u32) {
        self.latch |= incoming;
        self.physical |= incoming & physical;
    }

    /// Moves interrupt `n` (number `intid`) into a list register as pending and returns the register's value.
    #[inline(always)]
    pub fn load(&mut self, n: u32, intid: u32) -> u64 {
        let bit = 1 << (n & 31);
        self.lr.held |= bit;
        self.hand_over(bit);
        self.encode(n, intid)
    }

    /// Interrupts that have `ended` [leave](Self::forget) their list registers, and in their place interrupt `n` (number `intid`)
    /// is [moved](Self::load) into one. None of them has a physical one behind it.
    #[inline(always)]
    pub fn succeed(&mut self, ended: u32, n: u32, intid: u32) -> u64 {
        let bit = 1 << (n & 31);
        self.lr.held = self.lr.held & !ended | bit;
        self.lr.latch = self.lr.latch & !ended | self.latch & bit;
        self.lr.deactivate &= !ended;
        self.latch &= !bit;
        self.encode_own(n, intid)
    }

    /// The list register of interrupt `bit` takes over what made it pending here.
    #[inline(always)]
    pub fn hand_over(&mut self, bit: u32) {
        self.lr.latch |= self.latch & bit;
        self.lr.physical |= self.physical & bit;
        self.latch &= !bit;
        self.physical &= !bit;
    }

    /// SGI `n` sits in a list register as pending for one sender; whether `others` wait is what its latch says from now on
    /// (GICv2). Returns the bit by which the end of the first is reported, if they do.
    pub fn await_others(&mut self, n: u32, others: bool) -> u64 {
        let bit = 1 << (n & 31);
        self.latch = if others { self.latch | bit } else { self.latch & !bit };
        if others { list_register::EOI } else { 0 }
    }

    /// The value of a list register that has interrupt `n` pending.
    #[inline(always)]
    pub fn encode(&self, n: u32, intid: u32) -> u64 {
        if self.lr.physical & 1 << (n & 31) != 0 {
            self.pending_value(n, intid) | list_register::linked(intid)
        } else {
            self.encode_own(n, intid)
        }
    }

    /// [`encode`](Self::encode) of one that has no physical one behind it.
    #[inline(always)]
    fn encode_own(&self, n: u32, intid: u32) -> u64 {
        // A line that is still high at the end has to be presented again.
        let end = if self.edge & 1 << (n & 31) == 0 { list_register::EOI } else { 0 };
        self.pending_value(n, intid) | end
    }

    /// A list register's value of interrupt `n` as pending, whatever is behind it.
    #[inline(always)]
    fn pending_value(&self, n: u32, intid: u32) -> u64 {
        list_register::pending(intid, self.priority(n), self.group & 1 << (n & 31) != 0)
    }

    /// Takes interrupt `bit`, pending and not active, back out of its list register.
    #[inline]
    pub fn unload(&mut self, bit: u32) {
        self.latch |= self.lr.latch & bit;
        self.physical |= self.lr.physical & bit;
        self.forget(bit);
    }

    /// Interrupt `bit` has left its list register, nothing of it is left to be delivered.
    #[inline]
    pub fn forget(&mut self, bit: u32) {
        self.lr.held &= !bit;
        self.lr.latch &= !bit;
        self.lr.deactivate &= !bit;
        self.lr.physical &= !bit;
    }

    /// Sets or clears the line of interrupt `bit`. Returns the interrupts for which that changes what is to be
    /// presented.
    pub fn set_line(&mut self, bit: u32, level: bool) -> u32 {
        let before = self.line;
        self.line = if level { before | bit } else { before & !bit };
        let changed = before ^ self.line;
        if level {
            self.latch |= changed & self.edge;
            // A level-triggered one in a list register is looked at again when the guest ends it (EOI maintenance).
            changed & (self.edge | !self.lr.held)
        } else {
            changed & !self.edge & self.lr.held
        }
    }

    /// Drops what is pending or active; what the guest has configured stays.
    pub fn drop_state(&mut self) {
        self.latch = 0;
        self.active = 0;
        self.physical = 0;
        self.lr = Residence::NONE;
    }
}

/// The mask of interrupts whose group `control` (GICD_CTLR) enables, for a bank with these groups.
#[inline]
pub const fn enabled_groups(control: u32, group: u32) -> u32 {
    let group_0 = 0u32.wrapping_sub(control & 1);
    let group_1 = 0u32.wrapping_sub((control >> 1) & 1);
    (group & group_1) | (!group & group_0)
}
