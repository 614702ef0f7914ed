//! A board without a file: what the standard bindings of its device tree lead to.

use super::Definition;
use crate::drivers::pl011;

/// Any board.
pub const UNKNOWN: Definition = Definition {
    compatible: "",
    firmware_memory: &[],
    uart_clock: None,
    serial: &[pl011::find],
    power: None,
    entropy: None,
    reference: None,
    last_resort: None,
};
