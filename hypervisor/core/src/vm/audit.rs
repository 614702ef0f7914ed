//! Audit mode: a VM runs with everything that the board supports, and what it uses is noted.
//!
//! Each of its calls comes here. A function that was noted already costs a walk over the list; the list is short, and an
//! audit is no benchmark.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use portcullis_gate::{Conduit, FunctionId, Profile, Register, requirement};

/// Functions that are noted of a VM.
pub const NOTES: usize = 64;

/// Bit of a note: the slot is taken.
const USED: u64 = 1 << 63;
/// Bit of a note: by SMC.
const SMC: u64 = 1 << 32;
/// Bit of a note: refused.
const REFUSED: u64 = 1 << 33;

/// Bit of a note: handed to EL3.
const FORWARDED: u64 = 1 << 34;

/// Bit of [`Audit::profile`] that no profile has: a trace follows the VM.
const TRACED: u64 = 1 << 39;

/// How calls of a VM are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch(u64);

impl Watch {
    /// The profile with which the VM runs if it is audited, in place of its row's.
    pub const fn profile(self) -> Option<Profile> {
        let Self(word) = self;
        match word & !TRACED {
            0 => None,
            word => Some(Profile(word)),
        }
    }

    /// Whether a trace follows the VM.
    pub const fn is_traced(self) -> bool {
        let Self(word) = self;
        word & TRACED != 0
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was answered.
    Answered,
    /// It was refused, by all that the VM can have.
    Refused,
    /// EL3 answered it, by a range of the VM's filter.
    Forwarded,
}

/// What a VM that is audited has used.
pub struct Audit {
    wanted: AtomicBool,
    /// The profile that it runs with if it is audited, and whether it is [`TRACED`]; zero: nobody watches its calls.
    profile: AtomicU64,
    /// The bits of the profile that its calls required.
    bits: AtomicU64,
    /// The newest PSCI version that they required.
    psci: AtomicU64,
    notes: [AtomicU64; NOTES],
    times: [AtomicU64; NOTES],
    missed: AtomicU64,
    /// A bit for each range of the filter by which EL3 was reached.
    ranges: AtomicU64,
}

/// A function that the VM has called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Function identifier in bits 31:0, bit 32 for an SMC, bit 33 if it was refused, bit 34 if EL3 answered it.
    pub call: u64,
    /// Physical counter at its first use.
    pub time: u64,
}

impl Audit {
    /// No audit.
    pub const fn new() -> Self {
        Self {
            wanted: AtomicBool::new(false),
            profile: AtomicU64::new(0),
            bits: AtomicU64::new(0),
            psci: AtomicU64::new(0),
            notes: [const { AtomicU64::new(0) }; NOTES],
            times: [const { AtomicU64::new(0) }; NOTES],
            missed: AtomicU64::new(0),
            ranges: AtomicU64::new(0),
        }
    }

    /// Whether the VM is, or will be, audited.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Chooses whether the VM is audited from its start on. The caller knows that it has not started.
    pub fn want(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// The VM starts; `profile` is everything that it can have.
    pub fn start(&self, profile: Profile) {
        if self.is_wanted() {
            let now = |word: u64| Some(word & TRACED | profile.0);
            let _ = self.profile.fetch_update(Ordering::AcqRel, Ordering::Acquire, now);
        }
    }

    /// How calls of the VM are watched; none: they are not.
    #[inline(always)]
    pub fn watch(&self) -> Option<Watch> {
        match self.profile.load(Ordering::Acquire) {
            0 => None,
            word => Some(Watch(word)),
        }
    }

    /// The profile with which the VM runs if it is audited, in place of its row's.
    pub fn profile(&self) -> Option<Profile> {
        self.watch().and_then(Watch::profile)
    }

    /// Says whether a trace follows the VM.
    pub fn trace(&self, on: bool) {
        if on {
            self.profile.fetch_or(TRACED, Ordering::AcqRel);
        } else {
            self.profile.fetch_and(!TRACED, Ordering::AcqRel);
        }
    }

    /// Forgets everything: the VM is made anew.
    pub fn reset(&self) {
        self.want(false);
        self.profile.fetch_and(TRACED, Ordering::AcqRel);
        for word in
            [&self.bits, &self.psci, &self.missed, &self.ranges].into_iter().chain(&self.notes).chain(&self.times)
        {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// The VM has called `function`, at the value `time` of the physical counter.
    pub fn note(&self, function: FunctionId, conduit: Conduit, fate: Fate, time: u64) {
        if fate == Fate::Answered
            && let Some(required) = requirement(function)
        {
            let psci = required.register(Register::PsciVersion);
            self.bits.fetch_or(required.with(Register::PsciVersion, 0).0, Ordering::Relaxed);
            self.psci.fetch_max(psci, Ordering::Relaxed);
        }
        let conduit = if conduit == Conduit::Smc { SMC } else { 0 };
        let fate = match fate {
            Fate::Answered => 0,
            Fate::Refused => REFUSED,
            Fate::Forwarded => FORWARDED,
        };
        let note = USED | u64::from(function.0) | conduit | fate;
        for (slot, at) in self.notes.iter().zip(&self.times) {
            match slot.compare_exchange(0, note, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return at.store(time, Ordering::Relaxed),
                Err(seen) if seen == note => return,
                Err(_) => {}
            }
        }
        self.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// EL3 was reached by the range of the filter with this index.
    pub fn reached(&self, range: usize) {
        self.ranges.fetch_or(1u64.checked_shl(range as u32).unwrap_or(0), Ordering::Relaxed);
    }

    /// The ranges by which EL3 was reached, a bit each.
    pub fn ranges(&self) -> u64 {
        self.ranges.load(Ordering::Relaxed)
    }

    /// The note of this index, in the order of first use.
    pub fn get(&self, index: usize) -> Option<Note> {
        let note = self.notes.get(index)?.load(Ordering::Relaxed);
        let time = self.times.get(index)?.load(Ordering::Relaxed);
        (note != 0).then_some(Note { call: note & !USED, time })
    }

    /// Calls whose function found no room in the list.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// The smallest value of a register with which every call so far would have been let through.
    pub fn smallest(&self, register: Register) -> u64 {
        match register {
            Register::PsciVersion => self.psci.load(Ordering::Relaxed).max(PSCI_LEAST),
            other => Profile(self.bits.load(Ordering::Relaxed)).register(other),
        }
    }
}

/// The oldest PSCI version that a VM can be shown.
const PSCI_LEAST: u64 = portcullis_abi::function::PSCI_VERSION_0_2 as u64;

impl Default for Audit {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_abi::function;
    use portcullis_gate::{Conduits, Support};

    #[test]
    fn it_runs_with_everything_once_it_starts() {
        let audit = Audit::new();
        let everything = Profile::everything(&Support::FULL, Conduits::BOTH);
        audit.start(everything);
        assert_eq!(audit.profile(), None);
        audit.want(true);
        assert_eq!(audit.profile(), None);
        audit.start(everything);
        assert_eq!(audit.profile(), Some(everything));
        audit.reset();
        assert_eq!((audit.profile(), audit.is_wanted()), (None, false));
    }

    #[test]
    fn a_trace_goes_on_over_starts_and_audits() {
        let (audit, everything) = (Audit::new(), Profile::everything(&Support::FULL, Conduits::BOTH));
        assert_eq!((everything.0 & TRACED, audit.watch()), (0, None));
        audit.trace(true);
        let watched = |audit: &Audit| audit.watch().map(|watch| (watch.profile(), watch.is_traced()));
        assert_eq!((watched(&audit), audit.profile()), (Some((None, true)), None));
        audit.want(true);
        audit.start(everything);
        assert_eq!(watched(&audit), Some((Some(everything), true)));
        audit.reset();
        assert_eq!(watched(&audit), Some((None, true)));
        audit.trace(false);
        assert_eq!(watched(&audit), None);
    }

    #[test]
    fn first_uses_are_noted_once_and_in_order() {
        let audit = Audit::new();
        let note = |id, conduit, fate, time| audit.note(FunctionId(id), conduit, fate, time);
        note(function::TRNG_RND64, Conduit::Hvc, Fate::Answered, 5);
        note(function::TRNG_RND64, Conduit::Hvc, Fate::Answered, 6);
        note(function::TRNG_RND64, Conduit::Smc, Fate::Answered, 7);
        note(0x8500_1234, Conduit::Smc, Fate::Refused, 8);
        note(0xc200_0001, Conduit::Smc, Fate::Forwarded, 9);
        let expected = [(0xc400_0053, 5), (0x1_c400_0053, 7), (0x3_8500_1234, 8), (0x5_c200_0001, 9)];
        for (index, (call, time)) in expected.into_iter().enumerate() {
            assert_eq!(audit.get(index), Some(Note { call, time }));
        }
        assert_eq!(audit.get(4), None);
        assert_eq!(audit.get(usize::MAX), None);
    }

    #[test]
    fn the_smallest_registers_are_those_that_were_needed() {
        let audit = Audit::new();
        assert_eq!(audit.smallest(Register::PsciVersion), 0x2);
        audit.note(FunctionId(function::TRNG_RND64), Conduit::Hvc, Fate::Answered, 0);
        audit.note(FunctionId(function::VENDOR_PTP), Conduit::Hvc, Fate::Answered, 0);
        audit.note(FunctionId(function::PSCI_FEATURES), Conduit::Hvc, Fate::Answered, 0);
        audit.note(FunctionId(function::PSCI_VERSION), Conduit::Hvc, Fate::Answered, 0);
        // EL3's: no register, but a range of the filter.
        audit.note(FunctionId(function::TRNG_VERSION), Conduit::Hvc, Fate::Forwarded, 0);
        audit.reached(31);
        audit.reached(0);
        audit.reached(64);
        assert_eq!(audit.ranges(), 1 << 31 | 1);
        // Refused even so: no register would have helped.
        audit.note(FunctionId(function::VENDOR_IMPL_CPUS), Conduit::Hvc, Fate::Refused, 0);
        let smallest = Register::ALL.map(|register| audit.smallest(register));
        assert_eq!(smallest, [0x1_0000, 0, 0, 0, 1, 0, 2, 0, 0x1_0001, 0]);
        audit.reset();
        assert_eq!((audit.smallest(Register::Std), audit.ranges()), (0, 0));
    }

    #[test]
    fn a_flood_of_functions_hides_no_requirement() {
        let audit = Audit::new();
        for id in 0..1000 {
            audit.note(FunctionId(0x8200_0000 + id), Conduit::Hvc, Fate::Refused, 0);
        }
        audit.note(FunctionId(function::PV_TIME_ST), Conduit::Hvc, Fate::Answered, 0);
        assert_eq!(audit.missed(), 1001 - NOTES as u64);
        assert_eq!(audit.smallest(Register::StdHyp), 1);
    }
}
