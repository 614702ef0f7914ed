//! The floor of a call: two instructions at the vector: a stub at EL2 to compare hypervisors with.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
core::arch::global_asm!(
    include_str!("../../../assembly/head.s"),
    include_str!("../floor/calls.s"),
    include_str!("../floor/start.s"),
);

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
