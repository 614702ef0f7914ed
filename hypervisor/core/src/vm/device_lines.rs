//! The interrupts of the devices that a VM drives itself.

use spin::mutex::TicketMutex;

use crate::devices::interrupt_delivery::Delivery;

/// Where the interrupts of a VM's devices go, and whether they are let through there.
#[derive(Debug)]
pub struct DeviceLines {
    /// They are let through in the VM's own turns only.
    follows_turns: bool,
    pub(crate) delivery: TicketMutex<Delivery>,
}

impl DeviceLines {
    /// Makes the lines of a VM whose devices' interrupts are delivered so.
    pub fn new(delivery: Delivery) -> Self {
        Self { follows_turns: delivery.follows_turns(), delivery: TicketMutex::new(delivery) }
    }

    /// Tells whether they are let through in the VM's own turns only.
    pub const fn follow_turns(&self) -> bool {
        self.follows_turns
    }
}
