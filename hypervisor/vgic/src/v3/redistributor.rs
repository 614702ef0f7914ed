//! A GICv3 redistributor's two register frames of 64 KiB: RD_base and SGI_base (IHI 0069, sections 12.10 and 12.11).
//!
//! GICR_WAKER behaves as if the handshake with the core took no time. A redistributor that is asleep still delivers, as
//! that of QEMU's `virt` machine does. For pending and active see the distributor: exact on the frame's own core.

use crate::fields::{GICR_TYPER, GICR_WAKER};
use crate::list_register::ListRegisters;
use crate::private::PrivateWrite;
use crate::registers;
use crate::{Vgic, identification};

/// Offset of SGI_base.
const SGI_BASE: u64 = 0x1_0000;
const IIDR: u64 = 0x4;
const TYPER: u64 = 0x8;
const TYPER_HIGH: u64 = 0xc;
const WAKER: u64 = 0x14;

impl Vgic {
    /// Reads `size` bytes at `offset` (0 to 0x1_ffff) of the redistributor of vCPU `frame` as vCPU `vcpu`, on its core.
    pub fn read_redistributor(
        &self,
        vcpu: usize,
        frame: usize,
        offset: u64,
        size: u8,
        lrs: &impl ListRegisters,
    ) -> u64 {
        let Some(owner) = self.vcpu(frame) else { return 0 };
        if offset >= SGI_BASE {
            let Some((register, 0)) = registers::decode(offset - SGI_BASE, size) else { return 0 };
            return owner.read_private(register, frame == vcpu, lrs);
        }
        match (offset, size) {
            (IIDR, 4) => identification::IIDR,
            (TYPER, 8) => self.redistributor_type(frame),
            (TYPER, 4) => self.redistributor_type(frame) & 0xffff_ffff,
            (TYPER_HIGH, 4) => self.redistributor_type(frame) >> 32,
            (WAKER, 4) if owner.state.lock().asleep => {
                (GICR_WAKER::ProcessorSleep::SET + GICR_WAKER::ChildrenAsleep::SET).value
            }
            (identification::FIRST..=0xffff, 4) if offset & 3 == 0 => identification::read(offset),
            _ => 0,
        }
    }

    /// Writes `size` bytes at `offset` (0 to 0x1_ffff) of the redistributor of vCPU `frame` as vCPU `vcpu`.
    pub fn write_redistributor(&self, vcpu: usize, frame: usize, offset: u64, size: u8, value: u64) -> PrivateWrite {
        let Some(owner) = self.vcpu(frame) else { return PrivateWrite::default() };
        if offset < SGI_BASE {
            if (offset, size) == (WAKER, 4) {
                owner.state.lock().asleep = GICR_WAKER::ProcessorSleep.is_set(value);
            }
            return PrivateWrite::default();
        }
        let Some((register, 0)) = registers::decode(offset - SGI_BASE, size) else { return PrivateWrite::default() };
        self.write_private(owner, vcpu, frame, register, value)
    }

    /// GICR_TYPER: affinity 0.0.0.n, no LPIs.
    fn redistributor_type(&self, frame: usize) -> u64 {
        let n = frame as u64;
        let last = GICR_TYPER::Last.val((frame == self.count.wrapping_sub(1)).into());
        (GICR_TYPER::AffinityValue.val(n) + GICR_TYPER::ProcessorNumber.val(n) + last).value
    }
}
