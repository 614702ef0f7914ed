//! Data aborts: emulated devices, and what is none.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, context::Context, el2, timer, vectors::Next};
use portcullis_vgic::GicVersion;

use super::fault;
use crate::interface::Interface;
use crate::terminal::TERMINAL;
use crate::vm::{failure::Reason, vcpu::Vcpu};

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

/// A load or store of a guest that reached no memory, as ESR_ELx.ISS describes it (Arm ARM, D19.2.37, "ISS encoding for
/// an exception from a Data Abort").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Bytes: 1, 2, 4 or 8.
    pub size: u8,
    /// General register that is loaded or stored.
    pub register: u64,
    /// It is a store.
    pub write: bool,
    sign_extend: bool,
    wide: bool,
}

impl Access {
    /// None when the syndrome does not describe the instruction: pairs, write-back, cache maintenance, table walks.
    pub fn new(syndrome: u64) -> Option<Self> {
        const ISV: u64 = 1 << 24;
        const CM: u64 = 1 << 8;
        const S1PTW: u64 = 1 << 7;
        (syndrome & ISV != 0 && syndrome & (CM | S1PTW) == 0).then_some(Self {
            size: 1 << (syndrome >> 22 & 3),
            register: syndrome >> 16 & 0x1f,
            write: syndrome & 1 << 6 != 0,
            sign_extend: syndrome & 1 << 21 != 0,
            wide: syndrome & 1 << 15 != 0,
        })
    }

    /// What a load of `value` leaves in its register.
    pub fn extend(&self, value: u64) -> u64 {
        let shift = 64u32.saturating_sub(u32::from(self.size) * 8);
        let value = value << shift;
        let value = if self.sign_extend { (value.cast_signed() >> shift).cast_unsigned() } else { value >> shift };
        if self.wide { value } else { value & 0xffff_ffff }
    }

    /// What a store of its register's `value` puts on the bus.
    pub fn truncate(&self, value: u64) -> u64 {
        value & (u64::MAX >> 64u32.saturating_sub(u32::from(self.size) * 8))
    }
}

/// Whether an abort is a translation fault (ESR_ELx.xFSC 0b0001LL): then HPFAR_EL2 holds the address.
pub const fn is_translation_fault(syndrome: u64) -> bool {
    syndrome & 0b11_1100 == 0b00_0100
}

/// A guest's load or store reached no memory. Every way out is a call in tail position.
#[inline(always)]
pub fn data<G: Interface>(context: &mut Context, vcpu: &'static Vcpu, syndrome: u64) -> Next {
    // Only a translation fault says at which address (Arm ARM, HPFAR_EL2): a device is what is not mapped.
    if !is_translation_fault(syndrome) {
        return fault::stop(vcpu, Reason::Access, syndrome);
    }
    let address = el2::fault_ipa();
    match within(address, map::UART, map::UART_SIZE) {
        Some(offset) => uart(context, vcpu, syndrome, offset),
        None => gic::<G>(context, vcpu, syndrome, address),
    }
}

/// An access to the virtual GIC, or to nothing.
#[inline(never)]
fn gic<G: Interface>(context: &mut Context, vcpu: &'static Vcpu, syndrome: u64, address: u64) -> Next {
    let Some(frame) = Frame::at::<G>(address, vcpu.vm.vcpus().len()) else {
        return fault::stop(vcpu, Reason::Access, syndrome);
    };
    let Some(access) = Access::new(syndrome) else {
        return fault::stop(vcpu, Reason::Instruction, syndrome);
    };
    vcpu.account().exit(Exit::Gic);
    el2::set_return_address(el2::return_address().wrapping_add(4));
    if access.write {
        let value = access.truncate(context.register(access.register));
        frame.write::<G>(vcpu, access.size, value);
        vcpu.before_resume::<G>()
    } else {
        let value = frame.read::<G>(vcpu, access.size);
        context.set_register(access.register, access.extend(value));
        vcpu.before_resume_with::<G>(access.register)
    }
}

/// The UART is the same whatever the GIC is: it is there once.
#[inline(never)]
fn uart(context: &mut Context, vcpu: &'static Vcpu, syndrome: u64, offset: u64) -> Next {
    let Some(access) = Access::new(syndrome) else {
        return fault::stop(vcpu, Reason::Instruction, syndrome);
    };
    vcpu.account().exit(Exit::Uart);
    el2::set_return_address(el2::return_address().wrapping_add(4));
    if access.write {
        let value = access.truncate(context.register(access.register));
        TERMINAL.write_uart(vcpu.vm, offset, value);
        vcpu.before_resume_on_any()
    } else {
        let value = TERMINAL.read_uart(vcpu.vm, offset);
        context.set_register(access.register, access.extend(value));
        vcpu.before_resume_on_any_with(access.register)
    }
}

/// The offset of an address into a device's frame, if it is within.
const fn within(address: u64, start: u64, size: u64) -> Option<u64> {
    match address.checked_sub(start) {
        Some(offset) if offset < size => Some(offset),
        _ => None,
    }
}

/// A frame of the virtual GIC, and the offset into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Distributor(u64),
    Redistributor(usize, u64),
}

impl Frame {
    #[inline(always)]
    fn at<G: Interface>(address: u64, vcpus: usize) -> Option<Self> {
        if let Some(offset) = within(address, map::GICD, map::GICD_SIZE) {
            return Some(Self::Distributor(offset));
        }
        if G::VERSION == GicVersion::V2 {
            return None;
        }
        let offset = within(address, map::GICR, map::GICR_STRIDE * vcpus as u64)?;
        Some(Self::Redistributor((offset / map::GICR_STRIDE) as usize, offset % map::GICR_STRIDE))
    }

    #[inline(always)]
    fn read<G: Interface>(self, vcpu: &'static Vcpu, size: u8) -> u64 {
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

    #[inline(always)]
    fn write<G: Interface>(self, vcpu: &'static Vcpu, size: u8, value: u64) {
        let (vm, index) = (vcpu.vm, vcpu.index);
        let (owner, write) = match self {
            Self::Distributor(offset) if G::VERSION == GicVersion::V2 => {
                (index, vm.vgic.write_gicv2_distributor(index, offset, size, value))
            }
            Self::Distributor(offset) => {
                return vm.kick_by::<G>(vm.vgic.write_distributor(index, offset, size, value));
            }
            Self::Redistributor(frame, offset) => {
                (frame, vm.vgic.write_redistributor(index, frame, offset, size, value))
            }
        };
        vm.kick_by::<G>(write.kick);
        if write.enabled | write.disabled != 0
            && let Some(owner) = vm.vcpus().get(owner)
        {
            owner.enable_linked(write.enabled, true);
            owner.enable_linked(write.disabled, false);
        }
    }
}

/// Pending interrupts of the reading vCPU, and its timers' lines: a timer that the guest has disabled is disabled physically,
/// so its line is seen here only.
fn with_lines(pending: u64) -> u64 {
    pending | u64::from(timer::guest_lines())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{V2, V3};

    #[test]
    fn a_plain_load_is_described() {
        // ldr w1, [x0]
        let access = Access::new(1 << 24 | 2 << 22 | 1 << 16 | 5).unwrap();
        assert_eq!((access.size, access.register, access.write), (4, 1, false));
        assert_eq!(access.extend(0xffff_ffff_8000_0001), 0x8000_0001);
    }

    #[test]
    fn signed_loads_extend_to_their_register() {
        let ldrsb_w = Access::new(1 << 24 | 1 << 21).unwrap();
        assert_eq!(ldrsb_w.extend(0x80), 0xffff_ff80);
        let ldrsh_x = Access::new(1 << 24 | 1 << 22 | 1 << 21 | 1 << 15).unwrap();
        assert_eq!(ldrsh_x.extend(0x8000), 0xffff_ffff_ffff_8000);
    }

    #[test]
    fn permission_faults_and_external_aborts_have_no_address() {
        for level in 0..4 {
            assert!(is_translation_fault(0x9380_0000 | 0b100 | level));
            assert!(!is_translation_fault(0x9380_0000 | 0b1100 | level));
        }
        assert!(!is_translation_fault(0x9380_0010));
    }

    #[test]
    fn stores_are_cut_to_their_size() {
        let strb = Access::new(1 << 24 | 1 << 6).unwrap();
        assert!(strb.write);
        assert_eq!(strb.truncate(0x1234), 0x34);
        let str_x = Access::new(1 << 24 | 3 << 22 | 1 << 6 | 1 << 15).unwrap();
        assert_eq!(str_x.truncate(u64::MAX), u64::MAX);
    }

    #[test]
    fn pairs_walks_and_cache_maintenance_are_not() {
        assert_eq!(Access::new(5), None);
        assert_eq!(Access::new(1 << 24 | 1 << 7), None);
        assert_eq!(Access::new(1 << 24 | 1 << 8), None);
    }

    #[test]
    fn addresses_lead_to_their_device() {
        assert_eq!(Frame::at::<V3>(map::GICD + 4, 1), Some(Frame::Distributor(4)));
        assert_eq!(Frame::at::<V3>(map::GICR + 0x2_0008, 2), Some(Frame::Redistributor(1, 8)));
        assert_eq!(Frame::at::<V3>(map::GICR + 0x2_0008, 1), None);
        assert_eq!(Frame::at::<V3>(0, 8), None);
        assert_eq!(within(map::UART + 0x18, map::UART, map::UART_SIZE), Some(0x18));
        assert_eq!(within(map::UART + map::UART_SIZE, map::UART, map::UART_SIZE), None);
    }

    #[test]
    fn a_gicv2_has_no_redistributors() {
        assert_eq!(Frame::at::<V2>(map::GICD + 4, 1), Some(Frame::Distributor(4)));
        assert_eq!(Frame::at::<V2>(map::GICR + 8, 1), None);
        // Its CPU interface is mapped; what comes here lies beyond it.
        assert_eq!(Frame::at::<V2>(map::GICC + map::GICC_SIZE, 1), None);
    }
}
