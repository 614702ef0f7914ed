//! A guest that makes every firmware call, pokes every emulated device and reports each case as a line.
//!
//! What to expect comes from the command line ([`profile`]), so that one image serves VMs with different doors. Each
//! case prints `case NAME: ok` or `case NAME: FAIL expected ... got ...`; `cases: N passed, M failed` is the last line
//! before PSCI SYSTEM_OFF. `mode=` chooses one of the runs that end the VM or take long instead of the cases.
#![cfg_attr(target_os = "none", no_std, no_main)]

// On the host these are there for their tests only.
#[cfg_attr(not(target_os = "none"), allow(dead_code))]
mod el3;
#[cfg_attr(not(target_os = "none"), allow(dead_code))]
mod mode;
#[cfg_attr(not(target_os = "none"), allow(dead_code))]
mod model;
#[cfg_attr(not(target_os = "none"), allow(dead_code))]
mod profile;
#[cfg_attr(not(target_os = "none"), allow(dead_code))]
mod ranges;

#[cfg(target_os = "none")]
mod aborts;
#[cfg(target_os = "none")]
mod architecture;
#[cfg(target_os = "none")]
mod busy;
#[cfg(target_os = "none")]
mod cost;
#[cfg(target_os = "none")]
mod device;
#[cfg(target_os = "none")]
mod distributor;
#[cfg(target_os = "none")]
mod dma;
#[cfg(target_os = "none")]
mod door;
#[cfg(target_os = "none")]
mod draws;
#[cfg(target_os = "none")]
mod end;
#[cfg(target_os = "none")]
mod excursion;
#[cfg(target_os = "none")]
mod fault;
#[cfg(target_os = "none")]
mod forward;
#[cfg(target_os = "none")]
mod garbage;
#[cfg(target_os = "none")]
mod gicv2;
#[cfg(target_os = "none")]
mod guest;
#[cfg(target_os = "none")]
mod hostile;
#[cfg(target_os = "none")]
mod identification;
#[cfg(target_os = "none")]
mod idle;
#[cfg(target_os = "none")]
mod interrupts;
#[cfg(target_os = "none")]
mod leak;
#[cfg(target_os = "none")]
mod lifecycle;
#[cfg(target_os = "none")]
mod psci;
#[cfg(target_os = "none")]
mod ptp;
#[cfg(target_os = "none")]
mod pv_time;
#[cfg(target_os = "none")]
mod report;
#[cfg(target_os = "none")]
mod reset;
#[cfg(target_os = "none")]
mod sgi;
#[cfg(target_os = "none")]
mod spi;
#[cfg(target_os = "none")]
mod steal;
#[cfg(target_os = "none")]
mod storm;
#[cfg(target_os = "none")]
mod sweep;
#[cfg(target_os = "none")]
mod tables;
#[cfg(target_os = "none")]
mod timer;
#[cfg(target_os = "none")]
mod trng;
#[cfg(target_os = "none")]
mod uart;
#[cfg(target_os = "none")]
mod unknown;
#[cfg(target_os = "none")]
mod vendor;

/// The guest runs on bare metal; a build for the host only serves the tests of its hardware-free parts.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("conformance is a guest: build it for aarch64-unknown-none-softfloat and boot it in a VM");
    std::process::exit(2);
}
