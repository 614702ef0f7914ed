//! What a saved VM is made of: plain structures, each with a version of its own. A structure never changes its meaning; a new
//! one gets the next version. Who restores one checks every value in it, since it comes from elsewhere.
//!
//! Each can be read and written as bytes, little-endian: none has padding, and every pattern of bits is a value.

mod calls;
mod counter;
mod devices;
mod firmware;
mod generation;
mod gic;
mod links;
mod needs;
mod restarts;
mod stolen;
mod unfit;
mod vcpu;
mod virtio;
mod watchdog;

pub use calls::Calls;
pub use counter::Counter;
pub use devices::{Flash, Pl011, Pl031, Pl061};
pub use firmware::{FilterRange, Firmware};
pub use generation::Generation;
pub use gic::{Gic, GicCpu, GicCpuInterface, GicInterrupts};
pub use links::{Console, Disk, LinkNeeds, Network, Port, PortNeeds, WireNeeds};
pub use needs::{Cpu, FlashNeeds, Identity, Implementations, Needs};
pub use restarts::Restarts;
pub use stolen::StolenTime;
pub use unfit::Unfit;
pub use vcpu::{Debug, El1, General, Power, World};
pub use virtio::{VirtioSetup, VirtioTransport, Virtqueue};
pub use watchdog::Watchdog;

const _: () = assert!(cfg!(target_endian = "little"), "saved states are little-endian, and are written as they are");
