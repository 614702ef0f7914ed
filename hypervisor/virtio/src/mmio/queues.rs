//! What a driver says of a queue, until the device begins to work at it.

use crate::layout::Layout;

use super::registers::{QUEUE_DESC, QUEUE_DEVICE, QUEUE_DRIVER};

/// The registers of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Setup {
    /// QueueNum as it was written.
    pub(super) size: u32,
    /// Addresses; the size in here is not in use.
    pub(super) layout: Layout,
    pub(super) ready: bool,
}

impl Setup {
    /// Where the queue is. A size that is too large for the type is none of its powers of two, and so refused.
    pub(super) fn layout(&self) -> Layout {
        Layout { size: u16::try_from(self.size).unwrap_or(0), ..self.layout }
    }

    /// Writes a half of one of its three addresses.
    pub(super) const fn set_half(&mut self, offset: u64, value: u32) {
        let address = match offset & !0xf {
            QUEUE_DESC => &mut self.layout.descriptors,
            QUEUE_DRIVER => &mut self.layout.available,
            QUEUE_DEVICE => &mut self.layout.used,
            _ => return,
        };
        let value = value as u64;
        *address = match offset & 0xf {
            0 => *address & !0xffff_ffff | value,
            4 => *address & 0xffff_ffff | value << 32,
            _ => *address,
        };
    }
}
