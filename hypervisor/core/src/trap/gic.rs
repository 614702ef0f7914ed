//! The frames of the virtual GIC, which are matched before any other device: guests use them all the time.

use portcullis_abi::map;
use portcullis_arch::timer;
use portcullis_devices::Frame as Addresses;
use portcullis_vgic::GicVersion;

use crate::cpu::gic::Interface;
use crate::vm::Vcpu;

/// Offset of GICD_ISPENDR0 in a GICv2's distributor, and of GICR_ISPENDR0 in a redistributor's SGI frame.
const SET_PENDING: u64 = 0x200;
/// The same of ICPENDR0.
const CLEAR_PENDING: u64 = 0x280;
/// Offset of a redistributor's SGI frame.
const SGI_BASE: u64 = 0x1_0000;
/// The above in a redistributor.
const GICR_SET_PENDING: u64 = SGI_BASE + SET_PENDING;
/// The above in a redistributor.
const GICR_CLEAR_PENDING: u64 = SGI_BASE + CLEAR_PENDING;

/// Offset of GICD_ITARGETSR0 in a GICv2's distributor, and the size of these registers.
const GICD_ITARGETSR: u64 = 0x800;
const GICD_ITARGETSR_SIZE: u64 = 0x400;
/// Offset of GICD_IROUTER0 in a GICv3's.
const GICD_IROUTER: u64 = 0x6000;

/// The distributor's addresses.
const DISTRIBUTOR: Addresses = Addresses { start: map::GICD, size: map::GICD_SIZE };

/// A frame of the virtual GIC, and the offset into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The distributor.
    Distributor(u64),
    /// A vCPU's redistributor.
    Redistributor(usize, u64),
}

impl Frame {
    /// The frame at an address of a guest with so many vCPUs.
    #[inline(always)]
    pub fn at<G: Interface>(address: u64, vcpus: usize) -> Option<Self> {
        if let Some(offset) = DISTRIBUTOR.offset(address) {
            return Some(Self::Distributor(offset));
        }
        if G::VERSION == GicVersion::V2 {
            return None;
        }
        let redistributors = Addresses { start: map::GICR, size: map::GICR_STRIDE * vcpus as u64 };
        let offset = redistributors.offset(address)?;
        Some(Self::Redistributor((offset / map::GICR_STRIDE) as usize, offset % map::GICR_STRIDE))
    }

    /// Reads `size` bytes, as the vCPU given.
    #[inline(always)]
    pub fn read<G: Interface>(self, vcpu: &'static Vcpu, size: u8) -> u64 {
        let (vm, index) = (vcpu.vm, vcpu.index);
        match self {
            Self::Distributor(offset) if G::VERSION == GicVersion::V2 => {
                let value = vm.vgic.read_gicv2_distributor(index, offset, size, &G::here());
                if size == 4 && matches!(offset, SET_PENDING | CLEAR_PENDING) { with_lines(value) } else { value }
            }
            Self::Distributor(offset) => vm.vgic.read_distributor(index, offset, size, &G::here()),
            Self::Redistributor(frame, offset) => {
                let value = vm.vgic.read_redistributor(index, frame, offset, size, &G::here());
                if frame == index && matches!(offset, GICR_SET_PENDING | GICR_CLEAR_PENDING) {
                    with_lines(value)
                } else {
                    value
                }
            }
        }
    }

    /// Writes `size` bytes, as the vCPU given.
    #[inline(always)]
    pub fn write<G: Interface>(self, vcpu: &'static Vcpu, size: u8, value: u64) {
        match self {
            Self::Distributor(offset) if is_route::<G>(offset) => write_route::<G>(vcpu, offset, size, value),
            _ => self.write_other::<G>(vcpu, size, value),
        }
    }

    #[inline(always)]
    fn write_other<G: Interface>(self, vcpu: &'static Vcpu, size: u8, value: u64) {
        let (vm, index) = (vcpu.vm, vcpu.index);
        let (owner, write) = match self {
            Self::Distributor(offset) if G::VERSION == GicVersion::V2 => {
                (index, vm.vgic.write_gicv2_distributor(index, offset, size, value))
            }
            Self::Distributor(offset) => {
                return vm.kicks.send_by::<G>(vm.vgic.write_distributor(index, offset, size, value));
            }
            Self::Redistributor(frame, offset) => {
                (frame, vm.vgic.write_redistributor(index, frame, offset, size, value))
            }
        };
        vm.kicks.send_by::<G>(write.kick);
        if write.enabled | write.disabled != 0
            && let Some(owner) = vm.vcpus().get(owner)
        {
            owner.enable_linked(write.enabled, true);
            owner.enable_linked(write.disabled, false);
        }
    }
}

/// Whether a register of the distributor says where an SPI goes: GICD_ITARGETSRn of a GICv2, else GICD_IROUTERn, the last ones
/// that can be written.
#[inline(always)]
const fn is_route<G: Interface>(offset: u64) -> bool {
    match G::VERSION {
        GicVersion::V2 => offset.wrapping_sub(GICD_ITARGETSR) < GICD_ITARGETSR_SIZE,
        GicVersion::V3 => offset >= GICD_IROUTER,
    }
}

/// A guest sends an SPI elsewhere: that of a device which it drives itself follows.
#[inline(never)]
fn write_route<G: Interface>(vcpu: &'static Vcpu, offset: u64, size: u8, value: u64) {
    let kick = match G::VERSION {
        GicVersion::V2 => vcpu.vm.vgic.write_targets(offset, size, value),
        GicVersion::V3 => vcpu.vm.vgic.write_route(offset, size, value),
    };
    vcpu.vm.kicks.send_by::<G>(kick.without(vcpu.index));
    vcpu.vm.follow_routes();
}

/// Pending interrupts of the reading vCPU, and its timers' lines: a timer that the guest has disabled is disabled physically,
/// so its line is seen here only.
fn with_lines(pending: u64) -> u64 {
    pending | u64::from(timer::guest_lines())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{gic_v2::V2, gic_v3::V3};

    #[test]
    fn addresses_lead_to_their_device() {
        assert_eq!(Frame::at::<V3>(map::GICD + 4, 1), Some(Frame::Distributor(4)));
        assert_eq!(Frame::at::<V3>(map::GICR + 0x2_0008, 2), Some(Frame::Redistributor(1, 8)));
        assert_eq!(Frame::at::<V3>(map::GICR + 0x2_0008, 1), None);
        assert_eq!(Frame::at::<V3>(0, 8), None);
    }

    #[test]
    fn a_gicv2_has_no_redistributors() {
        assert_eq!(Frame::at::<V2>(map::GICD + 4, 1), Some(Frame::Distributor(4)));
        assert_eq!(Frame::at::<V2>(map::GICR + 8, 1), None);
        // Its CPU interface is mapped; what comes here lies beyond it.
        assert_eq!(Frame::at::<V2>(map::GICC + map::GICC_SIZE, 1), None);
    }
}
