//! What led a guest to its own exception vector, where an abort was the next thing.

use core::sync::atomic::{AtomicU64, Ordering};

/// The exception before the abort. Its vCPU's own core is the only one that uses it.
#[derive(Debug, Default)]
pub struct BeforeVector {
    syndrome: AtomicU64,
    return_address: AtomicU64,
}

impl BeforeVector {
    /// Notes ESR_EL1 and ELR_EL1 of the exception whose vector could not be executed.
    pub fn note(&self, syndrome: u64, return_address: u64) {
        self.syndrome.store(syndrome, Ordering::Relaxed);
        self.return_address.store(return_address, Ordering::Relaxed);
    }

    /// What was noted last: ESR_EL1 and ELR_EL1.
    pub fn last(&self) -> (u64, u64) {
        (self.syndrome.load(Ordering::Relaxed), self.return_address.load(Ordering::Relaxed))
    }
}
