//! What a saved VM is made of: plain structures, each with a version of its own. A structure never changes its meaning; a new
//! one gets the next version. Who restores one checks every value in it, since it comes from elsewhere.

mod counter;
mod devices;
mod firmware;
mod gic;
mod unfit;
mod vcpu;
mod virtio;

pub use counter::Counter;
pub use devices::{Flash, Pl011, Pl031};
pub use firmware::{FilterRange, Firmware};
pub use gic::{Gic, GicCpu, GicCpuInterface, GicInterrupts};
pub use unfit::Unfit;
pub use vcpu::{Debug, El1, General, Power, World};
pub use virtio::{VirtioSetup, VirtioTransport, Virtqueue};
