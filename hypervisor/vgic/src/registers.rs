//! The registers that the distributor and the redistributors' SGI frames have in common: at the same offsets, with the
//! same meaning, for one bank of 32 interrupts each (IHI 0069, sections 12.9 and 12.11).

use super::model::{Bank, PRIORITY_MASK};

/// A register of one bank.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Register {
    /// IGROUPR.
    Group,
    /// ISENABLER.
    SetEnable,
    /// ICENABLER.
    ClearEnable,
    /// ISPENDR.
    SetPending,
    /// ICPENDR.
    ClearPending,
    /// ISACTIVER.
    SetActive,
    /// ICACTIVER.
    ClearActive,
    /// IPRIORITYR: the interrupts of this access, the first and how many.
    Priority(u32, u32),
    /// ICFGR: the first of 16 interrupts.
    Config(u32),
}

impl Register {
    /// Shows whether interrupts are pending or active.
    pub const fn has_state(self) -> bool {
        matches!(self, Self::SetPending | Self::ClearPending | Self::SetActive | Self::ClearActive)
    }
}

/// The register at `offset` of a frame and its bank, counted from INTID 0. `None` where there is none or where the
/// access has a size (bytes) or alignment that the register does not allow: such accesses read as zero and are ignored.
#[inline]
pub const fn decode(offset: u64, size: u8) -> Option<(Register, usize)> {
    let word = size == 4 && offset & 3 == 0;
    let bank = (offset & 0x7f) as usize >> 2;
    Some(match offset >> 7 {
        1 if word => (Register::Group, bank),
        2 if word => (Register::SetEnable, bank),
        3 if word => (Register::ClearEnable, bank),
        4 if word => (Register::SetPending, bank),
        5 if word => (Register::ClearPending, bank),
        6 if word => (Register::SetActive, bank),
        7 if word => (Register::ClearActive, bank),
        8..=15 if word || size == 1 => {
            (Register::Priority((offset & 31) as u32, size as u32), (offset & 0x3ff) as usize >> 5)
        }
        24 | 25 if word => (Register::Config((offset & 4) as u32 * 4), (offset & 0xff) as usize >> 3),
        _ => return None,
    })
}

impl Bank {
    /// Reads a register; `resident` are the interrupts that are pending and that are active in list registers.
    pub fn read(&self, register: Register, resident: (u32, u32)) -> u64 {
        match register {
            Register::Group => self.group.into(),
            Register::SetEnable | Register::ClearEnable => self.enabled.into(),
            Register::SetPending | Register::ClearPending => (self.pending() | (resident.0 & self.lr.held)).into(),
            Register::SetActive | Register::ClearActive => {
                (self.active | (resident.1 & self.lr.held & !self.lr.deactivate)).into()
            }
            Register::Priority(first, count) => {
                let word = first & !3;
                let bytes = [0, 1, 2, 3].map(|n| self.priority(word | n));
                let value = u32::from_le_bytes(bytes) >> (first % 4 * 8);
                u64::from(if count == 1 { value & 0xff } else { value })
            }
            Register::Config(first) => u64::from(spread(self.edge.wrapping_shr(first))) << 1,
        }
    }

    /// Writes a register; trigger modes of the interrupts in `fixed` do not change. Returns the interrupts for which
    /// something may have to be presented differently.
    pub fn write(&mut self, register: Register, value: u64, fixed: u32) -> u32 {
        let bits = value as u32;
        match register {
            Register::Group => replace(&mut self.group, u32::MAX, bits),
            Register::SetEnable => replace(&mut self.enabled, bits, u32::MAX),
            Register::ClearEnable => replace(&mut self.enabled, bits, 0),
            Register::SetPending => {
                self.latch |= bits;
                bits
            }
            Register::ClearPending => {
                // The line of a physical interrupt that is held keeps the virtual one pending.
                self.latch &= !bits | self.physical;
                self.lr.latch &= !bits | self.lr.physical;
                bits
            }
            Register::SetActive => {
                self.active |= bits;
                bits
            }
            Register::ClearActive => {
                self.active &= !bits;
                self.lr.deactivate |= bits & self.lr.held;
                bits
            }
            Register::Priority(first, count) => {
                let (mut changed, mut n) = (0, first & 31);
                for byte in value.to_le_bytes().into_iter().take(count as usize) {
                    let priority = &mut self.priority[n as usize];
                    changed |= if *priority == byte & PRIORITY_MASK { 0 } else { 1 << n };
                    *priority = byte & PRIORITY_MASK;
                    n = (n + 1) & 31;
                }
                changed
            }
            Register::Config(first) => {
                let sixteen = 0xffffu32.wrapping_shl(first) & !fixed;
                let edge = gather(bits >> 1).wrapping_shl(first);
                replace(&mut self.edge, sixteen, edge)
            }
        }
    }
}

/// Stores the bits `value` of a word in the places of `mask` and returns what changed.
#[inline]
fn replace(word: &mut u32, mask: u32, value: u32) -> u32 {
    let changed = (*word ^ value) & mask;
    *word ^= changed;
    changed
}

/// Moves bit n (0 to 15) to bit 2n.
const fn spread(bits: u32) -> u32 {
    let mut word = bits & 0xffff;
    word = (word | word << 8) & 0x00ff_00ff;
    word = (word | word << 4) & 0x0f0f_0f0f;
    word = (word | word << 2) & 0x3333_3333;
    (word | word << 1) & 0x5555_5555
}

/// Moves bit 2n (0 to 30) to bit n.
const fn gather(bits: u32) -> u32 {
    let mut word = bits & 0x5555_5555;
    word = (word | word >> 1) & 0x3333_3333;
    word = (word | word >> 2) & 0x0f0f_0f0f;
    word = (word | word >> 4) & 0x00ff_00ff;
    (word | word >> 8) & 0xffff
}
