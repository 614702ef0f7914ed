//! A guest's call handed to EL3, for the calls that the gate in Rust decides. The vectors do the same for the others.

use crate::board::Firmware;

/// Bit 30 of a function identifier: the SMC64 convention.
const SMC64: u64 = 1 << 30;

/// Hands a call with x0 to x7 as in `x` to EL3 in the name of `client`. Returns what the guest finds in them.
///
/// EL3 sees the client in x7 (DEN0028, client identifier), and of an SMC32 call only the lower halves. x0 to x3 are its
/// results. x4 to x7 are too after an SMC64 call where the convention lets any function return there, but for an x7 that is
/// still the client's; else the guest finds its own.
pub fn forward(firmware: &dyn Firmware, client: u64, x: [u64; 8]) -> [u64; 8] {
    let [x0, .., x7] = x;
    let is_64 = x0 & SMC64 != 0;
    let mut call = if is_64 { x } else { x.map(|register| register & 0xffff_ffff) };
    call[0] = x0 & 0xffff_ffff;
    call[7] = client;
    let mut results = firmware.call(call);
    if !is_64 || !firmware.is_wide() {
        let [_, _, _, _, kept @ ..] = x;
        let [_, _, _, _, last @ ..] = &mut results;
        *last = kept;
    } else if results[7] == client {
        results[7] = x7;
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns each register plus one, but keeps x7 unless it is to `answer` there.
    struct Plus {
        wide: bool,
        answer: bool,
    }

    impl Firmware for Plus {
        fn call(&self, x: [u64; 8]) -> [u64; 8] {
            let mut results = x.map(|register| register + 1);
            if !self.answer {
                results[7] = x[7];
            }
            results
        }

        fn is_wide(&self) -> bool {
            self.wide
        }
    }

    const HIGH: u64 = 0xdead_beef_0000_0000;

    #[test]
    fn el3_sees_the_client_and_no_upper_halves_of_smc32() {
        let narrow = Plus { wide: false, answer: true };
        let x = [HIGH | 0x8200_0000, HIGH | 1, HIGH | 2, HIGH | 3, HIGH | 4, 5, 6, 7];
        assert_eq!(forward(&narrow, 9, x), [0x8200_0001, 2, 3, 4, HIGH | 4, 5, 6, 7]);
        let x = [HIGH | 0xc200_0000, HIGH | 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(forward(&narrow, 9, x), [0xc200_0001, HIGH | 2, 3, 4, 4, 5, 6, 7]);
    }

    #[test]
    fn four_more_results_come_from_smccc_1_2_on() {
        let x = [0xc200_0000, 1, 2, 3, 4, 5, 6, 7];
        let all = Plus { wide: true, answer: true };
        assert_eq!(forward(&all, 9, x), [0xc200_0001, 2, 3, 4, 5, 6, 7, 10]);
        let narrow = [0x8200_0000, HIGH | 1, 2, 3, HIGH | 4, HIGH | 5, 6, HIGH | 7];
        assert_eq!(forward(&all, 9, narrow), [0x8200_0001, 2, 3, 4, HIGH | 4, HIGH | 5, 6, HIGH | 7]);
        let kept = Plus { wide: true, answer: false };
        assert_eq!(forward(&kept, 9, x), [0xc200_0001, 2, 3, 4, 5, 6, 7, 7]);
    }
}
