//! Whether a stream can be of a VM of the shape that it says.

use portcullis_abi::map::MAX_VCPUS;
use portcullis_abi::state::Needs;

use crate::counts::Counts;
use crate::error::Fault;
use crate::layout::PAGE;

/// Returns of what a VM of this shape has how many, and its bytes of memory, if it can have that.
pub const fn check_shape<E>(needs: &Needs) -> Result<(Counts, u64), Fault<E>> {
    if needs.version != Needs::VERSION {
        return Err(Fault::Shape("a shape of this version"));
    }
    if needs.vcpus == 0 || needs.vcpus as usize > MAX_VCPUS {
        return Err(Fault::Shape("so many vCPUs"));
    }
    if needs.memory == 0 || !needs.memory.is_multiple_of(PAGE) {
        return Err(Fault::Shape("so many bytes of memory"));
    }
    if needs.ports > u32::BITS {
        return Err(Fault::Shape("so many ports of a console"));
    }
    Ok((Counts::of(needs), needs.memory))
}
