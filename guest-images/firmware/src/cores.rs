//! Which cores run, and the calls of PSCI (Arm DEN0022) for it.

use portcullis_abi::function::{PSCI_AFFINITY_INFO, PSCI_CPU_ON, SMC64};
use portcullis_abi::result::{
    PSCI_AFFINITY_OFF, PSCI_AFFINITY_ON, PSCI_ALREADY_ON, PSCI_INVALID_PARAMETERS, PSCI_SUCCESS,
};

use crate::reply::{Answer, Start, code};

/// Cores that the firmware has room for.
pub const MOST: usize = 8;
/// `CPU_ON` by the 64-bit convention.
pub const CPU_ON_64: u32 = PSCI_CPU_ON | SMC64;
/// `AFFINITY_INFO` by the 64-bit convention.
pub const AFFINITY_INFO_64: u32 = PSCI_AFFINITY_INFO | SMC64;
/// What a successful `CPU_ON` returns in x0.
pub const STARTED: u64 = code(PSCI_SUCCESS);

/// The cores of the machine. Their affinity is their number, all of it in Aff0: the machine has one cluster.
#[derive(Clone, Debug)]
pub struct Cores {
    count: usize,
    on: [bool; MOST],
}

impl Cores {
    /// A machine with `count` cores, 1 to [`MOST`], of which the first one runs.
    pub(crate) const fn new(count: usize) -> Self {
        let mut on = [false; MOST];
        on[0] = true;
        Self { count, on }
    }

    /// The answer to `CPU_ON`. From then on the core counts as running: "on pending" is never said.
    pub(crate) fn start(&mut self, x: &[u64; 8]) -> Answer {
        let [affinity, entry, argument] = arguments(x);
        let result = match self.find(affinity) {
            None => PSCI_INVALID_PARAMETERS,
            Some((_, on)) if *on => PSCI_ALREADY_ON,
            Some((core, on)) => {
                *on = true;
                return Answer::Start(Start { core, entry, argument });
            }
        };
        Answer::one(code(result), x)
    }

    /// The answer to `AFFINITY_INFO`, which PSCI 1.0 and later need to have for single cores only.
    pub(crate) fn info(&mut self, x: &[u64; 8]) -> Answer {
        let [affinity, level, _] = arguments(x);
        let result = match self.find(affinity) {
            Some((_, on)) if level == 0 => {
                if *on {
                    PSCI_AFFINITY_ON
                } else {
                    PSCI_AFFINITY_OFF
                }
            }
            _ => PSCI_INVALID_PARAMETERS,
        };
        Answer::one(code(result), x)
    }

    /// The core with this affinity: its number, and whether it runs.
    fn find(&mut self, affinity: u64) -> Option<(usize, &mut bool)> {
        self.on.iter_mut().take(self.count).enumerate().find(|(core, _)| *core as u64 == affinity)
    }
}

/// x1 to x3, of which a 32-bit call has the lower halves.
fn arguments(x: &[u64; 8]) -> [u64; 3] {
    let mask = if x[0] as u32 & SMC64 == 0 { 0xffff_ffff } else { u64::MAX };
    [x[1], x[2], x[3]].map(|argument| argument & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: u64 = 0x1_6000_0000;
    const KEPT: u64 = 0xffff_ffff_0000_0004;

    fn call(cores: &mut Cores, function: u32, x1: u64, x2: u64) -> Answer {
        let x = [function.into(), x1, x2, KEPT, 0, 0, 0, 0];
        if function & !SMC64 == PSCI_CPU_ON { cores.start(&x) } else { cores.info(&x) }
    }

    fn result(cores: &mut Cores, function: u32, x1: u64, x2: u64) -> i64 {
        match call(cores, function, x1, x2) {
            Answer::Four([result, x1_after, x2_after, KEPT]) if [x1_after, x2_after] == [x1, x2] => result as i64,
            other => panic!("{function:#x}: {other:?}"),
        }
    }

    #[test]
    fn a_core_starts_once_and_where_it_is_told_to() {
        let mut cores = Cores::new(3);
        let first = Start { core: 2, entry: FAR, argument: KEPT };
        assert_eq!(call(&mut cores, CPU_ON_64, 2, FAR), Answer::Start(first));
        assert_eq!(result(&mut cores, CPU_ON_64, 2, FAR), -4);
        assert_eq!(result(&mut cores, PSCI_CPU_ON, 0, FAR), -4, "the first one has always been running");
        let second = Start { core: 1, entry: 0x6000_0000, argument: 4 };
        assert_eq!(call(&mut cores, PSCI_CPU_ON, 1 | 7 << 32, FAR), Answer::Start(second), "32 bits each");
        assert_eq!(STARTED, 0);
    }

    #[test]
    fn cores_that_there_are_not_are_refused() {
        let mut cores = Cores::new(3);
        for affinity in [3, 8, 0x100, 0x1_0001, 1 << 31, 1 << 32, 1 << 32 | 1, u64::MAX] {
            assert_eq!(result(&mut cores, CPU_ON_64, affinity, 0), -2, "{affinity:#x}");
            assert_eq!(result(&mut cores, AFFINITY_INFO_64, affinity, 0), -2, "{affinity:#x}");
        }
        let mut cores = Cores::new(MOST);
        assert!(matches!(call(&mut cores, CPU_ON_64, 7, 0), Answer::Start(Start { core: 7, .. })));
        assert_eq!(result(&mut cores, CPU_ON_64, 8, 0), -2);
    }

    #[test]
    fn it_is_known_which_cores_run() {
        let mut cores = Cores::new(2);
        assert_eq!(result(&mut cores, AFFINITY_INFO_64, 0, 0), 0);
        assert_eq!(result(&mut cores, AFFINITY_INFO_64, 1, 0), 1);
        assert_eq!(result(&mut cores, AFFINITY_INFO_64, 1, 1), -2, "one core at a time");
        call(&mut cores, CPU_ON_64, 1, 0);
        assert_eq!(result(&mut cores, PSCI_AFFINITY_INFO, 1 | 1 << 32, 1 << 32), 0);
    }
}
