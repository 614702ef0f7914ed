//! Data aborts: emulated devices, and what is none.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, context::Context, el2, timer, vectors::Next};

use super::fault;
use crate::lists::HardwareLists;
use crate::terminal::TERMINAL;
use crate::vm::{failure::Reason, vcpu::Vcpu};

/// Offset of GICR_ISPENDR0 in a redistributor.
const SET_PENDING: u64 = 0x1_0200;
/// Offset of GICR_ICPENDR0 in a redistributor.
const CLEAR_PENDING: u64 = 0x1_0280;

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

/// A guest's load or store reached no memory.
#[inline(never)]
pub fn data(context: &mut Context, vcpu: &'static Vcpu, syndrome: u64) -> Next {
    // Only a translation fault says at which address (Arm ARM, HPFAR_EL2): a device is what is not mapped.
    if !is_translation_fault(syndrome) {
        return fault::stop(vcpu, Reason::Access, syndrome);
    }
    let address = el2::fault_ipa();
    let Some(device) = Device::at(address, vcpu.vm.vcpus().len()) else {
        return fault::stop(vcpu, Reason::Access, syndrome);
    };
    let Some(access) = Access::new(syndrome) else {
        return fault::stop(vcpu, Reason::Instruction, syndrome);
    };
    vcpu.account().exit(if matches!(device, Device::Uart(_)) { Exit::Uart } else { Exit::Gic });
    el2::set_return_address(el2::return_address().wrapping_add(4));
    if access.write {
        let value = access.truncate(context.register(access.register));
        device.write(vcpu, access.size, value);
        vcpu.before_resume()
    } else {
        let value = device.read(vcpu, access.size);
        context.set_register(access.register, access.extend(value));
        vcpu.before_resume_with(access.register)
    }
}

/// An emulated device, and the offset into its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Device {
    Distributor(u64),
    Redistributor(usize, u64),
    Uart(u64),
}

impl Device {
    fn at(address: u64, vcpus: usize) -> Option<Self> {
        let within = |start: u64, size: u64| address.checked_sub(start).filter(|&offset| offset < size);
        if let Some(offset) = within(map::GICD, map::GICD_SIZE) {
            return Some(Self::Distributor(offset));
        }
        if let Some(offset) = within(map::UART, map::UART_SIZE) {
            return Some(Self::Uart(offset));
        }
        let offset = within(map::GICR, map::GICR_STRIDE * vcpus as u64)?;
        Some(Self::Redistributor((offset / map::GICR_STRIDE) as usize, offset % map::GICR_STRIDE))
    }

    fn read(self, vcpu: &'static Vcpu, size: u8) -> u64 {
        let (vm, index) = (vcpu.vm, vcpu.index);
        match self {
            Self::Distributor(offset) => vm.vgic.read_distributor(index, offset, size, &HardwareLists),
            Self::Redistributor(frame, offset) => {
                let value = vm.vgic.read_redistributor(index, frame, offset, size, &HardwareLists);
                // A timer that the guest has disabled is disabled physically: its line is seen here only.
                if frame == index && matches!(offset, SET_PENDING | CLEAR_PENDING) {
                    value | u64::from(timer::guest_lines())
                } else {
                    value
                }
            }
            Self::Uart(offset) => TERMINAL.read_uart(vm, offset),
        }
    }

    fn write(self, vcpu: &'static Vcpu, size: u8, value: u64) {
        let (vm, index) = (vcpu.vm, vcpu.index);
        match self {
            Self::Distributor(offset) => vm.kick(vm.vgic.write_distributor(index, offset, size, value)),
            Self::Redistributor(frame, offset) => {
                let write = vm.vgic.write_redistributor(index, frame, offset, size, value);
                vm.kick(write.kick);
                if write.enabled | write.disabled != 0
                    && let Some(owner) = vm.vcpus().get(frame)
                {
                    owner.enable_linked(write.enabled, true);
                    owner.enable_linked(write.disabled, false);
                }
            }
            Self::Uart(offset) => TERMINAL.write_uart(vm, offset, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Device::at(map::GICD + 4, 1), Some(Device::Distributor(4)));
        assert_eq!(Device::at(map::UART + 0x18, 1), Some(Device::Uart(0x18)));
        assert_eq!(Device::at(map::GICR + 0x2_0008, 2), Some(Device::Redistributor(1, 8)));
        assert_eq!(Device::at(map::GICR + 0x2_0008, 1), None);
        assert_eq!(Device::at(map::UART + map::UART_SIZE, 8), None);
        assert_eq!(Device::at(0, 8), None);
    }
}
