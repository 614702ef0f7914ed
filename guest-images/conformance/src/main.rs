//! A guest that makes every firmware call, pokes every emulated device and reports each case as a line.
//!
//! What to expect comes from the command line ([`conformance::profile`]), so that one image serves VMs with different
//! doors. Each case prints `case NAME: ok` or `case NAME: FAIL expected ... got ...`; `cases: N passed, M failed` is the
//! last line before PSCI SYSTEM_OFF. `mode=` chooses one of the runs that end the VM or take long instead of the cases.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

/// The guest runs on bare metal; a build for the host only serves the tests of the library.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("conformance is a guest: build it for aarch64-unknown-none-softfloat and boot it in a VM");
    std::process::exit(2);
}
