//! TRNG (Arm DEN0098): random bits from the board's entropy source.

use portcullis_abi::result;
use portcullis_gate::{Return, TrngFunction};

use crate::machine::Machine;
use crate::vm::Vm;

/// Most bits of one TRNG_RND32 call: 96.
const MAX_BITS_32: u64 = 96;
/// Most bits of one TRNG_RND64 call: 192.
const MAX_BITS_64: u64 = 192;

/// Serves `function` for `vm` with its argument, the number of bits, from the machine's source.
#[inline(always)]
pub fn serve(machine: &Machine, vm: &Vm, function: TrngFunction, bits: u64) -> Return {
    let Some(source) = machine.board.entropy else { return Return::NOT_SUPPORTED };
    answer(|| source.uuid(), |words| machine.draw(source, &vm.entropy, words), function, bits)
}

/// Serves it from a source with this UUID.
#[inline(always)]
fn answer(
    uuid: impl FnOnce() -> [u32; 4],
    draw: impl FnOnce(&mut [u64]) -> bool,
    function: TrngFunction,
    bits: u64,
) -> Return {
    // The argument is a 32-bit number in both widths (DEN0098, sections 2.5 and 2.6).
    let bits = bits & 0xffff_ffff;
    match function {
        TrngFunction::GetUuid => Return::words(uuid()),
        TrngFunction::Rnd32 => random(draw, bits, MAX_BITS_32, 32),
        TrngFunction::Rnd64 => random(draw, bits, MAX_BITS_64, 64),
    }
}

/// `bits` random bits in words of `width`: the lowest in x3, then x2, then x1; what is beyond is zero.
#[inline(always)]
fn random(draw: impl FnOnce(&mut [u64]) -> bool, bits: u64, most: u64, width: u64) -> Return {
    if bits == 0 || bits > most {
        return Return::code(result::TRNG_INVALID_PARAMETERS);
    }
    let full = bits.wrapping_sub(1) / width;
    let mut words = [0u64; 3];
    let Some(wanted) = words.get_mut(..=full as usize) else {
        return Return::code(result::TRNG_INVALID_PARAMETERS);
    };
    if !draw(wanted) {
        return Return::code(result::TRNG_NO_ENTROPY);
    }
    // All words are cut to their width, the last one to the bits that are left for it.
    if width < 64 {
        for word in &mut *wanted {
            *word &= u64::MAX >> (64 - width);
        }
    }
    if let Some(last) = wanted.last_mut() {
        *last &= u64::MAX >> (64u64.wrapping_sub(bits).wrapping_add(full * width) & 63);
    }
    let [low, middle, high] = words;
    Return([0, high, middle, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call of a source that has `left` words of ones.
    fn call(function: TrngFunction, bits: u64, left: usize) -> [u64; 4] {
        let draw = |words: &mut [u64]| {
            words.fill(u64::MAX);
            left >= words.len()
        };
        answer(|| [1, 2, 3, 0xffff_ffff], draw, function, bits).0
    }

    #[test]
    fn every_count_gives_exactly_that_many_bits_from_x3_up() {
        for (function, most, width) in [(TrngFunction::Rnd32, 96, 32), (TrngFunction::Rnd64, 192, 64)] {
            for bits in 1..=most {
                let [x0, x1, x2, x3] = call(function, bits, 3);
                assert_eq!(x0, 0);
                let ones = |from: u64| {
                    let n = bits.saturating_sub(from).min(width);
                    if n == 0 { 0 } else { u64::MAX >> (64 - n) }
                };
                assert_eq!([x3, x2, x1], [ones(0), ones(width), ones(2 * width)], "{bits} bits");
            }
        }
    }

    #[test]
    fn counts_out_of_range_draw_nothing() {
        for (function, bits) in [
            (TrngFunction::Rnd32, 0),
            (TrngFunction::Rnd32, 97),
            (TrngFunction::Rnd64, 0),
            (TrngFunction::Rnd64, 193),
            (TrngFunction::Rnd64, 0xffff_ffff),
        ] {
            let draw = |_: &mut [u64]| panic!("nothing is to be drawn");
            assert_eq!(answer(|| [0; 4], draw, function, bits).0, [-2i64 as u64, 0, 0, 0]);
        }
    }

    #[test]
    fn a_short_source_gives_no_entropy_and_no_bits() {
        assert_eq!(call(TrngFunction::Rnd64, 192, 2), [-3i64 as u64, 0, 0, 0]);
        assert_eq!(call(TrngFunction::Rnd64, 128, 2)[0], 0);
        assert_eq!(call(TrngFunction::Rnd32, 1, 0), [-3i64 as u64, 0, 0, 0]);
    }

    #[test]
    fn the_uuid_is_the_source_s_own_and_zero_extended() {
        assert_eq!(call(TrngFunction::GetUuid, 0, 0), [1, 2, 3, 0xffff_ffff]);
    }
}
