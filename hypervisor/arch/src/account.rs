//! What is counted of a vCPU: its firmware calls, its exits, and its refused calls.
//!
//! Every word is written by the vCPU's own core alone, with plain stores, and may be read by any core: no lock, no atomic
//! read-modify-write, no cache line that two cores write. The vectors write some of them.

use core::sync::atomic::{AtomicU64, Ordering};

pub use portcullis_gate::Group as Counted;

/// Number of [`Counted`] services.
pub const SERVICES: usize = Counted::COUNT;

/// Why a vCPU came to EL2, other than by a firmware call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Exit {
    /// A timer of its own.
    Timer = 0,
    /// Another physical interrupt.
    Interrupt = 1,
    /// A write of ICC_SGI1R_EL1.
    Sgi = 2,
    /// An access to the GIC distributor or a redistributor.
    Gic = 3,
    /// An access to the UART.
    Uart = 4,
    /// A read of an ID register.
    IdRegister = 5,
    /// Something that this machine does not have.
    Undefined = 6,
    /// A WFI on a core that it shares.
    Wait = 7,
    /// The first use of a debug register since it came onto a core that it shares.
    Debug = 8,
    /// An access, a fetch or a table walk that reaches nothing, or an instruction that cannot be emulated.
    Abort = 9,
    /// An access to an emulated device besides GIC and UART.
    Device = 10,
    /// An SError after which it goes on: an error that the hardware has corrected.
    SystemError = 11,
}

/// Number of [`Exit`] causes.
pub const EXITS: usize = 12;
/// Refused calls that are remembered.
pub const RING: usize = 64;

/// A refused call.
#[derive(Debug, Default)]
#[repr(C)]
pub struct RefusedCall {
    /// Physical counter when it was refused.
    pub time: AtomicU64,
    /// Function identifier in bits 31:0; bit 32 is set for an SMC.
    pub call: AtomicU64,
}

/// The account of one vCPU.
#[derive(Debug)]
#[repr(C)]
pub struct Account {
    /// The refused calls. They come first: the vectors reach them with a short offset.
    pub ring: [RefusedCall; RING],
    /// Calls refused so far. The next one goes to the ring's entry of this number modulo [`RING`].
    pub refused: AtomicU64,
    /// Calls answered, by conduit (HVC, SMC) and service.
    pub answered: [[AtomicU64; SERVICES]; 2],
    /// Calls denied, by conduit (HVC, SMC) and service.
    pub denied: [[AtomicU64; SERVICES]; 2],
    /// Calls forwarded to EL3, by conduit.
    pub forwarded: [AtomicU64; 2],
    /// Exits by cause.
    pub exits: [AtomicU64; EXITS],
}

impl Account {
    /// An account of nothing.
    pub const fn new() -> Self {
        Self {
            ring: [const { RefusedCall { time: AtomicU64::new(0), call: AtomicU64::new(0) } }; RING],
            refused: AtomicU64::new(0),
            answered: [const { [const { AtomicU64::new(0) }; SERVICES] }; 2],
            denied: [const { [const { AtomicU64::new(0) }; SERVICES] }; 2],
            forwarded: [const { AtomicU64::new(0) }; 2],
            exits: [const { AtomicU64::new(0) }; EXITS],
        }
    }

    /// Sets everything back to zero: the VM is made anew, all its vCPUs are off.
    pub fn clear(&self) {
        let Self { refused, answered, denied, forwarded, exits, ring } = self;
        let calls = answered.iter().chain(denied).flatten();
        for counter in calls.chain(forwarded).chain(exits).chain([refused]) {
            counter.store(0, Ordering::Relaxed);
        }
        for refusal in ring {
            refusal.time.store(0, Ordering::Relaxed);
            refusal.call.store(0, Ordering::Relaxed);
        }
    }

    /// Counts an answered call. To be called on the vCPU's own core only.
    #[inline]
    pub fn answer(&self, smc: bool, service: Counted) {
        let [hvc_row, smc_row] = &self.answered;
        count(if smc { smc_row } else { hvc_row }, service as usize);
    }

    /// Counts and remembers a refused call. To be called on the vCPU's own core only.
    pub fn refuse(&self, smc: bool, service: Counted, function: u32, time: u64) {
        let [hvc_row, smc_row] = &self.denied;
        count(if smc { smc_row } else { hvc_row }, service as usize);
        let number = self.refused.load(Ordering::Relaxed);
        if let Some(entry) = self.ring.get(number as usize % RING) {
            entry.time.store(time, Ordering::Relaxed);
            entry.call.store(u64::from(function) | u64::from(smc) << 32, Ordering::Relaxed);
        }
        self.refused.store(number.wrapping_add(1), Ordering::Relaxed);
    }

    /// Counts a call that goes to EL3. To be called on the vCPU's own core only.
    #[inline]
    pub fn forward(&self, smc: bool) {
        count(&self.forwarded, usize::from(smc));
    }

    /// Counts an exit. To be called on the vCPU's own core only.
    #[inline]
    pub fn exit(&self, cause: Exit) {
        count(&self.exits, cause as usize);
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}

/// One more: a plain load and a plain store, because no other core writes the word.
#[inline]
fn count(words: &[AtomicU64], index: usize) {
    if let Some(word) = words.get(index) {
        word.store(word.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_holds_the_last_ones() {
        let account = Account::new();
        for n in 0..100u32 {
            account.refuse(n % 2 == 1, Counted::Unknown, n, u64::from(n) + 1000);
        }
        assert_eq!(account.refused.load(Ordering::Relaxed), 100);
        assert_eq!(account.ring[99 % RING].call.load(Ordering::Relaxed), 1 << 32 | 99);
        assert_eq!(account.ring[98 % RING].time.load(Ordering::Relaxed), 1098);
        assert_eq!(account.denied[0][Counted::Unknown as usize].load(Ordering::Relaxed), 50);
        assert_eq!(account.denied[1][Counted::Unknown as usize].load(Ordering::Relaxed), 50);
    }

    #[test]
    fn answers_and_exits_are_counted_apart() {
        let account = Account::new();
        account.answer(true, Counted::Trng);
        account.exit(Exit::Gic);
        account.exit(Exit::Gic);
        assert_eq!(account.answered[1][Counted::Trng as usize].load(Ordering::Relaxed), 1);
        assert_eq!(account.answered[0][Counted::Trng as usize].load(Ordering::Relaxed), 0);
        assert_eq!(account.exits[Exit::Gic as usize].load(Ordering::Relaxed), 2);
    }
}
