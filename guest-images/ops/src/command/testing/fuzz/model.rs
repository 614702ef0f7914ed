//! What the registers of a VM have to be after each call: the rules of the interface once more, written from its
//! reference.

use portcullis_abi::firmware::{
    ALL, PSCI_VERSION, SMCCC_VERSION, VENDOR_HYP_2, WORKAROUND_1, WORKAROUND_2, WORKAROUND_3, is_bitmap,
};
use portcullis_abi::function::{
    PSCI_VERSION_0_2, PSCI_VERSION_1_0, PSCI_VERSION_1_1, PSCI_VERSION_1_2, PSCI_VERSION_1_3, SMCCC_VERSION_1_1,
    SMCCC_VERSION_1_2,
};
use portcullis_abi::manage::*;

/// The registers of one VM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Values in the order of the register list.
    pub values: [u64; ALL.len()],
    /// What is supported.
    pub supported: [u64; ALL.len()],
    /// A `RULE_*`.
    pub rule: u64,
    /// The first write has happened.
    pub written: bool,
    /// The VM has started.
    pub frozen: bool,
}

impl Model {
    /// The state of a new VM.
    pub fn recreate(&mut self) {
        self.values = self.supported;
        for (value, id) in self.values.iter_mut().zip(ALL) {
            match id {
                SMCCC_VERSION => *value = SMCCC_VERSION_1_1.into(),
                VENDOR_HYP_2 => *value = 0,
                _ => {}
            }
        }
        (self.rule, self.written, self.frozen) = (RULE_CLEAR, false, false);
    }

    /// Applies a call of the register groups. The status that it has to have, and x1 if that is told.
    pub fn apply(&mut self, function: u32, [_, a, b]: [u64; 3]) -> Option<(i64, Option<u64>)> {
        let index = ALL.iter().position(|id| *id == a);
        Some(match (function, index) {
            (REGISTER_GET | REGISTER_SET, None) => (UNKNOWN_REGISTER, None),
            (REGISTER_GET, Some(index)) => (SUCCESS, self.values.get(index).copied()),
            (REGISTER_SET, Some(index)) => (self.set(index, a, b), None),
            (REGISTER_CLEAR, _) => (self.clear(), None),
            (RULE_GET, _) => (SUCCESS, Some(self.rule)),
            (RULE_SET, _) if a > RULE_KEEP => (BAD_ARGUMENT, None),
            (RULE_SET, _) if self.frozen => (if a == self.rule { SUCCESS } else { FROZEN }, None),
            (RULE_SET, _) => {
                self.rule = a;
                (SUCCESS, None)
            }
            _ => return None,
        })
    }

    fn set(&mut self, index: usize, id: u64, value: u64) -> i64 {
        let supported = self.supported.get(index).copied().unwrap_or_default();
        let Some(value) = accepted(id, value, supported) else { return UNSUPPORTED };
        if self.frozen {
            return if self.values.get(index) == Some(&value) { SUCCESS } else { FROZEN };
        }
        if !self.written && self.rule == RULE_CLEAR {
            self.clear_bitmaps();
        }
        if let Some(current) = self.values.get_mut(index) {
            *current = value;
        }
        self.written = true;
        SUCCESS
    }

    fn clear(&mut self) -> i64 {
        if self.frozen {
            return if self.bitmaps().all(|value| *value == 0) { SUCCESS } else { FROZEN };
        }
        self.clear_bitmaps();
        self.written = true;
        SUCCESS
    }

    fn clear_bitmaps(&mut self) {
        self.bitmaps().for_each(|value| *value = 0);
    }

    fn bitmaps(&mut self) -> impl Iterator<Item = &mut u64> {
        self.values.iter_mut().zip(ALL).filter(|(_, id)| is_bitmap(*id)).map(|(value, _)| value)
    }
}

/// What a register reads after a SET of `value`; none if that is not supported.
fn accepted(id: u64, value: u64, supported: u64) -> Option<u64> {
    const PSCI: &[u32] = &[PSCI_VERSION_0_2, PSCI_VERSION_1_0, PSCI_VERSION_1_1, PSCI_VERSION_1_2, PSCI_VERSION_1_3];
    const SMCCC: &[u32] = &[SMCCC_VERSION_1_1, SMCCC_VERSION_1_2];
    let one_of = |versions: &[u32]| versions.iter().any(|version| u64::from(*version) == value).then_some(value);
    let value = match id {
        PSCI_VERSION => one_of(PSCI)?,
        SMCCC_VERSION => one_of(SMCCC)?,
        WORKAROUND_1 | WORKAROUND_3 if value > 0xf => return None,
        WORKAROUND_1 | WORKAROUND_3 => value,
        WORKAROUND_2 => match value {
            0 | 1 => 0,
            2 | 3 | 0x12 => 3,
            _ => return None,
        },
        _ => return (value & !supported == 0).then_some(value),
    };
    (value <= supported).then_some(value)
}
