//! The state of a vCPU that the vectors save, restore and read.
//!
//! The vectors and the handlers of its own core change it while other cores read its [`Account`]: every word of it is a cell or
//! an atomic, so that nobody ever holds a reference to it that excludes others.

use core::cell::Cell;
use core::mem::offset_of;

use portcullis_abi::function::ARCH_WORKAROUND_1;
use portcullis_gate::{
    Group,
    fast_table::{Answers, Outcome},
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

/// Serves a physical interrupt that came while a guest ran. The pointer is the one that [`enter`](crate::vectors::enter) was given.
pub type Interrupt = unsafe extern "C" fn(*const Context) -> Next;
/// Serves a synchronous exception with the syndrome given (ESR_EL2) that the vectors do not finish. The pointer is the one that
/// [`enter`](crate::vectors::enter) was given.
pub type Exception = unsafe extern "C" fn(*const Context, u64) -> Next;

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
///
/// But for the account, only the vCPU's own core touches it.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Context {
    /// x0 to x30 as the guest left them. On a firmware call only x0 to x18 and x30 are saved: the others are kept by the
    /// procedure call standard (AAPCS64, section 6.1.1) and what stands here is stale.
    pub(crate) x: [Cell<u64>; 31],
    /// Where the guest starts, for [`crate::vectors::enter`].
    pub elr: Cell<u64>,
    /// Processor state with which it starts.
    pub spsr: Cell<u64>,
    /// What serves physical interrupts and, below, exceptions, by the kind of GIC that the board has. The vectors load each
    /// together with the stack.
    pub(crate) interrupt: Cell<Option<Interrupt>>,
    /// Base of the EL2 stack for the handlers: 16 bytes below the highest address of the stack of the core on which this
    /// vCPU runs. The address of the context stands there.
    pub(crate) stack: Cell<u64>,
    /// See [`Context::interrupt`].
    pub(crate) exception: Cell<Option<Exception>>,
    /// The VM's answers by HVC and by SMC.
    pub answers: Cell<[Option<&'static Answers>; 2]>,
    /// The ranges of functions that go to EL3.
    pub forward_ranges: Cell<Option<&'static Forwards>>,
    /// The VM's identifier to EL3, in w7 of a forwarded call (DEN0028, client identifier): its VMID.
    pub client: Cell<u64>,
    /// Not zero: EL3 may return results of an SMC64 call in x4 to x17 too, as from SMCCC 1.2 on, which the guest is shown.
    pub wide: Cell<u64>,
    /// See [`Workarounds`].
    pub(crate) workarounds: Workarounds,
    /// What is counted of this vCPU; the vectors count too.
    pub account: Account,
}

impl Context {
    /// A context with nothing in it.
    pub const fn new() -> Self {
        Self {
            x: [const { Cell::new(0) }; 31],
            elr: Cell::new(0),
            spsr: Cell::new(EL1H_MASKED),
            interrupt: Cell::new(None),
            stack: Cell::new(0),
            exception: Cell::new(None),
            answers: Cell::new([None; 2]),
            forward_ranges: Cell::new(None),
            client: Cell::new(0),
            wide: Cell::new(0),
            workarounds: Workarounds::new(),
            account: Account::new(),
        }
    }

    /// Prepares it for a vCPU that starts at `entry` with `argument` in x0, on a core whose stack ends at `stack` and whose
    /// traps `handlers` serves. What was counted stays.
    pub fn start(&self, entry: u64, argument: u64, stack: u64, handlers: Handlers) {
        self.x.iter().for_each(|register| register.set(0));
        self.set_register(0, argument);
        self.elr.set(entry);
        self.spsr.set(EL1H_MASKED);
        self.stack.set(stack.wrapping_sub(16));
        self.interrupt.set(Some(handlers.interrupt));
        self.exception.set(Some(handlers.exception));
    }

    /// Has other `handlers` serve its traps, from the next one on. To be called on the vCPU's own core.
    pub fn serve_by(&self, handlers: Handlers) {
        self.interrupt.set(Some(handlers.interrupt));
        self.exception.set(Some(handlers.exception));
    }

    /// Says whether ARCH_WORKAROUND_1 succeeds by HVC, and by SMC: the vectors answer it ahead of everything else, uncounted.
    pub fn offer_workaround_1(&self, [hvc, smc]: [bool; 2]) {
        let function_if_refused = |succeeds| if succeeds { 0 } else { u64::from(ARCH_WORKAROUND_1) };
        self.workarounds.refused_hvc.set(function_if_refused(hvc));
        self.workarounds.refused_smc.set(function_if_refused(smc));
    }

    /// The value of general register `n` as an instruction names it: 31 is the zero register.
    #[inline]
    pub fn register(&self, n: u64) -> u64 {
        self.x.get(n as usize).map_or(0, Cell::get)
    }

    /// Sets general register `n`; 31 is the zero register.
    #[inline]
    pub fn set_register(&self, n: u64, value: u64) {
        if let Some(register) = self.x.get(n as usize) {
            register.set(value);
        }
    }

    /// The values of the first general registers, x0 to `x<N - 1>`.
    #[inline(always)]
    pub fn registers<const N: usize>(&self) -> [u64; N] {
        const { assert!(N <= 31) };
        core::array::from_fn(|n| self.x.get(n).map_or(0, Cell::get))
    }

    /// Sets the first general registers, x0 to `x<N - 1>`.
    #[inline(always)]
    pub fn set_registers<const N: usize>(&self, values: [u64; N]) {
        const { assert!(N <= 31) };
        self.x.iter().zip(values).for_each(|(register, value)| register.set(value));
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

/// Whether ARCH_WORKAROUND_1 is left to the answers, with the results of one that succeeds beside it: the vectors load both at
/// once.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Workarounds {
    /// By HVC: zero if it succeeds, as the guest finds it in x0, and else the function, as the guest had it there.
    pub(crate) refused_hvc: Cell<u64>,
    /// x1 in either case.
    zero: u64,
    /// The same by SMC.
    pub(crate) refused_smc: Cell<u64>,
}

impl Workarounds {
    const fn new() -> Self {
        let refused = ARCH_WORKAROUND_1 as u64;
        Self { refused_hvc: Cell::new(refused), zero: 0, refused_smc: Cell::new(refused) }
    }
}

/// PSTATE of a vCPU that starts: EL1 with its own stack pointer, debug, SError, IRQ and FIQ masked.
pub const EL1H_MASKED: u64 = SPSR_EL2::M::EL1h.value
    | SPSR_EL2::D::Masked.value
    | SPSR_EL2::A::Masked.value
    | SPSR_EL2::I::Masked.value
    | SPSR_EL2::F::Masked.value;

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
        let context = Context::new();
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
