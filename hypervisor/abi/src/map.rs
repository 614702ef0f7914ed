//! What a guest sees: the memory map of QEMU's `virt` machine, on every board.

/// Flash: two banks, one behind the other.
pub const FLASH: u64 = 0;
/// Bytes of one bank of flash.
pub const FLASH_BANK: u64 = 64 << 20;
/// Bytes of flash that are erased at once.
pub const FLASH_BLOCK: u64 = 256 << 10;
/// GIC distributor, 64 KiB.
pub const GICD: u64 = 0x0800_0000;
/// Size of the distributor frame in bytes.
pub const GICD_SIZE: u64 = 0x1_0000;
/// GICv2 CPU interface, 8 KiB.
pub const GICC: u64 = 0x0801_0000;
/// Size of the GICv2 CPU interface in bytes.
pub const GICC_SIZE: u64 = 0x2000;
/// First GICv3 redistributor; one of [`GICR_STRIDE`] bytes per vCPU follows the other.
pub const GICR: u64 = 0x080a_0000;
/// Bytes of one redistributor: the RD and the SGI frame of 64 KiB each.
pub const GICR_STRIDE: u64 = 0x2_0000;
/// PL011 UART, 4 KiB.
pub const UART: u64 = 0x0900_0000;
/// Size of the UART's frame in bytes.
pub const UART_SIZE: u64 = 0x1000;
/// Interrupt of the UART: SPI 1.
pub const UART_INTID: u32 = 33;
/// PL031 real-time clock, 4 KiB.
pub const RTC: u64 = 0x0901_0000;
/// Size of the clock's frame in bytes.
pub const RTC_SIZE: u64 = 0x1000;
/// Interrupt of the clock: SPI 2.
pub const RTC_INTID: u32 = 34;
/// First virtio transport (virtio-mmio); one of [`VIRTIO_SIZE`] bytes per slot follows the other.
pub const VIRTIO: u64 = 0x0a00_0000;
/// Bytes of one virtio transport.
pub const VIRTIO_SIZE: u64 = 0x200;
/// Number of virtio transports.
pub const VIRTIO_SLOTS: usize = 32;
/// Interrupt of the first virtio transport: SPI 16. Those of the others follow; they are edges.
pub const VIRTIO_INTID: u32 = 48;
/// PL061 GPIO controller of a VM that has wires, 4 KiB.
pub const GPIO: u64 = 0x0903_0000;
/// Size of the GPIO controller's frame in bytes.
pub const GPIO_SIZE: u64 = 0x1000;
/// Interrupt of the GPIO controller: SPI 7.
pub const GPIO_INTID: u32 = 39;
/// Lines of the GPIO controller.
pub const GPIO_LINES: usize = 8;
/// Page of the PV time structures, one of 64 bytes per vCPU; outside RAM, read-only for the guest.
pub const PV_TIME: u64 = 0x090a_0000;
/// Bytes of one PV time structure (DEN0057 section 4.1.1 asks for 64-byte alignment).
pub const PV_TIME_STRIDE: u64 = 64;
/// Page with the generation identifier of a VM that can be saved, 16 bytes; outside RAM, read-only for the guest.
pub const VM_GENERATION: u64 = 0x090c_0000;
/// Bytes of the generation identifier.
pub const VM_GENERATION_SIZE: u64 = 16;
/// Interrupt of the generation identifier: SPI 10, an edge.
pub const VM_GENERATION_INTID: u32 = 42;
/// Page of the clock of such a VM, behind the one with the identifier; read-only for the guest.
pub const VM_CLOCK: u64 = VM_GENERATION + 0x1000;
/// Bytes of the clock's page.
pub const VM_CLOCK_SIZE: u64 = 0x1000;
/// Interrupt of the clock: SPI 11, an edge.
pub const VM_CLOCK_INTID: u32 = 43;
/// Start of the memory that a VM shares with others, where virt has the memory of its PCIe host bridge.
pub const SHARED_MEMORY: u64 = 0x1000_0000;
/// End of what it may take.
pub const SHARED_MEMORY_END: u64 = 0x3eff_0000;
/// Start of the guest's RAM.
pub const RAM: u64 = 0x4000_0000;
/// Where a raw binary (not an arm64 Image) is placed, from the start of RAM.
pub const RAW_OFFSET: u64 = 0x8_0000;

/// EL1 virtual timer interrupt: PPI 11.
pub const TIMER_VIRTUAL_INTID: u32 = 27;
/// EL1 physical timer interrupt: PPI 14.
pub const TIMER_PHYSICAL_INTID: u32 = 30;

/// Most VMs that one system can have.
pub const MAX_VMS: usize = 32;
/// Most vCPUs that one VM can have.
pub const MAX_VCPUS: usize = 8;
