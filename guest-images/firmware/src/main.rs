//! The firmware: sets EL3 up, enters the hypervisor, answers its calls, and tells of them in the end.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod firmware;
#[cfg(target_os = "none")]
mod leftovers;
#[cfg(target_os = "none")]
mod parking;
#[cfg(target_os = "none")]
mod processor;
#[cfg(target_os = "none")]
mod shared;

/// The firmware runs on bare metal; a build for the host only serves the tests of the library.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("firmware runs at EL3: build it for aarch64-unknown-none-softfloat and give it to QEMU with -bios");
    std::process::exit(2);
}
