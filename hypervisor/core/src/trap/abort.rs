//! Data aborts: emulated devices, and what is none.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, cpu, el2, stepping, translate, vectors::Next};
use portcullis_devices::Frame as Addresses;
use portcullis_devices::access::{Access, Word, is_permission_fault, is_translation_fault};

use super::external_abort;
use super::gic::Frame;
use crate::cpu::gic::Interface;
use crate::devices::UART;
use crate::devices::emulated::Emulated;
use crate::vm::{Vcpu, failure::Reason};

/// The virtio transports, by which frames and requests go.
const TRANSPORTS: Addresses = Addresses { start: map::VIRTIO, size: map::VIRTIO_SIZE * map::VIRTIO_SLOTS as u64 };
/// The controller of wires, whose edges are waited for.
const WIRES: Addresses = Addresses { start: map::GPIO, size: map::GPIO_SIZE };

// What belongs to the GIC, of either version, lies in front of the UART.
const _: () = assert!(map::GICD < UART.start && map::GICC + map::GICC_SIZE <= UART.start);
const _: () = assert!(map::GICR + map::GICR_STRIDE * map::MAX_VCPUS as u64 <= UART.start);

/// A guest's load or store reached no memory. Every way out is a call in tail position.
#[inline(always)]
pub fn data<G: Interface>(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    // Only a translation fault says at which address (Arm ARM, HPFAR_EL2): a device is what is not mapped.
    if !is_translation_fault(syndrome) {
        return without_address(vcpu, syndrome);
    }
    let address = el2::fault_ipa();
    match address.checked_sub(UART.start) {
        Some(offset) if offset < UART.size => uart(vcpu, syndrome, offset),
        // So what lies here is looked for without asking for the GIC's frames first.
        Some(_) => behind(vcpu, syndrome, address),
        None => gic::<G>(vcpu, syndrome, address),
    }
}

/// An access to the virtual GIC, or to what else lies in front of the UART.
#[inline(never)]
fn gic<G: Interface>(vcpu: &'static Vcpu, syndrome: u64, address: u64) -> Next {
    let Some(frame) = Frame::at::<G>(address, vcpu.vm.vgic.vcpu_count()) else {
        return device(vcpu, syndrome, address);
    };
    let Some(access) = Access::new(syndrome) else {
        return external_abort::answer(vcpu, Reason::Instruction, syndrome);
    };
    vcpu.account().exit(Exit::Gic);
    stepping::step_over(syndrome);
    if access.write {
        let value = access.truncate(vcpu.context.register(access.register));
        frame.write::<G>(vcpu, access.size, value);
        vcpu.before_resume::<G>()
    } else {
        let value = frame.read::<G>(vcpu, access.size);
        vcpu.context.set_register(access.register, access.extend(value));
        vcpu.before_resume_with::<G>(access.register)
    }
}

/// An access of memory that does not allow it, or the memory's own refusal. Memory that is not written is the page of PV time, and
/// flash, whose stores are commands.
#[cold]
#[inline(never)]
fn without_address(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    if vcpu.vm.flash.is_none() || !is_permission_fault(syndrome) {
        return external_abort::answer(vcpu, Reason::Access, syndrome);
    }
    match translate::stage1(el2::fault_address(), el2::is_from_el0()) {
        Some(address) => device(vcpu, syndrome, address),
        // Another vCPU has changed the guest's tables since: the instruction is tried again.
        None => {
            vcpu.account().exit(Exit::Device);
            vcpu.before_resume_on_any()
        }
    }
}

/// An access to what is not there, as far as the core tells: where it may be mistaken, the guest's own tables are asked whether
/// they lead anywhere. If they do not the instruction is tried again, to end in the guest's fault.
#[cold]
#[inline(never)]
fn nothing(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    if cpu::mistakes_faults() && translate::stage1(el2::fault_address(), el2::is_from_el0()).is_none() {
        vcpu.account().exit(Exit::Device);
        return vcpu.before_resume_on_any();
    }
    external_abort::answer(vcpu, Reason::Access, syndrome)
}

/// An access to what lies behind the UART: a virtio transport that has a device, or something else.
#[inline(never)]
fn behind(vcpu: &'static Vcpu, syndrome: u64, address: u64) -> Next {
    let transports = vcpu.vm.links.zip(TRANSPORTS.offset(address));
    match transports.and_then(|(links, offset)| links.at(offset)) {
        Some((device, offset)) => access(vcpu, syndrome, device, offset),
        None => before_transports(vcpu, syndrome, address),
    }
}

/// An access to what lies between the UART and the transports, or is no transport of the VM's: the controller of its wires, as the
/// bus has it too, or something else.
#[inline(always)]
fn before_transports(vcpu: &'static Vcpu, syndrome: u64, address: u64) -> Next {
    match vcpu.vm.wires.as_ref().zip(WIRES.offset(address)) {
        Some((wires, offset)) => access(vcpu, syndrome, wires, offset),
        None => device(vcpu, syndrome, address),
    }
}

/// An access to a device on the VM's bus, or to nothing.
#[inline(never)]
fn device(vcpu: &'static Vcpu, syndrome: u64, address: u64) -> Next {
    let Some((device, offset)) = vcpu.vm.bus.find(address).filter(|(device, _)| device.is_there()) else {
        return nothing(vcpu, syndrome);
    };
    access(vcpu, syndrome, &**device, offset)
}

/// An access to a device, at an offset into its frame. Most are of words, and each way is a function of its own, so that none pays
/// for another's registers.
#[inline(always)]
fn access(vcpu: &'static Vcpu, syndrome: u64, device: &dyn Emulated, offset: u64) -> Next {
    match Word::new(syndrome) {
        Some(Word { write: true, register }) => store_word(vcpu, syndrome, register, device, offset),
        Some(Word { write: false, register }) => load_word(vcpu, syndrome, register, device, offset),
        None => access_any(vcpu, syndrome, device, offset),
    }
}

/// A store of 32 bits to a device.
#[inline(never)]
fn store_word(vcpu: &'static Vcpu, syndrome: u64, register: u64, device: &dyn Emulated, offset: u64) -> Next {
    vcpu.account().exit(Exit::Device);
    stepping::step_over(syndrome);
    device.write(vcpu, offset, Word::SIZE, vcpu.context.register(register) & u64::from(u32::MAX));
    vcpu.before_resume_on_any()
}

/// A load of 32 bits from a device.
#[inline(never)]
fn load_word(vcpu: &'static Vcpu, syndrome: u64, register: u64, device: &dyn Emulated, offset: u64) -> Next {
    vcpu.account().exit(Exit::Device);
    stepping::step_over(syndrome);
    let value = device.read(vcpu, offset, Word::SIZE);
    vcpu.context.set_register(register, value & u64::from(u32::MAX));
    vcpu.before_resume_on_any_with(register)
}

/// Any other access to a device.
#[inline(never)]
fn access_any(vcpu: &'static Vcpu, syndrome: u64, device: &dyn Emulated, offset: u64) -> Next {
    let Some(access) = Access::new(syndrome) else {
        return external_abort::answer(vcpu, Reason::Instruction, syndrome);
    };
    vcpu.account().exit(Exit::Device);
    stepping::step_over(syndrome);
    if access.write {
        device.write(vcpu, offset, access.size, access.truncate(vcpu.context.register(access.register)));
        vcpu.before_resume_on_any()
    } else {
        let value = device.read(vcpu, offset, access.size);
        vcpu.context.set_register(access.register, access.extend(value));
        vcpu.before_resume_on_any_with(access.register)
    }
}

/// The UART is the same whatever the GIC is: it is there once.
#[inline(never)]
fn uart(vcpu: &'static Vcpu, syndrome: u64, offset: u64) -> Next {
    let Some(access) = Access::new(syndrome) else {
        return external_abort::answer(vcpu, Reason::Instruction, syndrome);
    };
    vcpu.account().exit(Exit::Uart);
    stepping::step_over(syndrome);
    if access.write {
        let value = access.truncate(vcpu.context.register(access.register));
        vcpu.vm.console.write(vcpu, offset, value);
        vcpu.before_resume_on_any()
    } else {
        let value = vcpu.vm.console.read(vcpu, offset);
        vcpu.context.set_register(access.register, access.extend(value));
        vcpu.before_resume_on_any_with(access.register)
    }
}
