//! What EL3 says of its workarounds.

use portcullis_abi::function::{ARCH_FEATURES, ARCH_WORKAROUND_1, ARCH_WORKAROUND_2, ARCH_WORKAROUND_3};
use portcullis_board::Firmware;

/// What SMCCC_ARCH_FEATURES says of one workaround on the core that asks (DEN0028, section 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// It has none, or nobody could be asked. That says nothing of whether the core is affected.
    #[default]
    Unknown,
    /// It has one, and this core needs it.
    Needed,
    /// This core does not need it.
    NotNeeded,
}

/// What EL3 says of each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Of SMCCC_ARCH_WORKAROUND_1.
    pub workaround_1: Answer,
    /// Of SMCCC_ARCH_WORKAROUND_2.
    pub workaround_2: Answer,
    /// Of SMCCC_ARCH_WORKAROUND_3.
    pub workaround_3: Answer,
}

impl Answers {
    /// Asks `firmware`, which takes calls by SMCCC 1.1 or later, for the core on which this runs.
    pub fn ask(firmware: &dyn Firmware) -> Self {
        let ask = |workaround: u32| of(workaround, call(firmware, ARCH_FEATURES, workaround.into()));
        Self {
            workaround_1: ask(ARCH_WORKAROUND_1),
            workaround_2: ask(ARCH_WORKAROUND_2),
            workaround_3: ask(ARCH_WORKAROUND_3),
        }
    }
}

/// Has EL3 keep loads from overtaking stores on the core on which this runs, for good: SMCCC_ARCH_WORKAROUND_2, which returns
/// nothing.
pub(super) fn switch_on(firmware: &dyn Firmware) {
    call(firmware, ARCH_WORKAROUND_2, 1);
}

/// Makes a call in the hypervisor's own name, and returns its w0 as the signed number that it is.
fn call(firmware: &dyn Firmware, function: u32, argument: u64) -> i32 {
    let mut x = [0; 18];
    let [x0, x1, ..] = &mut x;
    (*x0, *x1) = (function.into(), argument);
    firmware.call(&mut x);
    let [x0, ..] = x;
    (x0 as u32).cast_signed()
}

/// What a result of SMCCC_ARCH_FEATURES means. -2, "not required", is WORKAROUND_2's alone.
const fn of(workaround: u32, result: i32) -> Answer {
    match result {
        0 => Answer::Needed,
        1 => Answer::NotNeeded,
        -2 if workaround == ARCH_WORKAROUND_2 => Answer::NotNeeded,
        _ => Answer::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Firmware that answers from a list, and notes what it was asked.
    struct Listed {
        results: [u64; 3],
        asked: Mutex<Vec<[u64; 8]>>,
    }

    impl Firmware for Listed {
        fn call(&self, x: &mut [u64; 18]) {
            let mut asked = self.asked.lock().unwrap();
            asked.push(core::array::from_fn(|n| x[n]));
            x[0] = self.results[(asked.len() - 1) % 3];
        }
        fn is_wide(&self) -> bool {
            false
        }
    }

    fn ask(results: [u64; 3]) -> Answers {
        let firmware = Listed { results, asked: Mutex::default() };
        let answers = Answers::ask(&firmware);
        let asked: Vec<(u64, u64)> = firmware.asked.lock().unwrap().iter().map(|x| (x[0], x[1])).collect();
        assert_eq!(asked, [0x8000_8000, 0x8000_7fff, 0x8000_3fff].map(|function| (0x8000_0001, function)));
        assert!(firmware.asked.lock().unwrap().iter().all(|x| x[7] == 0), "in the hypervisor's own name");
        answers
    }

    #[test]
    fn results_are_signed_numbers_of_32_bits() {
        let not_required = [u64::from(-2i32 as u32), -2i64 as u64];
        for result in not_required {
            let answers = ask([result; 3]);
            assert_eq!((answers.workaround_1, answers.workaround_3), (Answer::Unknown, Answer::Unknown));
            assert_eq!(answers.workaround_2, Answer::NotNeeded);
        }
        assert_eq!(ask([0, 1, 1 << 32]).workaround_3, Answer::Needed, "the upper half has no meaning");
        let answers = ask([0, 1, 2]);
        assert_eq!(
            answers,
            Answers { workaround_1: Answer::Needed, workaround_2: Answer::NotNeeded, workaround_3: Answer::Unknown }
        );
        assert_eq!(ask([u64::MAX; 3]), Answers::default());
    }

    #[test]
    fn it_is_switched_on_with_an_argument_of_one() {
        let firmware = Listed { results: [7; 3], asked: Mutex::default() };
        switch_on(&firmware);
        assert_eq!(firmware.asked.lock().unwrap()[..], [[0x8000_7fff, 1, 0, 0, 0, 0, 0, 0]]);
    }
}
