//! The GICv2 distributor's register frame (IHI 0048, section 4.3). It is 4 KiB long; what the guest's map has beyond that
//! reads as zero.
//!
//! Registers of INTID 0 to 31 are banked: each vCPU reaches its own. What the distributor's GICv3 form says of pending and
//! active holds here too. GICD_NSACRn and the registers that a GIC implements as it likes read as zero.

use core::sync::atomic::Ordering;

use crate::fields::{GICD_TYPER, GROUP_ENABLES};
use crate::list_register::ListRegisters;
use crate::private::PrivateWrite;
use crate::registers::{self, Register};
use crate::spis::{INTIDS, SPIS};
use crate::vcpu::SGIS;
use crate::{VcpuSet, Vgic, identification};

const CTLR: u64 = 0x0;
const TYPER: u64 = 0x4;
const IIDR: u64 = 0x8;
const ITARGETSR: u64 = 0x800;
const ITARGETSR_LAST: u64 = 0xbff;
const SGIR: u64 = 0xf00;
const CPENDSGIR: u64 = 0xf10;
const CPENDSGIR_LAST: u64 = 0xf1f;
const SPENDSGIR: u64 = 0xf20;
const SPENDSGIR_LAST: u64 = 0xf2f;
/// The identification registers end with the frame.
const IDENTIFICATION: u64 = 0xfd0;
const LAST: u64 = 0xfff;

impl Vgic {
    /// Reads `size` bytes at `offset` of a GICv2's distributor as vCPU `vcpu`, on its core.
    pub fn read_gicv2_distributor(&self, vcpu: usize, offset: u64, size: u8, lrs: &impl ListRegisters) -> u64 {
        match (offset, size) {
            (CTLR, 4) => return self.control.load(Ordering::Relaxed).into(),
            // No Security Extensions.
            (TYPER, 4) => {
                let cpus = GICD_TYPER::CPUNumber.val((self.count as u32).wrapping_sub(1));
                return (cpus + GICD_TYPER::ITLinesNumber.val(INTIDS as u32 / 32 - 1)).value.into();
            }
            _ => {}
        }
        match registers::decode(offset, size) {
            Some((register, 0)) => return self.read_banked(vcpu, register, lrs),
            Some((register, bank)) => return self.read_spis(vcpu, bank, register, lrs),
            None => {}
        }
        match offset {
            IIDR if size == 4 => identification::IIDR,
            ITARGETSR..=ITARGETSR_LAST if bytes(offset, size) => self.read_targets(vcpu, offset - ITARGETSR, size),
            CPENDSGIR..=CPENDSGIR_LAST | SPENDSGIR..=SPENDSGIR_LAST if bytes(offset, size) => {
                self.read_sources(vcpu, offset as u32 & 15, size, lrs)
            }
            IDENTIFICATION..=LAST if size == 4 && offset & 3 == 0 => identification::read_v2(offset),
            _ => 0,
        }
    }

    /// Writes `size` bytes at `offset` of a GICv2's distributor as vCPU `vcpu`, on its core.
    pub fn write_gicv2_distributor(&self, vcpu: usize, offset: u64, size: u8, value: u64) -> PrivateWrite {
        let kick = match registers::decode(offset, size) {
            Some((register, 0)) => return self.write_banked(vcpu, register, value),
            Some((register, bank)) => self.write_spis(bank, register, value),
            None => match offset {
                CTLR if size == 4 => self.write_control(value as u32 & GROUP_ENABLES),
                SGIR if size == 4 => self.write_sgir(vcpu, value as u32),
                ITARGETSR..=ITARGETSR_LAST => self.write_targets(offset, size, value),
                CPENDSGIR..=CPENDSGIR_LAST | SPENDSGIR..=SPENDSGIR_LAST if bytes(offset, size) => {
                    self.write_sources(vcpu, offset as u32 & 15, size, value, offset >= SPENDSGIR);
                    VcpuSet::EMPTY
                }
                _ => VcpuSet::EMPTY,
            },
        };
        PrivateWrite { kick: kick.without(vcpu), ..PrivateWrite::default() }
    }

    fn read_banked(&self, vcpu: usize, register: Register, lrs: &impl ListRegisters) -> u64 {
        let Some(owner) = self.vcpu(vcpu) else { return 0 };
        let value = owner.read_private(register, true, lrs);
        match register {
            // Whether an SGI is pending is for its senders to say.
            Register::SetPending | Register::ClearPending => {
                value & !u64::from(SGIS) | u64::from(self.pending_sgis(vcpu, lrs))
            }
            _ => value,
        }
    }

    fn write_banked(&self, vcpu: usize, register: Register, value: u64) -> PrivateWrite {
        let Some(owner) = self.vcpu(vcpu) else { return PrivateWrite::default() };
        let value = match register {
            // SGIs are always enabled. They become pending by their own registers (sections 4.3.7 and 4.3.8).
            Register::ClearEnable | Register::SetPending | Register::ClearPending => value & !u64::from(SGIS),
            _ => value,
        };
        self.write_private(owner, vcpu, vcpu, register, value)
    }

    /// GICD_ITARGETSRn, from the byte of INTID `first` on. With one vCPU it reads as zero (section 4.3.12).
    fn read_targets(&self, vcpu: usize, first: u64, size: u8) -> u64 {
        if self.count == 1 {
            return 0;
        }
        let own = 1u8.wrapping_shl(vcpu as u32);
        let spis = self.spis.lock();
        (0..u64::from(size)).fold(0, |value, n| {
            let targets = match spi(first.wrapping_add(n)) {
                None => own,
                Some(index) => spis.targets(index),
            };
            value | u64::from(targets) << (n * 8)
        })
    }

    /// Writes `size` bytes at `offset` of the distributor if that is GICD_ITARGETSRn; anything else has no effect. Returns the
    /// vCPUs that must look.
    #[inline(never)]
    pub fn write_targets(&self, offset: u64, size: u8, value: u64) -> VcpuSet {
        let mut kick = VcpuSet::EMPTY;
        if self.count == 1 || !matches!(offset, ITARGETSR..=ITARGETSR_LAST) || !bytes(offset, size) {
            return kick;
        }
        let first = offset - ITARGETSR;
        let mut spis = self.spis.lock();
        for n in 0..u64::from(size) {
            let Some(index) = spi(first.wrapping_add(n)).filter(|&index| index < SPIS) else { continue };
            let targets = (value >> (n * 8)) as u8 & self.present as u8;
            if targets != spis.targets(index) {
                spis.set_targets(index, targets);
                kick.extend(self.notify_spis(&spis, index >> 5, 1 << (index & 31)));
            }
        }
        kick
    }
}

/// The number of an SPI, counted from INTID 32.
fn spi(intid: u64) -> Option<usize> {
    intid.checked_sub(32).map(|index| index as usize)
}

/// Whether the access is one that byte-accessible registers allow (section 4.1.4).
const fn bytes(offset: u64, size: u8) -> bool {
    size == 1 || size == 4 && offset & 3 == 0
}
