//! What the firmware below the hypervisor answers to a forwarded call, as far as it can be told in advance.

use firmware::answer::{State, answer};
use firmware::echo::{BEHIND_32, BEHIND_64};
use firmware::mode::Mode;
use firmware::reply::{Answer, Now};
use portcullis_abi::function::{SMC64, TRNG_RND32, TRNG_RND64};
use portcullis_abi::result::NOT_SUPPORTED;

/// TF-A's standard service, call UID (its `include/services/std_svc.h`).
const STANDARD_UID: u32 = 0x8400_ff01;
/// What TF-A answers to it: 108d905b-f863-47e8-ae2d-c0fb5641f6e2.
const STANDARD_UID_WORDS: [u64; 4] = [0x108d_905b, 0x47e8_f863, 0xfbc0_2dae, 0xe2f6_4156];

/// The firmware below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// The one of `guest-images/firmware`, in its honest mode.
    Test,
    /// Trusted Firmware-A.
    TrustedFirmware,
}

/// TRNG_GET_UUID of TF-A: the UUID of `scripts/firmware/trng.c`.
const TRUSTED_FIRMWARE_UUID_WORDS: [u32; 4] = [0x9ca0_2d31, 0x3948_1a66, 0x1aa9_c989, 0x5434_dac4];

impl Firmware {
    /// What TRNG_GET_UUID returns.
    pub fn uuid(self) -> [u64; 4] {
        match self {
            Self::Test => firmware::random::UUID_WORDS.map(u64::from),
            Self::TrustedFirmware => TRUSTED_FIRMWARE_UUID_WORDS.map(u64::from),
        }
    }

    /// x0 to x3 after a call with x0 to x3 was handed to the firmware for `client`; none if that cannot be told.
    pub fn answer(self, client: u64, x: [u64; 4]) -> Option<[u64; 4]> {
        let function = x[0] as u32;
        // Chance, and what depends on x4 to x6.
        if matches!(function, TRNG_RND32 | TRNG_RND64 | BEHIND_32 | BEHIND_64) {
            return None;
        }
        // Of an SMC32 call it sees the lower halves.
        let [_, x1, x2, x3] = if function & SMC64 == 0 { x.map(|register| register & 0xffff_ffff) } else { x };
        let x0 = u64::from(function);
        match self {
            Self::Test => {
                let mut state = State::new(Mode::Honest.into(), 1);
                match answer(&mut state, Now { count: 0, frequency: 1 }, [x0, x1, x2, x3, 0, 0, 0, client]) {
                    Answer::Four(results) => Some(results),
                    Answer::Eight([x0, x1, x2, x3, ..]) => Some([x0, x1, x2, x3]),
                    _ => None,
                }
            }
            Self::TrustedFirmware if function == STANDARD_UID => Some(STANDARD_UID_WORDS),
            // Functions of the silicon provider's that PLAT=qemu does not have.
            Self::TrustedFirmware if function >> 24 & 0x3f == 2 => Some([NOT_SUPPORTED as u64, x1, x2, x3]),
            Self::TrustedFirmware => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_firmware_echoes() {
        let high = 0xdead_beef_0000_0000;
        let answer = |x| Firmware::Test.answer(3, x);
        assert_eq!(answer([high | 0xc200_0001, 1, 2, 3]), Some([0xc200_0054, 2, 4, 3]));
        assert_eq!(answer([0x8200_0020, high | 1, high | 2, high | 3]), Some([0, 1, 2, 3]));
        assert_eq!(answer([0x8300_0000, high | 1, 2, 3]), Some([u64::MAX, 1, 2, 3]));
        assert_eq!(answer([TRNG_RND64.into(), 64, 0, 0]), None);
    }

    #[test]
    fn trusted_firmware_has_its_identity() {
        let answer = |x| Firmware::TrustedFirmware.answer(3, x);
        assert_eq!(answer([0x8400_ff01, 0, 0, 0]), Some(STANDARD_UID_WORDS));
        assert_eq!(answer([0xc200_0000, 7, 8, 9]), Some([u64::MAX, 7, 8, 9]));
    }
}
