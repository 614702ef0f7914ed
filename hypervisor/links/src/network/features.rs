//! What a port offers its driver (virtio 1.2, section 5.1.3).

use virtio_spec::net::F;
use virtio_spec::{FeatureBits, le128};

use portcullis_virtio::features::EVERY;

const fn bits(feature: F) -> u64 {
    feature.bits().to_ne() as u64
}

/// The driver leaves checksums to whoever gets the frame.
pub const CSUM: u64 = bits(F::CSUM);
/// The driver takes frames whose checksums are not finished.
pub const GUEST_CSUM: u64 = bits(F::GUEST_CSUM);
/// A frame may lie in several buffers.
pub const MRG_RXBUF: u64 = bits(F::MRG_RXBUF);
/// The driver acknowledges that it has announced itself.
pub const GUEST_ANNOUNCE: u64 = bits(F::GUEST_ANNOUNCE);
/// The driver sends TCP over IPv4 in segments that are too long for the network.
pub const HOST_TSO4: u64 = bits(F::HOST_TSO4);
/// The same over IPv6.
pub const HOST_TSO6: u64 = bits(F::HOST_TSO6);
/// The same with the bits of explicit congestion notification.
pub const HOST_ECN: u64 = bits(F::HOST_ECN);
/// The driver takes TCP over IPv4 in such segments.
pub const GUEST_TSO4: u64 = bits(F::GUEST_TSO4);
/// The same over IPv6.
pub const GUEST_TSO6: u64 = bits(F::GUEST_TSO6);
/// The same with the bits of explicit congestion notification.
pub const GUEST_ECN: u64 = bits(F::GUEST_ECN);

/// What concerns segments.
const SEGMENTATION: u64 = HOST_TSO4 | HOST_TSO6 | HOST_ECN | GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN;
/// What every port offers.
const ALWAYS: u64 = EVERY
    | CSUM
    | GUEST_CSUM
    | MRG_RXBUF
    | GUEST_ANNOUNCE
    | bits(F::MTU)
    | bits(F::MAC)
    | bits(F::STATUS)
    | bits(F::CTRL_VQ);

/// What is offered at a network where segments may be left to the receiver, or not.
pub const fn offered(segmentation: bool) -> u64 {
    if segmentation { ALWAYS | SEGMENTATION } else { ALWAYS }
}

/// Whether features that a driver accepts go together (section 5.1.3.1).
pub fn accepts(features: u64) -> bool {
    F::from_bits_retain(le128::from_ne(u128::from(features))).requirements_satisfied()
}
