//! A lock whose holder will not go on.

use core::hint;

use spin::mutex::TicketMutex;

/// How often a lock is asked for whose holder may still be about to let it go: drivers hold theirs for a few accesses.
const PATIENCE: usize = 100_000;
/// Most who can wait for a lock, and its holder: all cores.
const MOST: usize = 17;

/// Makes sure that `lock` can be had, whoever holds it and whoever waits for it, none of whom will go on if they do not do so
/// at once.
pub fn seize<T>(lock: &TicketMutex<T>) {
    for _ in 0..PATIENCE {
        if lock.try_lock().is_some() {
            return;
        }
        hint::spin_loop();
    }
    for _ in 0..MOST {
        // SAFETY: whoever holds it was stopped, or is below on this very stack and never comes back; the machine ends. What the
        // lock guards are registers, which may have got half of what they should have.
        unsafe { lock.force_unlock() };
        if lock.try_lock().is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_for_ever_can_be_had() {
        let lock = TicketMutex::new(7);
        seize(&lock);
        assert_eq!(*lock.lock(), 7);
        core::mem::forget(lock.lock());
        assert!(lock.try_lock().is_none());
        seize(&lock);
        *lock.lock() += 1;
        assert_eq!(*lock.lock(), 8);
    }
}
