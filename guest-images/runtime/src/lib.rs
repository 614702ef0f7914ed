//! Runtime of a bare-metal guest at EL1 on the map of QEMU's `virt` machine: an arm64 `Image` that relocates itself,
//! turns on the MMU and the caches, catches exceptions, and starts further vCPUs through PSCI.
//!
//! A guest names its main function with [`main!`] and passes `-Tguest.ld` to the linker in its build script.
#![cfg_attr(target_os = "none", no_std)]

pub mod arguments;
pub mod random;

#[cfg(target_os = "none")]
pub mod call;
#[cfg(target_os = "none")]
pub mod console;
#[cfg(target_os = "none")]
pub mod counter;
#[cfg(target_os = "none")]
pub mod cpu;
#[cfg(target_os = "none")]
mod entry;
#[cfg(target_os = "none")]
pub mod exception;
#[cfg(target_os = "none")]
pub mod gic;
#[cfg(target_os = "none")]
pub mod interrupts;
#[cfg(target_os = "none")]
pub mod power;
#[cfg(target_os = "none")]
pub mod tree;

#[cfg(target_os = "none")]
pub use guest_mmio as mmio;

/// Names the guest's main function, a `fn(arguments: &'static str) -> !`; `arguments` is `/chosen/bootargs`.
#[macro_export]
macro_rules! main {
    ($function:path) => {
        // SAFETY: the runtime declares this symbol with the same signature and is the only one to call it.
        #[unsafe(no_mangle)]
        fn guest_main(arguments: &'static str) -> ! {
            $function(arguments)
        }
    };
}
