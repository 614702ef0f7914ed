//! What a guest's device tree says of a device.

use crate::Frame;

/// When an interrupt line asks for service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// While it is high.
    Level,
    /// When it rises.
    Edge,
}

/// A device's node below the root of the guest's device tree (Devicetree Specification 0.4, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name and unit address.
    pub node: &'static str,
    /// `compatible`: names, most specific first, with a NUL between two.
    pub compatible: &'static str,
    /// Where its registers are: the frames of `reg`.
    pub frames: &'static [Frame],
    /// Number and trigger of its interrupt, a shared peripheral interrupt; none if it has none.
    pub interrupt: Option<(u32, Trigger)>,
    /// `clock-names`, with a NUL between two. Each clock is the one of 24 MHz that virt has.
    pub clock_names: &'static str,
    /// How many these are; none: it has neither `clocks` nor `clock-names`.
    pub clocks: usize,
    /// `bank-width` of a memory device, in bytes.
    pub bank_width: Option<u32>,
    /// `#gpio-cells` of a GPIO controller: how many name one of its lines.
    pub gpio_cells: Option<u32>,
}

impl Description {
    /// The first of its frames.
    pub const fn frame(&self) -> Frame {
        match self.frames {
            [first, ..] => *first,
            [] => Frame { start: 0, size: 0 },
        }
    }
}
