//! Random bits from the firmware: TRNG (Arm DEN0098).

use core::fmt;
use core::marker::PhantomData;

use portcullis_abi::function::{TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND64, TRNG_VERSION};
use portcullis_abi::result;
use portcullis_board::Entropy;

use smccc::arch::{Error, Version};
use smccc::error::positive_or_error_32;

use super::el3::El3;
use super::failure::Failure;

/// Most words of one call: TRNG_RND64 gives 192 bits (section 2.6).
const WORDS: usize = 3;

/// What the firmware's TRNG is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trng {
    /// It has none.
    Absent,
    /// It can be used.
    Usable(Identity),
    /// It has one that cannot be relied on.
    Unusable(Fault),
}

/// Version and name of a TRNG that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Version.
    pub version: Version,
    /// The words of its UUID.
    pub uuid: [u32; 4],
    /// It had no bits when it was asked.
    pub dry: bool,
}

/// Why a TRNG is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The major number is none that this code knows.
    Version(Version),
    /// TRNG_FEATURES does not have TRNG_RND64, which SMC64 callers need (section 2.3).
    NoRnd64,
    /// TRNG_GET_UUID has no UUID (section 2.4).
    NoUuid,
    /// TRNG_FEATURES has TRNG_RND64, but it returns this code when 64 bits are asked for.
    Code(i32),
    /// Asked for 64 bits, TRNG_RND64 sets more of them (section 2.6 wants the rest zero).
    TooManyBits,
    /// Asked twice, TRNG_RND64 gives the same 64 bits.
    Repeats,
}

/// An answer of TRNG_RND64.
enum Draw {
    Bits([u64; WORDS]),
    Code(i32),
}

/// Asks for `bits` bits: x3 has the lowest, then x2, then x1.
fn draw<E: El3>(bits: u64) -> Draw {
    let mut arguments = [0; 17];
    arguments[0] = bits;
    let [x0, x1, x2, x3, ..] = E::call64(TRNG_RND64, arguments);
    match x0 as i32 {
        0 => Draw::Bits([x3, x2, x1]),
        code => Draw::Code(code),
    }
}

impl Trng {
    /// Asks the firmware: 5 calls at the most.
    pub fn ask<E: El3>() -> Self {
        let one = |function: u32, x1: u32| E::call32(function, [x1, 0, 0, 0, 0, 0, 0]);
        let [x0, ..] = one(TRNG_VERSION, 0);
        // The version has the form of SMCCC's, and the error is one of its kind (sections 2.2 and 2.7).
        let Ok(version) = Version::try_from(x0 as i32) else { return Self::Absent };
        if version.major != 1 {
            return Self::Unusable(Fault::Version(version));
        }
        let [x0, ..] = one(TRNG_FEATURES, TRNG_RND64);
        if positive_or_error_32::<Error>(x0).is_err() {
            return Self::Unusable(Fault::NoRnd64);
        }
        let [uuid @ .., _, _, _, _] = one(TRNG_GET_UUID, 0);
        // -1 is no first word of a UUID: an error then.
        if uuid.first() == Some(&u32::MAX) {
            return Self::Unusable(Fault::NoUuid);
        }
        match try_out::<E>() {
            Ok(dry) => Self::Usable(Identity { version, uuid, dry }),
            Err(fault) => Self::Unusable(fault),
        }
    }
}

/// Draws 64 bits twice, which nobody gets. Whether there were none to give.
fn try_out<E: El3>() -> Result<bool, Fault> {
    let mut before = None;
    for _ in 0..2 {
        match draw::<E>(64) {
            Draw::Code(code) if i64::from(code) == result::TRNG_NO_ENTROPY => return Ok(true),
            Draw::Code(code) => return Err(Fault::Code(code)),
            Draw::Bits([bits, 0, 0]) if before == Some(bits) => return Err(Fault::Repeats),
            Draw::Bits([bits, 0, 0]) => before = Some(bits),
            Draw::Bits(_) => return Err(Fault::TooManyBits),
        }
    }
    Ok(false)
}

impl fmt::Display for Trng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "none"),
            Self::Usable(identity) => identity.fmt(f),
            Self::Unusable(fault) => write!(f, "not used: {fault}"),
        }
    }
}

impl fmt::Display for Identity {
    /// The UUID in its usual form: each word of it holds four bytes, the first one lowest (DEN0028 section 5.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.uuid.map(u32::swap_bytes);
        let (b_high, b_low, c_high, c_low) = (b >> 16, b & 0xffff, c >> 16, c & 0xffff);
        write!(f, "{}, {a:08x}-{b_high:04x}-{b_low:04x}-{c_high:04x}-{c_low:04x}{d:08x}", self.version)?;
        if self.dry { write!(f, ", which has no bits yet") } else { Ok(()) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "it says version {version}, and only 1.x is known"),
            Self::NoRnd64 => write!(f, "it has no TRNG_RND64"),
            Self::NoUuid => write!(f, "it has no UUID"),
            Self::Code(code) => write!(f, "its TRNG_RND64 returns {code}"),
            Self::TooManyBits => write!(f, "it gives more bits than asked for"),
            Self::Repeats => write!(f, "it gives the same bits twice"),
        }
    }
}

/// The firmware's TRNG as a source of entropy.
pub struct El3Trng<E> {
    el3: PhantomData<fn() -> E>,
    uuid: [u32; 4],
    failure: Failure,
}

impl<E: El3> El3Trng<E> {
    /// The TRNG with this identity.
    pub const fn new(identity: Identity) -> Self {
        Self { el3: PhantomData, uuid: identity.uuid, failure: Failure::new() }
    }
}

impl<E: El3> Entropy for El3Trng<E> {
    /// One call. Of what comes back no more than the words that are wanted goes on.
    fn draw(&self, words: &mut [u64]) -> bool {
        let wanted = words.len().min(WORDS);
        match draw::<E>(wanted as u64 * 64) {
            Draw::Bits(bits) => {
                words.iter_mut().zip(bits).for_each(|(word, fresh)| *word = fresh);
                wanted == words.len()
            }
            Draw::Code(code) => {
                if i64::from(code) != result::TRNG_NO_ENTROPY {
                    self.failure.report("TRNG_RND64", code);
                }
                false
            }
        }
    }

    fn uuid(&self) -> [u32; 4] {
        self.uuid
    }

    fn name(&self) -> &'static str {
        "EL3's TRNG"
    }
}
