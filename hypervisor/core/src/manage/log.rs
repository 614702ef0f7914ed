//! What a VM's guest has written to its console of late.

use super::Answer;
use super::status::Status;
use crate::vm::Vm;

/// Bytes that one call returns at the most.
pub const MOST: usize = 16;

/// `LOG`.
pub fn read(vm: &Vm, position: u64) -> Answer {
    let mut bytes = [0; MOST];
    let (next, count) = vm.console.read_log(position, &mut bytes).ok_or(Status::NoItem)?;
    Ok(text(next, count, bytes))
}

/// The first `count` of these bytes of a text, and the position behind them, as a call returns both.
pub fn text(next: u64, count: usize, bytes: [u8; MOST]) -> [u64; 3] {
    let text = u128::from_le_bytes(bytes);
    [next & ((1 << 56) - 1) | (count as u64) << 56, text as u64, (text >> 64) as u64]
}
