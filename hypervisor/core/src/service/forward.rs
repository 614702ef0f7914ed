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
/// EL3 sees the client in x7, and of an SMC32 call only the lower halves of x0 to x6. x0 to x3 are its results. x4 to x7 are
/// too after an SMC64 call where the convention lets any function return there, but for an x7 that is still the client's;
/// else the guest finds its own, as it always does in x8 to x17.
pub fn forward(firmware: &dyn Firmware, client: u64, x: &mut [u64; REGISTERS]) {
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
    let wide = is_64 && firmware.is_wide();
    for (number, (register, own)) in x.iter_mut().zip(guest).enumerate().skip(RESULTS) {
        let is_result = wide && number < NARROW && !(number == CLIENT && *register == client);
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
        wide: bool,
        answer: bool,
        seen: Mutex<[u64; REGISTERS]>,
    }

    impl Plus {
        fn new(wide: bool, answer: bool) -> Self {
            Self { wide, answer, seen: Mutex::new([0; REGISTERS]) }
        }

        /// What the firmware sees and what the guest finds in x0 to x8.
        fn run(&self, low: [u64; 9]) -> ([u64; 9], [u64; 9]) {
            let mut x = [0; REGISTERS];
            x[..9].copy_from_slice(&low);
            forward(self, 9, &mut x);
            let first = |x: [u64; REGISTERS]| core::array::from_fn(|n| x[n]);
            (first(*self.seen.lock().unwrap()), first(x))
        }
    }

    impl Firmware for Plus {
        fn call(&self, x: &mut [u64; REGISTERS]) {
            *self.seen.lock().unwrap() = *x;
            for (number, register) in x.iter_mut().enumerate() {
                *register += u64::from(number != CLIENT || self.answer);
            }
        }

        fn is_wide(&self) -> bool {
            self.wide
        }
    }

    const HIGH: u64 = 0xdead_beef_0000_0000;

    #[test]
    fn of_an_smc32_call_el3_sees_the_lower_halves_and_gives_four_results() {
        for wide in [false, true] {
            let x =
                [HIGH | 0x8200_0000, HIGH | 1, HIGH | 2, HIGH | 3, HIGH | 4, HIGH | 5, HIGH | 6, HIGH | 7, HIGH | 8];
            let (seen, found) = Plus::new(wide, true).run(x);
            assert_eq!(seen, [0x8200_0000, 1, 2, 3, 4, 5, 6, 9, HIGH | 8]);
            assert_eq!(found, [0x8200_0001, 2, 3, 4, HIGH | 4, HIGH | 5, HIGH | 6, HIGH | 7, HIGH | 8]);
        }
    }

    #[test]
    fn of_an_smc64_call_it_sees_everything_but_the_upper_half_of_x0() {
        let x = [HIGH | 0xc200_0000, HIGH | 1, 2, 3, HIGH | 4, 5, 6, 7, 8];
        let (seen, found) = Plus::new(false, true).run(x);
        assert_eq!(seen, [0xc200_0000, HIGH | 1, 2, 3, HIGH | 4, 5, 6, 9, 8]);
        assert_eq!(found, [0xc200_0001, HIGH | 2, 3, 4, HIGH | 4, 5, 6, 7, 8]);
    }

    #[test]
    fn four_more_results_come_from_smccc_1_2_on() {
        let x = [0xc200_0000, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Plus::new(true, true).run(x).1, [0xc200_0001, 2, 3, 4, 5, 6, 7, 10, 8]);
        assert_eq!(Plus::new(true, false).run(x).1, [0xc200_0001, 2, 3, 4, 5, 6, 7, 7, 8]);
    }
}
