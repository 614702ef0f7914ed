//! The devices that Portcullis emulates for its guests, and the seam behind which they stand.
//!
//! - A device is a state machine: registers go in and out of it, and it says what its interrupt line is. It allocates
//!   nothing, waits for nothing and never panics, whatever a guest writes; the work for one access is constant.
//! - What a device needs of the world (the time of day, what is typed) is handed to it; it knows neither VM nor core.
//! - An [`Access`] is decoded once, from the syndrome of the abort. A [`Bus`] leads from its address to the device. The GIC's
//!   frames and the UART, which guests use all the time, are matched in front of the bus.
//! - A device's line goes through a [`Line`], which tells the interrupt controller of changes only.
//! - Guest memory is reached through [`Memory`], by copies.
//! - All of a device's state is a plain structure of [`portcullis_abi::state`].
//!
//! # Example
//!
//! A guest asks its real-time clock for the time, and the clock for its state:
//!
//! ```
//! use portcullis_abi::map;
//! use portcullis_devices::{Bus, Device, rtc::Pl031};
//!
//! let mut bus: Bus<&str, 1> = Bus::new();
//! bus.add(Pl031::DESCRIPTION.frame(), "clock").unwrap();
//! assert_eq!(bus.find(map::RTC), Some((&"clock", 0)));
//!
//! let mut clock = Pl031::new();
//! let now = 1_795_970_000;
//! assert_eq!(Device::read(&mut clock, now, 0, 4), 1_795_970_000, "RTCDR at offset 0");
//! Device::write(&mut clock, now, 4, 4, 1_795_970_060);
//! Device::write(&mut clock, now, 0x10, 4, 1);
//! clock.look(now + 60);
//! assert!(clock.level(), "RTCMR has come, and RTCIMSC lets its interrupt out");
//!
//! let mut other = Pl031::new();
//! other.restore(&clock.save()).unwrap();
//! assert!(other.level());
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod access;
pub mod bus;
pub mod describe;
pub mod device;
pub mod flash;
pub mod gpio;
pub mod line;
pub mod memory;
pub mod rtc;
pub mod uart;
pub mod unused;

pub use access::Access;
pub use bus::{Bus, Frame};
pub use describe::{Description, Trigger};
pub use device::{Device, Unfit};
pub use line::Line;
pub use memory::{Memory, OutOfReach};
pub use unused::Unused;

/// What a guest's device tree says of the devices that EL2 emulates for some VMs. A test looks that it is all of them; the UART,
/// which every VM has, is none.
pub const EMULATED: [&Description; 3] =
    [&<rtc::Pl031 as Device>::DESCRIPTION, &<flash::Cfi as Device>::DESCRIPTION, &<gpio::Pl061 as Device>::DESCRIPTION];
