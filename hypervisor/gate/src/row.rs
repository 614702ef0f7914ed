//! One VM's row of the table: the word that everything about its firmware policy is decided by.
//!
//! Memory ordering. All of the policy is in one word, so no ordering is needed to keep parts of it together: whoever
//! loads the word has all of it, and each change is one compare-exchange, which by definition sees the newest value.
//! Ordering is only needed for what lies *beside* the word and is published through it: the range filter and the VM's
//! other structures.
//!
//! | access | ordering | why |
//! | --- | --- | --- |
//! | `create`, `restore` store | Release | who sees the new word sees the emptied filter and the scrubbed VM |
//! | SET, clear all, rule: load, failed exchange | Relaxed | a guess at the word, checked by the exchange |
//! | SET, clear all, rule: exchange | Relaxed | publishes nothing but the word; an exchange does not end a release |
//! | `permit_suspend` fetch-or | Relaxed | publishes nothing but the word |
//! | `freeze` exchange | AcqRel | Release publishes the filter to readers; Acquire for a starter that comes second |
//! | `freeze` load, failed exchange | Acquire | it may find the word frozen by another core and return it |
//! | `profile`, `get` load | Acquire | who sees the frozen mark sees the filter that was frozen with it |
//!
//! What the vectors read is worked out from the frozen word before the VM's first vCPU is handed to its core; that
//! hand-over has its own Release and Acquire, so plain loads are enough there.

#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]

use crate::atomic::{AtomicU64, Ordering};
use crate::call::Conduits;
use crate::error::SetError;
use crate::filter::Filter;
use crate::profile::{Profile, Rule};
use crate::register::Register;
use crate::support::Support;

/// One VM's row: alone on its cache line, so that another VM's manager never slows its calls.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Row {
    word: AtomicU64,
}

impl Row {
    /// Offset of the profile word in the row, for whoever must find it without this type.
    pub const WORD_OFFSET: usize = core::mem::offset_of!(Row, word);

    /// The row of a VM that does not exist: every call is denied, nothing can be set.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { word: AtomicU64::new(Profile::ABSENT.0) }
    }

    /// The row of a VM that does not exist: every call is denied, nothing can be set.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { word: AtomicU64::new(Profile::ABSENT.0) }
    }

    /// Puts the row into the state of a VM that was just created: everything that the board supports is set, the
    /// registers can be written, the rule is [`Rule::Clear`].
    ///
    /// This is also how a stopped VM is recreated. It undoes the freeze, so the caller must know that no vCPU of this
    /// VM runs or can start until it is frozen again: hold the lock that starting the VM takes, with every vCPU off.
    /// A manager's SET that runs at the same time lands before or after it, whole.
    pub fn create(&self, support: &Support, conduits: Conduits) {
        self.word.store(Profile::created(support, conduits).0, Ordering::Release);
    }

    /// As [`Row::create`], for the control VM: it has the management calls besides.
    pub fn create_control(&self, support: &Support, conduits: Conduits) {
        self.word.store(Profile::created(support, conduits).with_control().0, Ordering::Release);
    }

    /// Lets the VM suspend itself. To be called between [`Row::create`] and the VM's start.
    pub fn permit_suspend(&self) {
        self.word.fetch_or(Profile(0).with_suspend().0, Ordering::Relaxed);
    }

    /// Takes the row back to that of a VM that does not exist. The caller must know what [`Row::create`] asks for.
    pub fn remove(&self) {
        self.word.store(Profile::ABSENT.0, Ordering::Release);
    }

    /// Puts another word in place, under the conditions of [`Row::create`].
    pub(crate) fn replace(&self, profile: Profile, ordering: Ordering) {
        self.word.store(profile.0, ordering);
    }

    /// The word as it is: the one load of the path of a call.
    pub fn profile(&self) -> Profile {
        Profile(self.word.load(Ordering::Acquire))
    }

    /// GET: the value of a register.
    pub fn get(&self, register: Register) -> u64 {
        self.profile().register(register)
    }

    /// SET: writes a register. The first SET since creation clears every bitmap register first, in the same instant,
    /// unless the rule is [`Rule::Keep`]. The caller has looked up the register and asked whether it may.
    ///
    /// # Errors
    ///
    /// [`SetError::Unsupported`] as [`Support::check`] says, also after the start; then [`SetError::Frozen`] if the VM
    /// has started and the value differs from the one it has. On an error nothing has changed.
    pub fn set(&self, register: Register, value: u64, support: &Support) -> Result<(), SetError> {
        let value = support.check(register, value)?;
        self.change(|profile| profile.after_set(register, value))
    }

    /// Clears every bitmap register. This counts as the first write.
    ///
    /// # Errors
    ///
    /// [`SetError::Frozen`] if the VM has started and has a bit set.
    pub fn clear_all(&self) -> Result<(), SetError> {
        self.change(Profile::after_clear_all)
    }

    /// Chooses what the first write does. After the first write it has no effect but to be shown.
    ///
    /// # Errors
    ///
    /// [`SetError::Frozen`] if the VM has started and has the other rule.
    pub fn set_rule(&self, rule: Rule) -> Result<(), SetError> {
        self.change(|profile| profile.after_set_rule(rule))
    }

    /// Lowers the workaround registers to what `support` says at most, now that it is known which cores the VM has. It is no write
    /// of a manager's: no mark is set. A row that is frozen stays as it is.
    pub fn limit_workarounds(&self, support: &Support) {
        let limited = self.change(|profile| Ok(profile.with_limited_workarounds(support)));
        debug_assert!(limited.is_ok(), "nothing is refused");
    }

    /// Freezes the row and publishes the filter that the caller filled. It must happen before the VM's first
    /// instruction. A row that is frozen stays as it is. The caller holds the lock under which the filter is written,
    /// so that no range is added between this look at the filter and the freeze.
    pub fn freeze(&self, filter: Option<&Filter>) -> Profile {
        let filtered = filter.is_some_and(|filter| !filter.ranges().is_empty());
        let mut current = self.word.load(Ordering::Acquire);
        loop {
            let next = Profile(current).after_freeze(filtered);
            if next.0 == current {
                return next;
            }
            match self.word.compare_exchange_weak(current, next.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return next,
                Err(seen) => current = seen,
            }
        }
    }

    /// One change of the word: it lands whole, on the newest value, or not at all. The exchange is also made when it
    /// changes nothing, because only an exchange proves that `current` was the newest value; a frozen word is final.
    fn change(&self, step: impl Fn(Profile) -> Result<Profile, SetError>) -> Result<(), SetError> {
        let mut current = self.word.load(Ordering::Relaxed);
        loop {
            let next = step(Profile(current))?;
            if next.is_frozen() {
                return Ok(());
            }
            match self.word.compare_exchange_weak(current, next.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(seen) => current = seen,
            }
        }
    }
}

impl Default for Row {
    fn default() -> Self {
        Self::new()
    }
}
