//! Services of the silicon provider's that a test can recognise, for what becomes of forwarded calls.

use crate::reply::{Answer, Now};

/// First function of the range with 32-bit identifiers.
pub const BASE_32: u32 = 0x8200_0000;
/// First function of the range with 64-bit identifiers.
pub const BASE_64: u32 = 0xc200_0000;
/// Functions in each range. All but those below return four results: the identifier with the bits of [`MARK`]
/// flipped, x1 + 1, x2 + 2, and w7. The sums are 64-bit ones in both ranges.
pub const COUNT: u32 = 0x100;
/// What is flipped in the identifier.
pub const MARK: u32 = 0x55;
/// Returns eight results: 0x100 to 0x107.
pub const EIGHT: u32 = BASE_64 + 0x10;
/// Returns [`TRASHED`] in each of x0 to x17.
pub const TRASH: u32 = BASE_64 + 0x30;
/// What [`TRASH`] returns.
pub const TRASHED: u64 = 0xdead_0000_dead;
/// Return 0 and x4 to x6 as they came in, in x1 to x3.
pub const BEHIND_32: u32 = BASE_32 + 0x40;
/// See [`BEHIND_32`].
pub const BEHIND_64: u32 = BASE_64 + 0x40;
/// Returns 0 and x1 to x3 as they came in, all 64 bits: shows what the upper halves of a 32-bit call hold.
pub const WHOLE: u32 = BASE_32 + 0x20;

/// Returns 0 after as many milliseconds as x1 says, up to [`LONGEST`].
pub const LATE: u32 = BASE_64 + 0x50;
/// The longest time that [`LATE`] takes, in milliseconds.
pub const LONGEST: u64 = 10_000;

/// The answer to a call of these services; none if `x` is another call.
pub(crate) fn answer(now: Now, x: &[u64; 8]) -> Option<Answer> {
    let function = x[0] as u32;
    match function {
        LATE => Some(Answer::Late(now.frequency.saturating_mul(x[1].min(LONGEST)) / 1000)),
        EIGHT => Some(Answer::Eight([0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106, 0x107])),
        TRASH => Some(Answer::Eighteen([TRASHED; 18])),
        BEHIND_32 | BEHIND_64 => Some(Answer::Four([0, x[4], x[5], x[6]])),
        WHOLE => Some(Answer::one(0, x)),
        _ if [BASE_32, BASE_64].contains(&(function & !(COUNT - 1))) => {
            let w7 = x[7] & 0xffff_ffff;
            Some(Answer::Four([u64::from(function ^ MARK), x[1].wrapping_add(1), x[2].wrapping_add(2), w7]))
        }
        _ => None,
    }
}
