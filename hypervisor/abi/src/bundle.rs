//! The bundle: one flattened device tree blob with everything needed to start the VMs.
//!
//! ```text
//! / {
//!     portcullis,crc32 = <u32>;          first property: CRC-32 (IEEE) of the whole blob with these four bytes zero
//!     portcullis,bundle = <1>;           version of this format
//!     control = "ops";                   optional
//!     vm@0 { ... };                      one node per VM, numbered from 0 in the manifest's order
//!     core@1 { ... };                    one node per core with a cyclic schedule, after the VMs; others: round robin
//! };
//! vm@N {
//!     name = "linux-a";                  1 to 16 characters of a-z, 0-9 and '-', first one a letter
//!     memory = <u64>;                    bytes of RAM, a multiple of 2 MiB
//!     cores = <u32 ...>;                 physical core of each vCPU; vCPUs may share one
//!     slices = <u32 ...>;                microseconds of each vCPU's time slice; absent: SLICE each
//!     cmdline = "...";
//!     autostart;                         present or absent
//!     audit;                             present or absent
//!     stop-on-fault;                     present: the first access that reaches nothing ends it; absent: it gets an abort
//!     restart-limit = <u32>;             starts again that often when it fails; absent: never
//!     conduits = <u32>;                  CONDUIT_HVC | CONDUIT_SMC
//!     machine = <u32>;                   MACHINE_OFF | MACHINE_RESET; absent: neither
//!     devices = "path", ...;             device tree paths passed through
//!     trust-dma;                         present or absent: devices among them may master the bus
//!     firmware {                         absent: the defaults
//!         keep;                          present: what is not named keeps its default; absent: it is zero
//!         std = <u64>; std-hyp = <u64>; vendor-hyp = <u64>; psci = <u32>;
//!         filter = <u32 ...>;            base, count and action (as in a management call) of each range
//!     };
//!     kernel = [bytes]; initrd = [bytes]; dtb = [bytes];    arm64 Image or raw binary; the last two are optional
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

/// Version of the format that this crate describes.
pub const VERSION: u32 = 1;

/// First property of the root: the checksum. Its value lies [`CHECKSUM_OFFSET`] bytes into the structure block.
pub const CHECKSUM: &str = "portcullis,crc32";
/// Offset of the checksum's value from the start of the structure block: FDT_BEGIN_NODE, an empty name, FDT_PROP, length
/// and name offset stand before it.
pub const CHECKSUM_OFFSET: usize = 20;
/// Second property of the root: the format's version.
pub const BUNDLE: &str = "portcullis,bundle";
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
/// VM property: the VM starts with the machine.
pub const AUTOSTART: &str = "autostart";
/// VM property: the VM is audited from its start on.
pub const AUDIT: &str = "audit";
/// VM property: an access that reaches nothing ends the VM, in place of the abort that a board would report to it.
pub const STOP_ON_FAULT: &str = "stop-on-fault";
/// VM property: how often the VM starts again when it fails.
pub const RESTART_LIMIT: &str = "restart-limit";
/// VM property: which conduits are open.
pub const CONDUITS: &str = "conduits";
/// Bit of [`CONDUITS`]: HVC.
pub const CONDUIT_HVC: u32 = 1;
/// Bit of [`CONDUITS`]: SMC.
pub const CONDUIT_SMC: u32 = 2;
/// VM property: what the VM may do to the machine; absent: nothing.
pub const MACHINE: &str = "machine";
/// Bit of [`MACHINE`]: PSCI SYSTEM_OFF switches the machine off.
pub const MACHINE_OFF: u32 = 1;
/// Bit of [`MACHINE`]: PSCI SYSTEM_RESET and SYSTEM_RESET2 reset the machine.
pub const MACHINE_RESET: u32 = 2;
/// VM property: device tree paths of devices passed through.
pub const DEVICES: &str = "devices";
/// VM property: a device that can master the bus may be passed through: the VM is trusted with all memory.
pub const TRUST_DMA: &str = "trust-dma";
/// VM property: kernel image.
pub const KERNEL: &str = "kernel";
/// VM property: initial RAM disk.
pub const INITRD: &str = "initrd";
/// VM property: a device tree blob of the VM's own.
pub const DTB: &str = "dtb";
/// VM's child node with the firmware registers; what it lacks is zero, unless [`KEEP`] is there. Absent: the defaults.
pub const FIRMWARE: &str = "firmware";
/// Firmware property: value of STD.
pub const STD: &str = "std";
/// Firmware property: value of STD_HYP.
pub const STD_HYP: &str = "std-hyp";
/// Firmware property: value of VENDOR_HYP.
pub const VENDOR_HYP: &str = "vendor-hyp";
/// Firmware property: value of PSCI_VERSION.
pub const PSCI: &str = "psci";
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
