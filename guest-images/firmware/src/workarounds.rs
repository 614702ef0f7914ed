//! The workarounds against speculation (DEN0028, section 7). QEMU does not speculate: there is nothing to do in them.

use portcullis_abi::function::{ARCH_WORKAROUND_1, ARCH_WORKAROUND_2, ARCH_WORKAROUND_3};

use crate::mode::Mode;
use crate::reply::Answer;

/// Whether there is this workaround. Every core needs those that there are.
pub(crate) fn has(mode: Mode, function: u32) -> bool {
    match function {
        ARCH_WORKAROUND_1 => matches!(mode, Mode::Workarounds | Mode::FirstWorkaround),
        ARCH_WORKAROUND_2 | ARCH_WORKAROUND_3 => mode == Mode::Workarounds,
        _ => false,
    }
}

/// What its call leaves: nothing that the caller may rely on.
pub(crate) const fn answer() -> Answer {
    Answer::Four([0xdead_0000, 0xdead_0001, 0xdead_0002, 0xdead_0003])
}
