//! The control VM: a shell on its console, by which a person or a script configures, starts, stops and watches the other
//! VMs. Its command line is a script; see `help` for the commands.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;
#[cfg(target_os = "none")]
mod keyboard;
#[cfg(target_os = "none")]
mod vm;

/// The guest runs on bare metal; a build for the host only serves the tests of the library.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("ops is a guest: build it for aarch64-unknown-none-softfloat and boot it in a VM");
    std::process::exit(2);
}
