//! Which of the tables of registers this CPU has.

use core::arch::asm;

use guest_runtime::exception;

use super::slot::Slot;
use super::{debug, interface, optional, system};

/// How many breakpoints this CPU has.
pub fn breakpoints() -> usize {
    present()[3].len() / 2
}

/// How many watchpoints it has.
pub fn watchpoints() -> usize {
    present()[4].len() / 2
}

/// Every table with registers that this CPU has.
pub fn present() -> [&'static [Slot]; 8] {
    let field = |register: u64, shift: u32| register >> shift & 0xf;
    let (debug, isar1, isar2): (u64, u64, u64);
    // SAFETY: reads constants.
    unsafe {
        asm!("mrs {}, id_aa64dfr0_el1", "mrs {}, id_aa64isar1_el1", "mrs {}, s3_0_c0_c6_2",
            out(reg) debug, out(reg) isar1, out(reg) isar2, options(nomem, nostack));
    }
    // The fields of both numbers hold one less.
    let first = |slots: &'static [Slot], shift: u32| slots.get(..field(debug, shift) as usize * 2 + 2).unwrap_or(slots);
    let keys = [4, 8, 24, 28].iter().any(|&shift| field(isar1, shift) != 0) || field(isar2, 12) != 0;
    let when = |present: bool, slots: &'static [Slot]| if present { slots } else { &[] };
    [
        system::SLOTS,
        debug::SLOTS,
        when(field(debug, 36) == 0, debug::DOUBLE_LOCK),
        first(debug::BREAKPOINTS, 12),
        first(debug::WATCHPOINTS, 20),
        when(keys, optional::KEYS),
        when(has_deferred_error(), optional::DEFERRED_ERROR),
        interface::slots(),
    ]
}

/// The ID registers may hide FEAT_RAS although its register is there.
fn has_deferred_error() -> bool {
    exception::probe(|| optional::DEFERRED_ERROR.iter().for_each(|slot| _ = (slot.read)())).is_ok()
}
