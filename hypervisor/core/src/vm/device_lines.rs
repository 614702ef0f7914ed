//! The interrupts of the devices that a VM drives itself.

use spin::mutex::TicketMutex;

use crate::devices::interrupt_delivery::Delivery;

/// Where the interrupts of a VM's devices go, and whether they are let through there.
#[derive(Debug)]
pub struct DeviceLines {
    /// They are let through in the VM's own turns only.
    pub(crate) follows_turns: bool,
    pub(crate) delivery: TicketMutex<Delivery>,
}
