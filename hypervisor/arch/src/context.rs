//! The state of a vCPU that the vectors save, restore and read.

use core::mem::offset_of;

use portcullis_gate::{
    Group,
    answers::{Answers, Outcome},
    forwards::Forwards,
};

use crate::account::{Account, SERVICES};
use crate::registers::SPSR_EL2;

/// What a handler tells the vectors to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Next {
    /// Go on with the guest.
    Resume = 0,
    /// This vCPU does not run on: the core looks for something else to do.
    Leave = 1,
    /// Go on with the guest, one of whose registers x19 to x29 has a new value in the context. Only for handlers of
    /// exceptions: the others have not saved these.
    Restore = 2,
}

/// Serves a physical interrupt that came while a guest ran.
pub type Interrupt = extern "C" fn(&mut Context) -> Next;
/// Serves a synchronous exception with the syndrome given (ESR_EL2) that is no firmware call.
pub type Exception = extern "C" fn(&mut Context, u64) -> Next;

/// What the vectors call for a vCPU where that depends on the board's GIC: the choice is made when the vCPU starts, and a
/// trap does not ask again.
#[derive(Clone, Copy, Debug)]
pub struct Handlers {
    /// Physical interrupts.
    pub interrupt: Interrupt,
    /// Exceptions.
    pub exception: Exception,
}

/// What SP_EL2 points to while a guest runs: the vectors store the guest's registers here without any scratch register.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Context {
    /// x0 to x30 as the guest left them. On a firmware call only x0 to x18 and x30 are saved: the others are kept by the
    /// procedure call standard (AAPCS64, section 6.1.1) and what stands here is stale.
    pub x: [u64; 31],
    /// Where the guest starts, for [`crate::vectors::enter`].
    pub elr: u64,
    /// Processor state with which it starts.
    pub spsr: u64,
    /// What serves physical interrupts and, below, exceptions, by the kind of GIC that the board has. The vectors load each
    /// together with the stack.
    pub interrupt: Option<Interrupt>,
    /// Base of the EL2 stack for the handlers: 16 bytes below the highest address of the stack of the core on which this
    /// vCPU runs. The address of the context stands there.
    pub stack: u64,
    /// See [`Context::interrupt`].
    pub exception: Option<Exception>,
    /// The VM's answers by HVC and by SMC.
    pub answers: [Option<&'static Answers>; 2],
    /// What the vectors do with a function without an answer, by HVC and by SMC: refuse it (0), leave it to the gate in Rust
    /// ([`BEYOND_TO_GATE`]), or look whether it goes to EL3 ([`BEYOND_SEARCH`]).
    pub beyond: [u64; 2],
    /// The ranges of functions that go to EL3.
    pub forwards: Option<&'static Forwards>,
    /// The VM's identifier to EL3, in w7 of a forwarded call (DEN0028, client identifier): its VMID.
    pub client: u64,
    /// Not zero: EL3 may return results of an SMC64 call in x4 to x7 too, as from SMCCC 1.2 on.
    pub wide: u64,
    /// Zero if ARCH_WORKAROUND_1 succeeds, by HVC and by SMC: the vectors answer it ahead of everything else, uncounted.
    pub workaround_1: [u64; 2],
    /// What is counted of this vCPU; the vectors count too.
    pub account: Account,
}

impl Context {
    /// A context with nothing in it.
    pub const fn new() -> Self {
        Self {
            x: [0; 31],
            elr: 0,
            spsr: EL1H_MASKED,
            interrupt: None,
            stack: 0,
            exception: None,
            answers: [None; 2],
            beyond: [BEYOND_TO_GATE; 2],
            forwards: None,
            client: 0,
            wide: 0,
            workaround_1: [1; 2],
            account: Account::new(),
        }
    }

    /// Prepares it for a vCPU that starts at `entry` with `argument` in x0, on a core whose stack ends at `stack` and whose
    /// traps `handlers` serves. What was counted stays.
    pub fn start(&mut self, entry: u64, argument: u64, stack: u64, handlers: Handlers) {
        self.x = [0; 31];
        self.set_register(0, argument);
        self.elr = entry;
        self.spsr = EL1H_MASKED;
        self.stack = stack.wrapping_sub(16);
        self.interrupt = Some(handlers.interrupt);
        self.exception = Some(handlers.exception);
    }

    /// The value of general register `n` as an instruction names it: 31 is the zero register.
    #[inline]
    pub fn register(&self, n: u64) -> u64 {
        self.x.get(n as usize).copied().unwrap_or(0)
    }

    /// Sets general register `n`; 31 is the zero register.
    #[inline]
    pub fn set_register(&mut self, n: u64, value: u64) {
        if let Some(register) = self.x.get_mut(n as usize) {
            *register = value;
        }
    }

    /// Puts the four results of a call in place.
    #[inline(always)]
    pub fn set_results(&mut self, [x0, x1, x2, x3]: [u64; 4]) {
        let [r0, r1, r2, r3, ..] = &mut self.x;
        (*r0, *r1, *r2, *r3) = (x0, x1, x2, x3);
    }

    /// Where it is counted what becomes of a group of functions, for [`Answers::build`].
    pub const fn counter(group: Group, smc: bool, outcome: Outcome) -> u16 {
        let table = match outcome {
            Outcome::Answered => offset_of!(Account, answered),
            Outcome::Denied => offset_of!(Account, denied),
            Outcome::Forwarded => return Self::forward_counter(smc),
        };
        let row = if smc { SERVICES } else { 0 };
        (offset_of!(Context, account) + table + (row + group as usize) * size_of::<u64>()) as u16
    }

    /// Where calls that go to EL3 are counted.
    pub const fn forward_counter(smc: bool) -> u16 {
        let row = if smc { size_of::<u64>() } else { 0 };
        (offset_of!(Context, account) + offset_of!(Account, forwarded) + row) as u16
    }
}

/// PSTATE of a vCPU that starts: EL1 with its own stack pointer, debug, SError, IRQ and FIQ masked.
pub const EL1H_MASKED: u64 = SPSR_EL2::M::EL1h.value
    | SPSR_EL2::D::Masked.value
    | SPSR_EL2::A::Masked.value
    | SPSR_EL2::I::Masked.value
    | SPSR_EL2::F::Masked.value;

/// [`Context::beyond`]: the gate in Rust decides.
pub const BEYOND_TO_GATE: u64 = 1 << 0;
/// [`Context::beyond`]: the function may lie in a range that goes to EL3.
pub const BEYOND_SEARCH: u64 = 1 << 1;

/// The largest offset fits, so [`Context::counter`] never cuts one off.
const _: () = assert!(size_of::<Context>() <= u16::MAX as usize);

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering;

    #[test]
    fn register_31_reads_zero_and_ignores_writes() {
        let mut context = Context::new();
        context.set_register(31, 5);
        context.set_register(30, 7);
        assert_eq!((context.register(31), context.register(30)), (0, 7));
    }

    #[test]
    fn counters_lie_where_they_are_said_to() {
        let context = Context::new();
        context.account.denied[1][Group::Ptp as usize].store(77, Ordering::Relaxed);
        context.account.answered[0][Group::Arch as usize].store(55, Ordering::Relaxed);
        context.account.forwarded[1].store(33, Ordering::Relaxed);
        let words = core::ptr::from_ref(&context).cast::<u64>();
        let at = |offset: u16| {
            // SAFETY: the offset lies within the context and is a multiple of 8.
            unsafe { words.add(usize::from(offset) / 8).read() }
        };
        assert_eq!(at(Context::counter(Group::Ptp, true, Outcome::Denied)), 77);
        assert_eq!(at(Context::counter(Group::Arch, false, Outcome::Answered)), 55);
        assert_eq!(at(Context::counter(Group::Trng, true, Outcome::Forwarded)), 33);
    }
}
