//! A board without a file: all is in its device tree.

use super::Definition;

/// Any board.
pub const UNKNOWN: Definition =
    Definition { compatible: "", firmware_memory: &[], uart_clock: None, wired: None, last_resort: None };
