//! The GICv3 distributor's register frame, 64 KiB (IHI 0069, section 12.9).
//!
//! With affinity routing on, the registers of INTID 0 to 31 are in the redistributors and read as zero here, as do
//! those of the legacy GICv2 view. 1-of-N routing is not offered (GICD_TYPER.No1N), so IROUTER.IRM reads as zero.
//!
//! Pending and active reads are exact for interrupts in the list registers of the reading vCPU's core. Of those in
//! another core's, they show what that core saw at its last flush, and writes take effect when the kicked core gets
//! there.

use core::sync::atomic::Ordering;

use crate::fields::{GICD_CTLR, GICD_TYPER, GROUP_ENABLES};
use crate::identification;
use crate::list_register::ListRegisters;
use crate::registers::{self, Register};
use crate::spis::{INTIDS, SPIS};
use crate::{VcpuSet, Vgic};

const CTLR: u64 = 0x0;
const TYPER: u64 = 0x4;
const IIDR: u64 = 0x8;
const IROUTER: u64 = 0x6000;
/// IROUTER of INTID 32, the first that exists.
const IROUTER_FIRST: u64 = IROUTER + 32 * 8;
const IROUTER_LAST: u64 = IROUTER + INTIDS as u64 * 8 - 1;

/// What is fixed at one in GICD_CTLR.
const ARE_DS: u32 = GICD_CTLR::ARE::SET.value | GICD_CTLR::DS::SET.value;
/// GICD_TYPER: INTIDs of 10 bits. One Security state, no LPIs, no message-based SPIs.
const TYPER_VALUE: u32 = GICD_TYPER::No1N::SET.value
    | GICD_TYPER::A3V::SET.value
    | GICD_TYPER::IDbits.val(9).value
    | GICD_TYPER::ITLinesNumber.val(INTIDS as u32 / 32 - 1).value;

impl Vgic {
    /// Reads `size` bytes at `offset` of the distributor as vCPU `vcpu`, on its core.
    pub fn read_distributor(&self, vcpu: usize, offset: u64, size: u8, lrs: &impl ListRegisters) -> u64 {
        // Before anything that takes a lock.
        match (offset, size) {
            (CTLR, 4) => return (self.control.load(Ordering::Relaxed) | ARE_DS).into(),
            (TYPER, 4) => return TYPER_VALUE.into(),
            _ => {}
        }
        if let Some((register, bank)) = registers::decode(offset, size) {
            return self.read_spis(vcpu, bank, register, lrs);
        }
        match (offset, size) {
            (IIDR, 4) => identification::IIDR,
            (IROUTER_FIRST..=IROUTER_LAST, 4 | 8) => self.read_route(offset, size),
            (identification::FIRST..=0xffff, 4) if offset & 3 == 0 => identification::read(offset),
            _ => 0,
        }
    }

    /// Writes `size` bytes at `offset` of the distributor as vCPU `vcpu`. Returns the other vCPUs to kick.
    pub fn write_distributor(&self, vcpu: usize, offset: u64, size: u8, value: u64) -> VcpuSet {
        let kick = if let Some((register, bank)) = registers::decode(offset, size) {
            self.write_spis(bank, register, value)
        } else {
            match (offset, size) {
                (CTLR, 4) => self.write_control(value as u32 & GROUP_ENABLES),
                _ => self.write_route(offset, size, value),
            }
        };
        kick.without(vcpu)
    }

    #[inline(never)]
    pub(crate) fn read_spis(&self, vcpu: usize, bank: usize, register: Register, lrs: &impl ListRegisters) -> u64 {
        // Bank 0 is private, so the SPIs' first one is 1.
        let Some(bank) = bank.checked_sub(1) else { return 0 };
        let resident = if register.has_state() { self.spis_in_list_registers(vcpu, bank, lrs) } else { (0, 0) };
        self.spis.lock().banks.get(bank).map_or(0, |bank| bank.read(register, resident))
    }

    #[inline(never)]
    pub(crate) fn write_spis(&self, bank: usize, register: Register, value: u64) -> VcpuSet {
        let Some(bank) = bank.checked_sub(1) else { return VcpuSet::EMPTY };
        let mut spis = self.spis.lock();
        let Some(state) = spis.banks.get_mut(bank) else { return VcpuSet::EMPTY };
        let changed = state.write(register, value, 0);
        self.notify_spis(&spis, bank, changed)
    }

    pub(crate) fn write_control(&self, groups: u32) -> VcpuSet {
        if self.control.swap(groups, Ordering::Relaxed) == groups { VcpuSet::EMPTY } else { self.notify_all() }
    }

    #[inline(never)]
    fn read_route(&self, offset: u64, size: u8) -> u64 {
        let Some((index, high)) = route_of(offset, size) else { return 0 };
        let affinity = u64::from(self.spis.lock().route(index));
        let value = (affinity & 0xff00_0000) << 8 | affinity & 0x00ff_ffff;
        if high { value >> 32 } else { value & if size == 4 { 0xffff_ffff } else { u64::MAX } }
    }

    /// Writes `size` bytes at `offset` of the distributor if that is GICD_IROUTERn; anything else has no effect. Returns the vCPUs
    /// that must look.
    #[inline(never)]
    pub fn write_route(&self, offset: u64, size: u8, value: u64) -> VcpuSet {
        let route = route_of(offset, size).filter(|_| matches!(size, 4 | 8));
        let Some((index, high)) = route else { return VcpuSet::EMPTY };
        let mut spis = self.spis.lock();
        let before = spis.route(index);
        let (upper, lower) = (value as u32 & 0xff, value as u32 & 0x00ff_ffff);
        let affinity = match (size, high) {
            (8, _) => ((value >> 32) as u32 & 0xff) << 24 | lower,
            (_, true) => upper << 24 | before & 0x00ff_ffff,
            (_, false) => before & 0xff00_0000 | lower,
        };
        if affinity == before {
            return VcpuSet::EMPTY;
        }
        spis.set_route(index, affinity);
        self.notify_spis(&spis, index >> 5, 1 << (index & 31))
    }
}

/// The SPI (counted from INTID 32) whose IROUTER is at `offset`, and whether the access is to its upper half.
fn route_of(offset: u64, size: u8) -> Option<(usize, bool)> {
    let index = (offset.checked_sub(IROUTER_FIRST)? >> 3) as usize;
    let aligned = offset & (u64::from(size).wrapping_sub(1)) == 0;
    (aligned && index < SPIS).then_some((index, offset & 4 != 0))
}
