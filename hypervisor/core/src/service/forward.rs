//! A guest's call handed to EL3, for the calls that the gate in Rust decides. The vectors do the same for the others.

use portcullis_abi::function::SMC64;
use portcullis_board::Firmware;

/// Registers that a call can have arguments and results in: x0 to x17 (DEN0028 section 2.6).
const REGISTERS: usize = 18;
/// Registers of an SMC32 call; the first four have its results.
const NARROW: usize = 8;
const RESULTS: usize = 4;
/// The register that tells EL3 whom the call is for (DEN0028, client identifier).
const CLIENT: usize = 7;

/// Hands the call in `x` to EL3 in the name of `client`, and puts in place what the guest finds afterwards.
///
/// EL3 sees the client in x7, and of an SMC32 call only the lower halves of x0 to x6. x0 to x3 are its results. x4 to x17 are
/// too after an SMC64 call that is `wide`: where the convention, EL3's and the one that the guest is shown, lets any function
/// return there; but for an x7 that is still the client's. Else the guest finds its own.
pub fn forward(firmware: &dyn Firmware, client: u64, wide: bool, x: &mut [u64; REGISTERS]) {
    let guest = *x;
    let [x0, ..] = guest;
    let is_64 = x0 as u32 & SMC64 != 0;
    for (number, register) in x.iter_mut().enumerate().take(NARROW) {
        if number == 0 || !is_64 {
            *register &= 0xffff_ffff;
        }
        if number == CLIENT {
            *register = client;
        }
    }
    firmware.call(x);
    let wide = wide && is_64;
    for (number, (register, own)) in x.iter_mut().zip(guest).enumerate().skip(RESULTS) {
        let is_result = wide && !(number == CLIENT && *register == client);
        if !is_result {
            *register = own;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Notes what it sees, and returns each register plus one, but keeps x7 unless it is to `answer` there.
    struct Plus {
        answer: bool,
        seen: Mutex<[u64; REGISTERS]>,
    }

    /// What the firmware sees and what the guest finds.
    fn run(answer: bool, wide: bool, guest: [u64; REGISTERS]) -> ([u64; REGISTERS], [u64; REGISTERS]) {
        let firmware = Plus { answer, seen: Mutex::new([0; REGISTERS]) };
        let mut found = guest;
        forward(&firmware, 9, wide, &mut found);
        (firmware.seen.into_inner().unwrap(), found)
    }

    impl Firmware for Plus {
        fn call(&self, x: &mut [u64; REGISTERS]) {
            *self.seen.lock().unwrap() = *x;
            for (number, register) in x.iter_mut().enumerate() {
                *register += u64::from(number != CLIENT || self.answer);
            }
        }

        fn is_wide(&self) -> bool {
            true
        }
    }

    const HIGH: u64 = 0xdead_beef_0000_0000;

    /// A guest's registers: the function, and each other one's number below `high`.
    fn guest(function: u64, high: u64) -> [u64; REGISTERS] {
        core::array::from_fn(|n| if n == 0 { function } else { high | n as u64 })
    }

    #[test]
    fn of_an_smc32_call_el3_sees_the_lower_halves_and_gives_four_results() {
        for wide in [false, true] {
            let own = guest(HIGH | 0x8200_0000, HIGH);
            let (seen, found) = run(true, wide, own);
            assert_eq!(seen[..9], [0x8200_0000, 1, 2, 3, 4, 5, 6, 9, HIGH | 8]);
            assert_eq!(found[..4], [0x8200_0001, 2, 3, 4]);
            assert_eq!(found[4..], own[4..]);
        }
    }

    #[test]
    fn of_an_smc64_call_it_sees_everything_but_the_upper_half_of_x0() {
        let own = guest(HIGH | 0xc200_0000, HIGH);
        let (seen, found) = run(true, false, own);
        assert_eq!((seen[0], seen[CLIENT]), (0xc200_0000, 9));
        assert_eq!((&seen[1..CLIENT], &seen[8..]), (&own[1..CLIENT], &own[8..]));
        assert_eq!(found[..4], [0xc200_0001, HIGH | 2, HIGH | 3, HIGH | 4]);
        assert_eq!(found[4..], own[4..]);
    }

    #[test]
    fn all_results_come_from_smccc_1_2_on() {
        let (_, found) = run(true, true, guest(0xc200_0000, 0));
        let plus_one = |n: usize| if n == CLIENT { 10 } else { n as u64 + 1 };
        assert_eq!(found[1..], core::array::from_fn::<_, { REGISTERS - 1 }, _>(|n| plus_one(n + 1)));
        // Kept there, it is the guest's own.
        assert_eq!(run(false, true, guest(0xc200_0000, 0)).1[CLIENT], 7);
    }
}
