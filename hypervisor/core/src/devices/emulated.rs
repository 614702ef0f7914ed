//! What the bus of a VM holds: a device with all that it works with.

use portcullis_devices::Unused;

use crate::vm::Vm;

/// A device of a VM. What a guest does to it happens behind its own lock, on the core of the vCPU that does it.
pub trait Emulated: Send + Sync {
    /// Reads `size` bytes (1, 2, 4 or 8) at `offset` into its frame; the caller cuts the result to them.
    fn read(&self, vm: &'static Vm, offset: u64, size: u8) -> u64;

    /// Writes `value`, which is `size` bytes long, at `offset` into its frame.
    fn write(&self, vm: &'static Vm, offset: u64, size: u8, value: u64);

    /// Puts it into its state after a reset of the VM, all of whose vCPUs are off.
    fn reset(&self, _vm: &Vm) {}

    /// Makes it anew, with the VM.
    fn renew(&self, _vm: &Vm) {}
}

/// It remembers nothing.
impl Emulated for Unused {
    fn read(&self, _: &'static Vm, offset: u64, _: u8) -> u64 {
        Self::read(*self, offset)
    }

    fn write(&self, _: &'static Vm, _: u64, _: u8, _: u64) {}
}
