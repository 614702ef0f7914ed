//! KVM's interface, as much as one small VM needs.

use crate::linux::{self, expect, ioctl};

const CREATE_VM: usize = 0xae01;
const GET_VCPU_MMAP_SIZE: usize = 0xae04;
const CREATE_VCPU: usize = 0xae41;
const SET_USER_MEMORY_REGION: usize = 0x4020_ae46;
const RUN: usize = 0xae80;
const SET_ONE_REG: usize = 0x4010_aeac;
const ARM_VCPU_INIT: usize = 0x4020_aeae;
const ARM_PREFERRED_TARGET: usize = 0x8020_aeaf;
const CREATE_DEVICE: usize = 0xc00c_aee0;
const SET_DEVICE_ATTR: usize = 0x4018_aee1;

/// `exit_reason` of an access to an address without memory.
pub const EXIT_MMIO: u32 = 6;
/// `exit_reason` of SYSTEM_OFF and SYSTEM_RESET.
pub const EXIT_SYSTEM_EVENT: u32 = 24;

/// Where the guest's RAM starts, how much it has, and where the image goes.
const RAM: u64 = 0x4000_0000;
const RAM_BYTES: usize = 32 << 20;
const ENTRY: u64 = 0x4020_0000;
/// Most bytes of an image.
const IMAGE_BYTES: usize = 1 << 20;
/// Addresses of the distributor and of the redistributors.
const GICD: u64 = 0x0800_0000;
const GICR: u64 = 0x080a_0000;

/// KVM_DEV_TYPE_ARM_VGIC_V3, its groups and attributes (Documentation/virt/kvm/devices/arm-vgic-v3.rst).
const VGIC_V3: u32 = 7;
const GROUP_ADDRESS: u32 = 0;
const ADDRESS_DISTRIBUTOR: u64 = 2;
const ADDRESS_REDISTRIBUTORS: u64 = 3;
const GROUP_CONTROL: u32 = 4;
const CONTROL_INIT: u64 = 0;
/// Bits of `kvm_vcpu_init.features[0]`.
const FEATURE_POWER_OFF: u32 = 1 << 0;
const FEATURE_PSCI_0_2: u32 = 1 << 2;
/// Register id of the PC: 64 bits, core register, offset 64 words in `struct kvm_regs`.
const REGISTER_PC: u64 = 0x6030_0000_0010_0040;

/// `struct kvm_userspace_memory_region`.
#[repr(C)]
struct MemoryRegion {
    slot: u32,
    flags: u32,
    guest_address: u64,
    size: u64,
    address: u64,
}

/// `struct kvm_device_attr`.
#[repr(C)]
struct DeviceAttribute {
    flags: u32,
    group: u32,
    attribute: u64,
    address: u64,
}

/// `struct kvm_vcpu_init`.
#[repr(C)]
struct VcpuInit {
    target: u32,
    features: [u32; 7],
}

/// The files of a VM.
#[derive(Clone, Copy)]
pub struct Vm {
    kvm: usize,
    vcpus: [usize; 2],
}

impl Vm {
    /// A VM with the guest's image and `cpus` vCPUs, the first one ready to run.
    pub fn create(cpus: usize) -> Self {
        let kvm = linux::open(c"/dev/kvm", b"vmm: FAILED: /dev/kvm\n");
        // SAFETY: the requests' arguments are numbers, or structures of this function as the requests ask for them.
        unsafe {
            let vm = expect(ioctl(kvm, CREATE_VM, 0), b"vmm: FAILED: KVM_CREATE_VM\n");
            let mut device = [VGIC_V3, 0, 0];
            expect(ioctl(vm, CREATE_DEVICE, device.as_mut_ptr() as usize), b"vmm: FAILED: KVM_CREATE_DEVICE\n");
            let gic = device[1] as usize;
            attribute(gic, GROUP_ADDRESS, ADDRESS_DISTRIBUTOR, &GICD);
            attribute(gic, GROUP_ADDRESS, ADDRESS_REDISTRIBUTORS, &GICR);

            let memory = linux::map(None, RAM_BYTES);
            let image = linux::open(c"/guest.img", b"vmm: FAILED: /guest.img\n");
            let read = linux::read(image, memory.add((ENTRY - RAM) as usize), IMAGE_BYTES);
            expect(read - 1, b"vmm: FAILED: /guest.img is empty\n");
            let size = RAM_BYTES as u64;
            let region = MemoryRegion { slot: 0, flags: 0, guest_address: RAM, size, address: memory as u64 };
            let set = ioctl(vm, SET_USER_MEMORY_REGION, &raw const region as usize);
            expect(set, b"vmm: FAILED: KVM_SET_USER_MEMORY_REGION\n");

            let mut init = VcpuInit { target: 0, features: [0; 7] };
            let target = ioctl(vm, ARM_PREFERRED_TARGET, &raw mut init as usize);
            expect(target, b"vmm: FAILED: KVM_ARM_PREFERRED_TARGET\n");
            init.features[0] |= FEATURE_PSCI_0_2;
            let mut vcpus = [0; 2];
            for (number, vcpu) in vcpus.iter_mut().enumerate().take(cpus) {
                if number > 0 {
                    init.features[0] |= FEATURE_POWER_OFF;
                }
                *vcpu = expect(ioctl(vm, CREATE_VCPU, number), b"vmm: FAILED: KVM_CREATE_VCPU\n");
                let result = ioctl(*vcpu, ARM_VCPU_INIT, &raw const init as usize);
                expect(result, b"vmm: FAILED: KVM_ARM_VCPU_INIT\n");
            }
            attribute(gic, GROUP_CONTROL, CONTROL_INIT, &0);
            let register = [REGISTER_PC, &raw const ENTRY_VALUE as u64];
            let set = ioctl(vcpus[0], SET_ONE_REG, register.as_ptr() as usize);
            expect(set, b"vmm: FAILED: KVM_SET_ONE_REG\n");
            Self { kvm, vcpus }
        }
    }

    /// A vCPU.
    pub fn vcpu(&self, number: usize) -> Vcpu {
        let file = self.vcpus.get(number).copied().unwrap_or_default();
        // SAFETY: the request takes no argument.
        let size = expect(unsafe { ioctl(self.kvm, GET_VCPU_MMAP_SIZE, 0) }, b"vmm: FAILED: KVM_GET_VCPU_MMAP_SIZE\n");
        Vcpu { file, state: linux::map(Some(file), size) }
    }
}

static ENTRY_VALUE: u64 = ENTRY;

/// Sets an attribute of a device.
fn attribute(device: usize, group: u32, attribute: u64, value: &u64) {
    let request = DeviceAttribute { flags: 0, group, attribute, address: value as *const u64 as u64 };
    // SAFETY: the structure is complete, and the value lives until the call is over.
    let result = unsafe { ioctl(device, SET_DEVICE_ATTR, &raw const request as usize) };
    expect(result, b"vmm: FAILED: KVM_SET_DEVICE_ATTR\n");
}

/// A vCPU and the memory that KVM shares with us about it (`struct kvm_run`).
pub struct Vcpu {
    file: usize,
    state: *mut u8,
}

/// Offsets in `struct kvm_run`.
const EXIT_REASON: usize = 8;
const MMIO_ADDRESS: usize = 32;
const MMIO_DATA: usize = 40;
const MMIO_IS_WRITE: usize = 52;

impl Vcpu {
    /// Runs until the next exit and returns its reason.
    pub fn run(&self) -> u32 {
        // SAFETY: the request takes no argument; the shared memory is as long as KVM said.
        unsafe {
            expect(ioctl(self.file, RUN, 0), b"vmm: FAILED: KVM_RUN\n");
            self.state.add(EXIT_REASON).cast::<u32>().read_volatile()
        }
    }

    /// The address and the first byte that an MMIO exit is about; none if it was a read.
    pub fn written(&self) -> Option<(u64, u8)> {
        // SAFETY: as above.
        unsafe {
            let is_write = self.state.add(MMIO_IS_WRITE).read_volatile() != 0;
            let address = self.state.add(MMIO_ADDRESS).cast::<u64>().read_volatile();
            is_write.then(|| (address, self.state.add(MMIO_DATA).read_volatile()))
        }
    }

    /// Answers a read with zero.
    pub fn answer_zero(&self) {
        // SAFETY: as above.
        unsafe { self.state.add(MMIO_DATA).cast::<u64>().write_volatile(0) };
    }
}
