//! TRNG (DEN0098).

use conformance::model;
use conformance::profile::{Profile, Trng};
use guest_runtime::tree;
use portcullis_abi::function::*;
use portcullis_abi::result::*;

use crate::guest::door::{Answer, Door, JUNK, REFUSED, code};
use crate::guest::report;

/// How often NO_ENTROPY is answered by another try, as Linux does.
const TRIES: usize = 20;

/// The cases of this service.
pub fn run(door: &Door, profile: &Profile) {
    seeds(profile);
    if !profile.has_trng() {
        for function in model::TRNG {
            for x1 in [0, 64, TRNG_RND64.into()] {
                door.refused(format_args!("trng/denied {function:#x} {x1:#x}"), function.into(), [x1, 0, 0]);
            }
        }
        return;
    }
    door.expect(format_args!("trng/version"), TRNG_VERSION.into(), [0; 3], [TRNG_VERSION_1_0.into(), 0, 0, 0]);
    uuid(door, profile);
    for asked in model::TRNG {
        features(door, asked.into(), code(0));
    }
    for asked in [TRNG_VERSION | SMC64, PSCI_VERSION, SMCCC_VERSION, VENDOR_PTP, 0, u32::MAX] {
        features(door, asked.into(), REFUSED);
    }
    features(door, JUNK | u64::from(TRNG_RND32), code(0));
    for (function, width) in [(TRNG_RND32, 32), (TRNG_RND64, 64)] {
        let most = 3 * width;
        for bits in [0, most + 1, 0x8000_0000, u32::MAX] {
            let name = format_args!("trng/rnd{width} {bits} bits");
            door.expect(name, function.into(), [bits.into(), 0, 0], code(TRNG_INVALID_PARAMETERS));
        }
        for bits in [1, 8, 31, 32, 33, 64, 65, 95, 96, 97, 128, 129, 191, 192].into_iter().filter(|&bits| bits <= most)
        {
            draw(door, function, width, bits);
        }
        let name = format_args!("trng/rnd{width} upper x1");
        door.satisfies(name, function.into(), [JUNK | 32, JUNK, JUNK], "32 bits in x3", |x| {
            x[..3] == [0; 3] && x[3] >> 32 == 0
        });
        spread(door, function, width);
    }
}

/// The device tree has random words if the guest may ask for some: one for the kernel's place, four for its generator.
fn seeds(profile: &Profile) {
    for (name, length) in [("kaslr-seed", 8), ("rng-seed", 32)] {
        let seed = tree::property("/chosen", name);
        let right = match seed {
            Some(seed) => profile.has_seeds() && seed.len() == length && seed.iter().any(|&byte| byte != 0),
            None => !profile.has_seeds(),
        };
        let expected = "of this length if the VM has TRNG, and its manifest does not say kaslr = false";
        report::holds(format_args!("trng/{name} {length} bytes"), right, expected, &seed);
    }
}

fn uuid(door: &Door, profile: &Profile) {
    let words = TRNG_UUID_RNDRRS_WORDS.map(u64::from);
    match profile.trng {
        Trng::Rndrrs => door.expect(format_args!("trng/uuid"), TRNG_GET_UUID.into(), [0; 3], words),
        Trng::El3 => door.expect(format_args!("trng/uuid"), TRNG_GET_UUID.into(), [0; 3], profile.firmware.uuid()),
        Trng::Other => {
            let expected = "four words of a UUID that is not that of RNDRRS";
            door.satisfies(format_args!("trng/uuid"), TRNG_GET_UUID.into(), [0; 3], expected, |x| {
                *x != words && *x != [0; 4] && x.iter().all(|word| word >> 32 == 0) && x[0] != u64::from(u32::MAX)
            });
        }
    }
}

fn features(door: &Door, asked: u64, expected: [u64; 4]) {
    door.expect(format_args!("trng/features {asked:#x}"), TRNG_FEATURES.into(), [asked, 0, 0], expected);
}

/// What bits x1 to x3 may have: the lowest word is in x3.
fn mask(width: u32, bits: u32) -> [u64; 3] {
    [2, 1, 0].map(|word| {
        let above = bits.saturating_sub(word * width).min(width);
        if above == 0 { 0 } else { u64::MAX >> (64 - above) }
    })
}

fn entropy(door: &Door, function: u32, bits: u32) -> Answer {
    let mut answer = door.call(function.into(), [bits.into(), 0, 0]);
    for _ in 1..TRIES {
        if answer.x != code(TRNG_NO_ENTROPY) {
            break;
        }
        answer = door.call(function.into(), [bits.into(), 0, 0]);
    }
    answer
}

fn draw(door: &Door, function: u32, width: u32, bits: u32) {
    let answer = entropy(door, function, bits);
    let [x1, x2, x3] = mask(width, bits);
    let fits = answer.x[0] == 0 && answer.x[1] & !x1 == 0 && answer.x[2] & !x2 == 0 && answer.x[3] & !x3 == 0;
    let expected = "0 and no bit above the asked ones, with x4 to x30 kept";
    let name = format_args!("{}/trng/rnd{width} {bits} bits", door.name());
    report::holds(name, fits && answer.changed.is_none(), expected, &answer);
}

/// Of 64 full draws no two neighbours are equal, and every bit is seen set and clear; chance fails this less than once
/// in 2^55 runs.
fn spread(door: &Door, function: u32, width: u32) {
    let (mut set, mut clear, mut last, mut repeated) = ([0; 3], [0; 3], [0; 3], false);
    for _ in 0..64 {
        let answer = entropy(door, function, 3 * width);
        let words = [answer.x[1], answer.x[2], answer.x[3]];
        repeated |= answer.x[0] != 0 || words == last;
        last = words;
        for (word, value) in words.into_iter().enumerate() {
            set[word] |= value;
            clear[word] |= !value;
        }
    }
    let full = mask(width, 3 * width);
    let spread = (0..3).all(|word| set[word] == full[word] && clear[word] & full[word] == full[word]);
    let expected = "draws that differ, with every bit seen both ways";
    report::holds(format_args!("{}/trng/rnd{width} spread", door.name()), spread && !repeated, expected, &(set, clear));
}
