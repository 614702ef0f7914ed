//! Bytes that the hypervisor tells by calls, up to sixteen at a time.

use portcullis_abi::manage::NO_ITEM;

use crate::calls::{Calls, Failure};
use crate::status::Status;

/// Bits of x1 that say where the next piece begins; those above say how many bytes this one has.
const POSITION: u32 = 56;

/// Reads them from the first on, and gives each piece to `take`: no more pieces than `most`, as what grows while it is read would
/// have no end. `call` makes the call for what begins at a position.
///
/// # Errors
/// Those of the call.
pub fn read<C: Calls + ?Sized>(
    calls: &mut C,
    most: u64,
    mut call: impl FnMut(&mut C, u64) -> Result<[u64; 3], C::Error>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), C::Error> {
    let mut position = 0;
    for _ in 0..most {
        let [next, low, high] = match call(calls, position) {
            Err(error) if error.status() == Some(Status(NO_ITEM)) => break,
            answer => answer?,
        };
        let (behind, count) = (next & ((1 << POSITION) - 1), (next >> POSITION) as usize);
        let bytes = (u128::from(low) | u128::from(high) << 64).to_le_bytes();
        take(bytes.get(..count).unwrap_or(&bytes));
        if behind <= position {
            // No hypervisor says so.
            break;
        }
        position = behind;
    }
    Ok(())
}
