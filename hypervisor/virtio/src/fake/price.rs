//! What accesses cost, as an estimate.

use super::ram::Step;

/// Most instructions of one piece of work.
pub const INSTRUCTIONS: usize = 20_000;

/// Instructions of an access to a block of a guest's memory that is there already: to find it, and to come and go.
const ACCESS: usize = 25;
/// Instructions to judge a descriptor.
const DESCRIPTOR: usize = 20;
/// Bytes of a descriptor.
const SIZE: usize = 16;

/// What the accesses that were noted cost, in instructions; none are noted any more. Bytes are copied 64 by five. Whatever is
/// copied in by whole descriptors counts as such, which is too much rather than too little.
pub fn price(steps: &mut Option<Vec<Step>>) -> usize {
    let price = |step: Step| match step {
        Step::In(_, bytes) if bytes.is_multiple_of(SIZE) && bytes <= 16 * SIZE => ACCESS + bytes / SIZE * DESCRIPTOR,
        Step::In(_, bytes) | Step::Out(_, bytes) => ACCESS + bytes * 5 / 64,
        Step::Load(_) | Step::Store(_) => ACCESS,
        Step::Order(_) => 1,
    };
    steps.take().unwrap_or_default().into_iter().map(price).sum()
}
