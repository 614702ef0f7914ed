//! System registers of a vCPU, as a table: which bits can have any value without an effect here, and how to get at them.

/// One register.
#[derive(Clone, Copy)]
pub struct Slot {
    /// Its name.
    pub name: &'static str,
    /// The bits that are given a pattern.
    pub mask: u64,
    /// Its value in a vCPU that starts, in the bits of the mask; nothing where the start of this program has set it.
    pub reset: Option<u64>,
    /// A wait for an interrupt needs it as it is.
    pub wakes: bool,
    /// Reads it.
    pub read: fn() -> u64,
    /// Writes it.
    pub write: fn(u64),
}

/// A slot of a system register: name, encoding, mask, reset value.
macro_rules! slot {
    ($name:literal, $register:literal, $mask:expr, $reset:expr) => {
        slot!($name, $register, $register, $mask, $reset)
    };
    ($name:literal, $read:literal, $write:literal, $mask:expr, $reset:expr) => {
        $crate::guest::modes::leak::slot::Slot {
            name: $name,
            mask: $mask,
            reset: $reset,
            wakes: false,
            read: || {
                let value: u64;
                // SAFETY: reads a register without side effects; the barrier lets it see the last write.
                unsafe { core::arch::asm!("isb", concat!("mrs {}, ", $read), out(reg) value, options(nostack)) };
                value
            },
            write: |value| {
                // SAFETY: the mask leaves out all bits with an effect on this program, which has interrupts masked.
                unsafe { core::arch::asm!(concat!("msr ", $write, ", {}"), "isb", in(reg) value, options(nostack)) };
            },
        }
    };
}
pub(super) use slot;
