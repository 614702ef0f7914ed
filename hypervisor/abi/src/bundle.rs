//! The bundle: one file with everything needed to start the VMs. A header, a flattened device tree blob that describes
//! the VMs, and their images.
//!
//! The header, all fields big-endian as in the tree behind it:
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 8 | [`MAGIC`], with which no loader's own formats begin |
//! | 8 | 4 | [`VERSION`] of this format |
//! | 12 | 4 | CRC-32 (IEEE) of all that follows: the bundle from byte 16 on |
//! | 16 | 8 | bytes of the bundle, header included |
//! | 24 | 8 | where the images begin, a multiple of [`ALIGNMENT`]; the tree lies between the header and them |
//! | 32 | | the tree |
//!
//! Each image begins at a multiple of [`ALIGNMENT`], and is there once however many VMs have it. A property that stands for an
//! image holds two 64-bit numbers: where it begins, from the beginning of the images, and its length.
//!
//! The tree:
//!
//! ```text
//! / {
//!     control = "ops";                   optional
//!     vm@0 { ... };                      one node per VM, numbered from 0 in the manifest's order
//!     core@1 { ... };                    one node per core with a cyclic schedule, after the VMs; others: round robin
//!     wires { ... };                     a node per wire; absent: none
//!     shared-memory { ... };             a node per piece of memory that VMs share; absent: none
//!     networks { ... };                  a node per network; absent: none
//!     serials { ... };                   a node per pair of serial ports; absent: none
//!     disks { ... };                     a node per disk; absent: none
//! };
//! wires {
//!     NAME {                             as a VM's name
//!         from = <u32 u32>;              VM, and the line of its GPIO controller, below 8, which drives the wire
//!         to = <u32 u32>;                VM and line of who sees it
//!     };                                 no line has two
//! };
//! shared-memory {
//!     NAME {
//!         size = <u64>;                  bytes beside the state pages, a multiple of PAGE
//!         cached;                        absent: non-cacheable for all of them
//!         sharers = <u32 u32 ...>;       VM, and 1 if it may write; two at least, in the order of their state pages
//!     };
//! };
//! networks {
//!     NAME {
//!         mtu = <u32>;                   bytes of the longest packet behind an Ethernet header, from MTU_MIN to MTU_MAX
//!         unsegmented;                   present: no frame passes that is still to be cut into segments
//!         ports = <u32 u32 u32 u32 u32 u32 ...>;
//!                                        VM, slot of its virtio transport, upper 16 and lower 32 bits of its MAC address, 1 if it
//!                                        bridges, and frames that it may send in a second (0: any number) of each port;
//!                                        two at least, no VM and no address twice
//!     };                                 no slot of a VM has two devices
//! };
//! serials {
//!     NAME {                             as a VM's name; not RESERVED_PORTS and what begins so
//!         between = <u32 u32>;           the VMs of both ends, which have a console each
//!     };                                 a VM's console has no more than SERIAL_PORTS ports, the control VM's OWN_PORTS fewer
//! };
//! disks {
//!     NAME {
//!         client = <u32 u32>;            VM that has it, and slot of its virtio transport
//!         image = <u64 u64>;             its contents, which are only read; or
//!         scratch;                       RAM of its own; or
//!         server = <u32>;                VM that serves it
//!         size = <u64>;                  bytes; absent with an image, which has its own
//!         block = <u32>;                 bytes of a block, 512 or 4096, of which the size is a multiple; absent: 512
//!         read-only;                     a served one is only read
//!         export = "...";                what a served one is called by its server, EXPORT_MAX bytes at the most; absent: nothing
//!         timeout = <u32>;               milliseconds after which a request to a server has failed; with a server
//!     };                                 no slot of a VM has two devices
//! };
//! vm@N {
//!     name = "linux-a";                  1 to 16 characters of a-z, 0-9 and '-', first one a letter
//!     memory = <u64>;                    bytes of RAM, a multiple of 2 MiB
//!     cores = <u32 ...>;                 physical core of each vCPU; vCPUs may share one
//!     slices = <u32 ...>;                microseconds of each vCPU's time slice; absent: SLICE each
//!     cmdline = "...";
//!     ...                                its settings: flags, numbers and choices; `portcullis_bundle::settings` has their table
//!     devices = "path", ...;             device tree paths passed through
//!     console = <u32>;                   slot of the virtio transport of its console, by which it has serial ports; absent:
//!                                        it has none
//!     flash = <u64 u64 ...>;             it has QEMU virt's two banks of flash; the images of their contents, of none of
//!                                        them, the first or both, each a multiple of FLASH_BLOCK bytes long; absent: no
//!                                        flash
//!     implementations = <u64 u64 u64 ...>; MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of CPUs to which it may move; absent: none
//!     cpu = <u64 u64 ...>;               MIDR_EL1, REVIDR_EL1, AIDR_EL1, CTR_EL0, DCZID_EL0 and the 56 ID registers from
//!                                        S3_0_C0_C1_0 to S3_0_C0_C7_7 of the CPU that it is shown; absent: its cores' own
//!     soc-id = <u32 u32>;                version and revision of the SoC that it is told; absent: those that EL3 tells
//!     firmware {                         absent: the defaults
//!         keep;                          present: what is not named keeps its default; absent: it is zero
//!         std = <u64>; ...;              values of registers; `REGISTERS` has their names
//!         filter = <u32 ...>;            base, count and action (as in a management call) of each range
//!     };
//!     kernel = <u64 u64>;                arm64 Image or raw binary; absent: it starts in the first bank of flash, which has
//!                                        an image
//!     store = <u64>;                     it has no image here: the control VM loads it, and so many bytes of RAM keep that, a
//!                                        multiple of MEMORY_UNIT; 0: it is kept for one start; absent: its images are here
//!     initrd = <u64 u64>;                initial RAM disk; optional
//!     dtb = <u64 u64>;                   device tree of the VM's own; optional
//!     load = <u64>;                      address of the kernel in the VM's RAM; absent: as the image says
//!     tree-low;                          present or absent: the device tree lies at the start of RAM
//! };
//! core@N {                               N: number of the physical core, on which some VM has a vCPU
//!     frame = <u32>;                     microseconds after which the windows begin again
//!     windows = <u32 ...>;               VM, start in the frame and length, both in microseconds, of each window: 1 to 16,
//!                                        ascending, none overlaps another, and all within the frame
//!     background = <u32 ...>;            VMs that may use time that no window covers or whose VM leaves it; absent: none
//! };
//! ```
//!
//! Every VM that a node `core@N` names has a vCPU on that core, and every VM with a vCPU there is named.

use crate::firmware;

/// What a bundle begins with.
pub const MAGIC: [u8; 8] = *b"PORTCULL";
/// Version of the format that this crate describes. Version 1 was a device tree blob without a header.
pub const VERSION: u32 = 3;
/// Bytes of the header; the tree follows it.
pub const HEADER_SIZE: usize = 32;
/// Offset of the version.
pub const VERSION_OFFSET: usize = 8;
/// Offset of the checksum.
pub const CHECKSUM_OFFSET: usize = 12;
/// Offset of the first byte that the checksum covers.
pub const CHECKED_OFFSET: usize = 16;
/// Offset of the bundle's size.
pub const SIZE_OFFSET: usize = 16;
/// Offset of the field that tells where the images begin.
pub const IMAGES_OFFSET: usize = 24;
/// Images begin at multiples of this, a cache line.
pub const ALIGNMENT: u64 = 64;

/// Root property: name of the control VM.
pub const CONTROL: &str = "control";
/// Prefix of a VM's node name; the unit address is the VM's number in hexadecimal.
pub const VM_NODE: &str = "vm@";
/// VM property: name.
pub const NAME: &str = "name";
/// Longest name of a VM in bytes.
pub const NAME_MAX: usize = 16;
/// VM property: bytes of RAM.
pub const MEMORY: &str = "memory";
/// The unit of a VM's memory in bytes.
pub const MEMORY_UNIT: u64 = 2 << 20;
/// VM property: physical core of each vCPU.
pub const CORES: &str = "cores";
/// VM property: microseconds of each vCPU's time slice.
pub const SLICES: &str = "slices";
/// A time slice in microseconds, where a VM has no [`SLICES`].
pub const SLICE: u32 = 5_000;
/// The shortest time slice in microseconds.
pub const SLICE_MIN: u32 = 100;
/// The longest time slice in microseconds.
pub const SLICE_MAX: u32 = 1_000_000;
/// VM property: kernel command line.
pub const CMDLINE: &str = "cmdline";
/// VM property: which conduits are open.
pub const CONDUITS: &str = "conduits";
/// Bit of the setting `conduits`: HVC.
pub const CONDUIT_HVC: u32 = 1;
/// Bit of the setting `conduits`: SMC.
pub const CONDUIT_SMC: u32 = 2;
/// Bit of the setting `machine`: PSCI SYSTEM_OFF switches the machine off.
pub const MACHINE_OFF: u32 = 1;
/// Bit of the setting `machine`: PSCI SYSTEM_RESET and SYSTEM_RESET2 reset the machine.
pub const MACHINE_RESET: u32 = 2;
/// VM property: device tree paths of devices passed through.
pub const DEVICES: &str = "devices";
/// VM property: CPU implementations that it is told of beside those of its cores.
pub const IMPLEMENTATIONS: &str = "implementations";
/// Most CPU implementations that a VM is told of.
pub const IMPLEMENTATIONS_MAX: usize = 16;
/// VM property: registers of the CPU that it is shown.
pub const CPU: &str = "cpu";
/// VM property: version and revision of the SoC that it is told.
pub const SOC_ID: &str = "soc-id";
/// VM property: a device that can master the bus may be passed through: the VM is trusted with all memory.
pub const TRUST_DMA: &str = "trust-dma";
/// VM property: places of the images of its banks of flash.
pub const FLASH: &str = "flash";
/// VM property: place of the kernel image.
pub const KERNEL: &str = "kernel";
/// VM property: bytes of RAM that keep the images which the control VM loads.
pub const STORE: &str = "store";
/// VM property: place of the initial RAM disk.
pub const INITRD: &str = "initrd";
/// VM property: place of a device tree blob of the VM's own.
pub const DTB: &str = "dtb";
/// VM property: address at which the kernel is loaded.
pub const LOAD: &str = "load";
/// VM property: the device tree lies at the start of RAM, below the kernel.
pub const TREE_LOW: &str = "tree-low";
/// VM's child node with the firmware registers; what it lacks is zero, unless [`KEEP`] is there. Absent: the defaults.
pub const FIRMWARE: &str = "firmware";
/// Firmware properties that are values of registers, and each one's register.
pub const REGISTERS: [(&str, u64); 6] = [
    ("std", firmware::STD),
    ("std-hyp", firmware::STD_HYP),
    ("vendor-hyp", firmware::VENDOR_HYP),
    ("vendor-hyp-2", firmware::VENDOR_HYP_2),
    ("psci", firmware::PSCI_VERSION),
    ("smccc", firmware::SMCCC_VERSION),
];
/// Firmware property: the first write of a register leaves the others as they are, this node's included.
pub const KEEP: &str = "keep";
/// Firmware property: the range filter; three cells a range: first function identifier, number of them, action.
pub const FILTER: &str = "filter";
/// Prefix of the name of a core's node; the unit address is the core's number in hexadecimal.
pub const CORE_NODE: &str = "core@";
/// Core property: microseconds of a frame.
pub const FRAME: &str = "frame";
/// The shortest frame in microseconds.
pub const FRAME_MIN: u32 = 1_000;
/// The longest frame in microseconds.
pub const FRAME_MAX: u32 = 1_000_000;
/// Core property: the windows of a frame; three cells a window: number of the VM, start and length in microseconds.
pub const WINDOWS: &str = "windows";
/// Most windows of a core.
pub const WINDOWS_MAX: usize = 16;
/// The shortest window in microseconds.
pub const WINDOW_MIN: u32 = 100;
/// Core property: numbers of the VMs that may use what the windows leave.
pub const BACKGROUND: &str = "background";
/// Name of the node with the wires, one node each.
pub const WIRES: &str = "wires";
/// Wire property: who drives it; two cells: number of the VM, and the line of its GPIO controller.
pub const FROM: &str = "from";
/// Wire property: who sees what is driven; two cells as for [`FROM`].
pub const TO: &str = "to";
/// Name of the node with the memory that VMs share, one node for each piece.
pub const SHARED_MEMORY: &str = "shared-memory";
/// Most pieces of it.
pub const SHARED_MEMORY_MAX: usize = 8;
/// Property of shared memory: bytes that are shared, a multiple of [`PAGE`], [`SHARED_SIZE_MAX`] at the most. Of a disk: its bytes,
/// a multiple of its [`BLOCK`].
pub const SIZE: &str = "size";
/// The largest piece of shared memory in bytes.
pub const SHARED_SIZE_MAX: u64 = 512 << 20;
/// The unit of its size, and the size of a VM's state page.
pub const PAGE: u64 = 4096;
/// Property of shared memory: the guests have it in their caches.
pub const CACHED: &str = "cached";
/// Property of shared memory: two cells a VM: its number, and 1 if it may write.
pub const SHARERS: &str = "sharers";
/// Name of the node with the networks, one node each.
pub const NETWORKS: &str = "networks";
/// Network property: bytes of the longest packet behind an Ethernet header.
pub const MTU: &str = "mtu";
/// The smallest MTU (RFC 791, section 3.2: every module must take 68 bytes).
pub const MTU_MIN: u32 = 68;
/// The largest MTU: the longest packet of IP.
pub const MTU_MAX: u32 = 65_535;
/// The MTU, where a manifest does not say another one.
pub const MTU_DEFAULT: u32 = 1500;
/// Network property: no frame passes that is still to be cut into segments.
pub const UNSEGMENTED: &str = "unsegmented";
/// Network property: its ports, [`PORT_CELLS`] cells each.
pub const PORTS: &str = "ports";
/// Cells of a port: number of the VM, slot of the transport, MAC address in two, whether it bridges, frames a second.
pub const PORT_CELLS: usize = 6;
/// VM property: slot of the virtio transport of its console.
pub const CONSOLE: &str = "console";
/// Name of the node with the pairs of serial ports, one node each.
pub const SERIALS: &str = "serials";
/// Property of a pair of serial ports: numbers of the VMs of both ends.
pub const BETWEEN: &str = "between";
/// What names of EL2's own serial ports begin with.
pub const RESERVED_PORTS: &str = "portcullis";
/// Most serial ports of a VM.
pub const SERIAL_PORTS: usize = 31;
/// Ports at the control VM's console that are for EL2, so that it has as many fewer for others: `portcullis`,
/// `portcullis.events` and `portcullis.data`.
pub const OWN_PORTS: usize = 3;
/// Name of the node with the disks, one node each.
pub const DISKS: &str = "disks";
/// Disk property: who has it; two cells: number of the VM, slot of its transport.
pub const CLIENT: &str = "client";
/// Disk property: place of the image that it has.
pub const IMAGE: &str = "image";
/// Disk property: it is RAM of its own.
pub const SCRATCH: &str = "scratch";
/// Disk property: number of the VM that serves it.
pub const SERVER: &str = "server";
/// What the serial port by which a VM serves a disk is called, before the disk's name.
pub const DISK_PORT: &str = "disk.";
/// Disk property: bytes of a block.
pub const BLOCK: &str = "block";
/// What a block of a disk may have.
pub const BLOCKS: [u32; 2] = [512, 4096];
/// The largest disk that is served: file offsets have 63 bits.
pub const DISK_MAX: u64 = 1 << 62;
/// Disk property: what is served is only read.
pub const READ_ONLY: &str = "read-only";
/// Disk property: the name of the export.
pub const EXPORT: &str = "export";
/// Bytes of the longest name of an export.
pub const EXPORT_MAX: usize = 64;
/// Disk property: milliseconds after which a request to a server has failed.
pub const TIMEOUT: &str = "timeout";
/// The shortest of these times.
pub const TIMEOUT_MIN: u32 = 100;
/// The longest.
pub const TIMEOUT_MAX: u32 = 24 * 60 * 60 * 1000;
/// The time, where a manifest does not say another one.
pub const TIMEOUT_DEFAULT: u32 = 30_000;
