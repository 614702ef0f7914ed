//! The four functions on memory that compiled code calls, for EL2.

#[cfg(target_os = "none")]
core::arch::global_asm!(include_str!("memory.S"));
