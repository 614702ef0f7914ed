//! What accesses cost, as an estimate.

use super::ram::Step;

/// Most instructions of one piece of work.
pub const INSTRUCTIONS: usize = 20_000;

/// Instructions of an access to a block of a guest's memory that is there already: to find it, and to come and go.
const ACCESS: usize = 25;
/// Instructions to judge a descriptor that lies in such a block, to which another one came just before.
const DESCRIPTOR: usize = 22;
/// Bytes of a descriptor.
const SIZE: usize = 16;

/// What the accesses that were noted cost, in instructions; none are noted any more. Of the nine that copy 64
/// bytes from one guest to another each of the two has five. Whatever is copied in as long as a descriptor counts as one.
pub fn price(steps: &mut Option<Vec<Step>>) -> usize {
    let price = |step: Step| match step {
        Step::In(_, SIZE) => DESCRIPTOR,
        Step::In(_, bytes) | Step::Out(_, bytes) => ACCESS + bytes * 5 / 64,
        Step::Load(_) | Step::Store(_) => ACCESS,
        Step::Order(_) => 1,
    };
    steps.take().unwrap_or_default().into_iter().map(price).sum()
}
