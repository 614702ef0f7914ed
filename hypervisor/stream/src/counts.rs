//! Of what a VM has how many: which sections its stream can have.

use portcullis_abi::state;

use crate::kind::{Each, Kind};

/// Of what a VM has how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many vCPUs.
    pub vcpus: u32,
    /// The virtio transports that have a device, a bit each.
    pub transports: u32,
    /// How many ports of the console.
    pub ports: u32,
    /// How many PL061: 1 at the most.
    pub gpios: u32,
    /// How many banks of flash that take commands: 1 at the most.
    pub flashes: u32,
}

impl Counts {
    /// What is known of a VM in front of the first section: that it has a vCPU.
    pub const NONE: Self = Self { vcpus: 1, transports: 0, ports: 0, gpios: 0, flashes: 0 };

    /// Of what a VM of this shape has how many.
    pub const fn of(needs: &state::Needs) -> Self {
        let gpios = if needs.devices & state::Needs::GPIO == 0 { 0 } else { 1 };
        let flashes = if needs.devices & state::Needs::FLASH == 0 { 0 } else { 1 };
        Self { vcpus: needs.vcpus, transports: needs.transports, ports: needs.ports, gpios, flashes }
    }

    /// The indices that sections can have which come for each of these, a bit each.
    pub(crate) const fn indices(self, kind: Kind) -> u32 {
        match kind.each() {
            Each::Vm if matches!(kind, Kind::Wires | Kind::Gpio) => first(self.gpios),
            Each::Vm if matches!(kind, Kind::Banks | Kind::Flash | Kind::Cells | Kind::Erased) => first(self.flashes),
            Each::Vm => 1,
            Each::Vcpu => first(self.vcpus),
            Each::Transport => self.transports,
            Each::Port => first(self.ports),
        }
    }
}

/// The lowest `count` bits.
const fn first(count: u32) -> u32 {
    match 1_u32.checked_shl(count) {
        Some(bit) => bit.wrapping_sub(1),
        None => u32::MAX,
    }
}
