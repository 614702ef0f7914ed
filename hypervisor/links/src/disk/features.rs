//! What a disk offers its driver (virtio 1.2, section 5.2.3).

use portcullis_virtio::features::EVERY;
use virtio_spec::blk::F;

const fn bits(feature: F) -> u64 {
    feature.bits().to_ne() as u64
}

/// What every disk offers.
const ALWAYS: u64 =
    EVERY | bits(F::SEG_MAX) | bits(F::BLK_SIZE) | bits(F::FLUSH) | bits(F::DISCARD) | bits(F::WRITE_ZEROES);

/// What is offered by a disk that can be written, or not.
pub const fn offered(read_only: bool) -> u64 {
    if read_only { ALWAYS | bits(F::RO) } else { ALWAYS }
}
