//! A network: ports with an Ethernet address each, at a switch that knows them all (virtio 1.2, section 5.1).
//!
//! A frame is copied from the buffers of one VM to those of another. It is known up to its Ethernet header; IP is only the driver's
//! business, so that what is done of its checksums and segments is what the frame's virtio header says. That header is
//! checked, and each receiver gets one that was written anew.

mod checksum;
pub mod control;
mod counters;
mod deliver;
pub mod features;
mod frame;
mod header;
mod mac;
mod port;
mod rate;
mod straight;
mod switch;

pub use counters::{Counters, Dropped, Traffic};
pub use deliver::{Given, deliver};
pub use features::GUEST_ANNOUNCE;
pub use frame::{Frame, Stage};
pub use header::{Header, Segmentation};
pub use mac::Mac;
pub use port::{CONTROL, Port, QUEUES, RECEIVE, TRANSMIT};
pub use rate::Rate;
pub use straight::Straight;
pub use switch::{MAX_PORTS, Ports, Switch};

/// Bytes of an Ethernet header: two addresses and a type.
pub const ETHERNET: u32 = 14;
/// Bytes of an 802.1Q tag, which a frame may have on top of the MTU.
pub const TAG: u32 = 4;
/// Bytes of a virtio header (virtio 1.2, section 5.1.6).
pub const HEADER: u32 = 12;
/// Bytes of the longest packet behind an Ethernet header, one that is still to be cut into segments.
pub const LONGEST: u32 = 0xffff;
