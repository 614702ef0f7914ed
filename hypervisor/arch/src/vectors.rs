//! The exception vectors of EL2, and entry into a guest.

use crate::context::Context;
pub use crate::context::{Exception, Handlers, Interrupt, Next};
use crate::hardening::Hardening;

#[cfg(target_os = "none")]
mod asm {
    use super::*;
    use crate::account::{Account, RING, RefusedCall};
    use crate::context::Workarounds;
    use crate::cpu::Anchor;
    use core::mem::offset_of;
    use portcullis_abi::function::{ARCH_FEATURES, PSCI_FEATURES, PV_TIME_FEATURES, TRNG_FEATURES};
    use portcullis_gate::Group;
    use portcullis_gate::MAX_RANGES;
    use portcullis_gate::fast_table::{
        ALL, ANSWER, Answer, Answers, DENY, FEATURES, FLAGS, FORWARD, LINES, ONE, OTHERS_OFFSET, Outcome, SEARCH,
        SERVE, SHARED_BIT, SLOW,
    };
    use portcullis_gate::forwards::Forwarded;

    const _: () = assert!(offset_of!(Answer, key) == 0 && size_of::<Answer>().is_power_of_two());
    const _: () = assert!(
        ANSWER == 0
            && FEATURES >> 6 == 0b10
            && DENY >> 5 == 0b111
            && SERVE >> 4 == 0b1100
            && FORWARD >> 3 == 0b11011
            && SLOW >> 3 == 0b11010,
        "answers.S and calls.S tell the kinds apart bit by bit"
    );
    const _: () = assert!(
        align_of::<Answers>() == size_of::<Answers>() && size_of::<Answers>() == size_of::<Answer>() * LINES,
        "answers.S inserts a line's number into a table's address"
    );
    const _: () =
        assert!(size_of::<RefusedCall>() == 16 && offset_of!(RefusedCall, call) == 8 && RING.is_power_of_two());

    const _: () = assert!(MAX_RANGES == 32 && size_of::<Forwarded>() == 8, "answers.S halves 32 ranges of 8 bytes");
    const _: () = assert!(
        Context::forward_counter(true) == Context::forward_counter(false) + 8,
        "answers.S steps by the conduit"
    );
    const _: () = assert!(offset_of!(Context, wide) == offset_of!(Context, client) + 8, "vectors.S loads both at once");
    const _: () =
        assert!(offset_of!(Context, stack) == offset_of!(Context, interrupt) + 8, "vectors.S loads both at once");
    const _: () =
        assert!(offset_of!(Context, exception) == offset_of!(Context, stack) + 8, "vectors.S loads both at once");
    const _: () = assert!(offset_of!(Context, spsr) == offset_of!(Context, elr) + 8, "vectors.S loads both at once");
    const _: () = assert!(
        offset_of!(Workarounds, refused_hvc) == 0 && offset_of!(Workarounds, refused_smc) == 16,
        "vectors.S loads either with what lies between"
    );

    core::arch::global_asm!(
        include_str!("answers.S"),
        include_str!("vectors.S"),
        include_str!("calls.S"),
        include_str!("faults.S"),
        include_str!("hardening.S"),
        X = const offset_of!(Context, x),
        ELR = const offset_of!(Context, elr),
        STACK = const offset_of!(Context, stack),
        INTERRUPT = const offset_of!(Context, interrupt),
        ANSWERS = const offset_of!(Context, answers),
        FORWARD_RANGES = const offset_of!(Context, forward_ranges),
        FORWARD_COUNTER = const Context::forward_counter(false),
        CLIENT = const offset_of!(Context, client),
        WORKAROUNDS = const offset_of!(Context, workarounds),
        RING = const offset_of!(Context, account) + offset_of!(Account, ring),
        RING_MASK = const RING - 1,
        REFUSED = const offset_of!(Context, account) + offset_of!(Account, refused),
        UNKNOWN = const Context::counter(Group::Unknown, false, Outcome::Denied),
        UNKNOWN_STEP = const Context::counter(Group::Unknown, true, Outcome::Denied)
            - Context::counter(Group::Unknown, false, Outcome::Denied),
        LINE_SHIFT = const size_of::<Answer>().trailing_zeros(),
        LINE_BITS = const LINES.trailing_zeros(),
        OTHERS = const OTHERS_OFFSET,
        ONE_BIT = const ONE.trailing_zeros(),
        ALL_BIT = const ALL.trailing_zeros(),
        SEARCH_BIT = const SEARCH.trailing_zeros(),
        FLAGS = const FLAGS,
        SHARED_BIT = const SHARED_BIT,
        WHAT = const offset_of!(Answer, what),
        FEATURES_OFFSET = const offset_of!(Answer, features),
        ARCH_FEATURES = const ARCH_FEATURES,
        PSCI_FEATURES = const PSCI_FEATURES,
        TRNG_FEATURES = const TRNG_FEATURES,
        PV_TIME_FEATURES = const PV_TIME_FEATURES,
        RESULTS = const offset_of!(Answer, results),
        PAR_FAILED = const crate::translate::FAILED,
        ANCHOR_FAULT_STACK = const offset_of!(Anchor, fault_stack),
        ANCHOR_FRAME = const offset_of!(Anchor, frame),
        ANCHOR_HARDENING = const offset_of!(Anchor, hardening),
    );

    unsafe extern "C" {
        pub static portcullis_vectors: u8;
        pub static portcullis_vectors_loop: u8;
        pub static portcullis_vectors_clear: u8;
        pub static portcullis_vectors_call: u8;
        pub fn portcullis_enter(context: *const Context) -> !;
    }
}

/// Installs the vectors on this core, those for cores that need nothing more.
pub fn install() {
    install_table(Table::Plain);
}

/// Has every exit from a guest on this core begin with `hardening`. The core must have its [anchor](crate::cpu::set_anchor), where
/// the vectors look.
pub fn harden(hardening: Hardening) {
    let (table, word) = match hardening {
        Hardening::None => (Table::Plain, 0),
        Hardening::Loop(count) => (Table::Loop, u64::from(count.max(1))),
        Hardening::Clear => (Table::Clear, 0),
        Hardening::Call(function) => (Table::Call, u64::from(function)),
    };
    crate::cpu::tell_vectors(word);
    install_table(table);
}

/// The tables of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Plain,
    Loop,
    Clear,
    Call,
}

fn install_table(table: Table) {
    #[cfg(target_os = "none")]
    let address = match table {
        Table::Plain => &raw const asm::portcullis_vectors,
        Table::Loop => &raw const asm::portcullis_vectors_loop,
        Table::Clear => &raw const asm::portcullis_vectors_clear,
        Table::Call => &raw const asm::portcullis_vectors_call,
    } as u64;
    #[cfg(not(target_os = "none"))]
    let address = table as u64;
    // SAFETY: the address is that of a table of 16 entries aligned to 2 KiB; on a host it is only a number.
    unsafe {
        crate::registers::govern(crate::registers::VBAR_EL2, address);
    }
    crate::barrier::isb();
}

/// Enters the guest with the registers in `context`. The core comes back through the vectors, which hand this very pointer to
/// the handlers: what they may reach by it is what it may be used for here.
///
/// # Safety
///
/// `context` must be valid for reads and writes while the guest runs and be used by this core only, but for its account; its
/// `stack` must be this core's EL2 stack, of which everything is lost; stage 2 must be set for this guest.
pub unsafe fn enter(context: *const Context) -> ! {
    #[cfg(target_os = "none")]
    // SAFETY: passed on to the caller.
    unsafe {
        asm::portcullis_enter(context)
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::enter(context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{Anchor, set_anchor};
    use crate::fake;
    use core::sync::atomic::Ordering;

    #[test]
    fn each_hardening_has_its_table_and_its_word() {
        static ANCHOR: Anchor = Anchor::new(0x1000, 0x2000);
        // SAFETY: it lives for ever, and no stack is used on a host.
        unsafe { set_anchor(&ANCHOR) };
        let mut tables = Vec::new();
        for (hardening, word) in [
            (Hardening::None, 0),
            (Hardening::Loop(24), 24),
            (Hardening::Loop(0), 1),
            (Hardening::Clear, 0),
            (Hardening::Call(0x8000_3fff), 0x8000_3fff),
        ] {
            harden(hardening);
            assert_eq!(ANCHOR.hardening.load(Ordering::Relaxed), word, "{hardening:?}");
            tables.push(fake::read("vbar_el2"));
        }
        assert_eq!(tables[1], tables[2]);
        tables.dedup();
        assert_eq!(tables.len(), 4, "{tables:?}");
    }
}
