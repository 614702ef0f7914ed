//! Software generated interrupts of GICv2: GICD_SGIR, GICD_CPENDSGIRn and GICD_SPENDSGIRn (IHI 0048, sections 4.3.13 to
//! 4.3.15).

use crate::fields::GICD_SGIR;
use crate::list_register::{self, ListRegisters, State};
use crate::slots::Bits;
use crate::vcpu::{PRIVATE, SGIS};
use crate::{VcpuSet, Vgic};

impl Vgic {
    /// Sends an SGI as vCPU `from` by a write of `value` to GICD_SGIR. Returns the other vCPUs to kick; the sender's core
    /// looks anyway.
    #[inline]
    pub fn write_sgir(&self, from: usize, value: u32) -> VcpuSet {
        let own = 1u32.wrapping_shl(from as u32);
        let mut targets = self.present
            & match GICD_SGIR::TargetListFilter.read_as_enum(value) {
                Some(GICD_SGIR::TargetListFilter::Value::Listed) => GICD_SGIR::CPUTargetList.read(value),
                Some(GICD_SGIR::TargetListFilter::Value::Others) => !own,
                Some(GICD_SGIR::TargetListFilter::Value::Own) => own,
                None => 0,
            };
        let sgi = GICD_SGIR::INTID.read(value);
        let mut kick = VcpuSet::EMPTY;
        while targets != 0 {
            let index = targets.trailing_zeros() as usize;
            targets &= targets.wrapping_sub(1);
            self.sources(index).add(sgi, own as u8);
            if let Some(vcpu) = self.vcpus.get(index)
                && vcpu.notify(1 << sgi)
                && index != from
            {
                kick.insert(index);
            }
        }
        kick
    }

    /// The SGIs that are pending for a vCPU, on its core, for any sender.
    pub(crate) fn pending_sgis(&self, vcpu: usize, lrs: &impl ListRegisters) -> u32 {
        let resident = self.vcpu(vcpu).map_or(0, |this| this.state.lock().slots.states(0, |n| lrs.read(n)).0);
        self.sources(vcpu).pending() | resident & SGIS
    }

    /// Reads `size` bytes of GICD_CPENDSGIRn or GICD_SPENDSGIRn, from the byte of SGI `first` on, as vCPU `vcpu` on its core.
    pub(crate) fn read_sources(&self, vcpu: usize, first: u32, size: u8, lrs: &impl ListRegisters) -> u64 {
        let Some(this) = self.vcpu(vcpu) else { return 0 };
        let state = this.state.lock();
        let mut value = 0;
        for n in 0..u32::from(size.min(4)) {
            let sgi = first.wrapping_add(n) & 15;
            let resident =
                Bits(state.slots.used).filter(|&slot| state.slots.intid(slot) == sgi).map(|slot| lrs.read(slot));
            let in_list_registers = resident
                .filter(|&value| State::of(value).is_pending())
                .fold(0, |senders, value| senders | 1u8 << list_register::source(value));
            value |= u64::from(self.sources(vcpu).of(sgi) | in_list_registers) << (n * 8);
        }
        value
    }

    /// Writes to GICD_SPENDSGIRn (`set`) or GICD_CPENDSGIRn as vCPU `vcpu` on its core: `size` bytes, from the byte of SGI
    /// `first` on.
    pub(crate) fn write_sources(&self, vcpu: usize, first: u32, size: u8, value: u64, set: bool) {
        let Some(this) = self.vcpu(vcpu) else { return };
        let mut state = this.state.lock();
        for n in 0..u32::from(size.min(4)) {
            let sgi = first.wrapping_add(n) & 15;
            let senders = (value >> (n * 8)) as u8 & self.present as u8;
            if set {
                self.sources(vcpu).add(sgi, senders);
                continue;
            }
            self.sources(vcpu).remove(sgi, senders);
            // One that waits in a list register goes with the next flush.
            let mut slots = Bits(state.slots.used).filter(|&slot| state.slots.intid(slot) == sgi);
            if slots.any(|slot| senders >> list_register::source(state.slots.value(slot)) & 1 != 0) {
                state.bank.lr.latch &= !1u32.wrapping_shl(sgi);
            }
        }
        // On its own core: it looks before it goes on.
        let _ = this.notify(PRIVATE);
    }
}
