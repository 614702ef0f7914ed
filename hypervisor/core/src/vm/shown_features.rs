//! What the guest of a VM reads of its cores' features: the set of a core if they are alike, else what they have in common.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::cpu::feature_set::FeatureSet;

/// A set of features that is decided on once the VM's cores have come. Until then it is empty.
#[derive(Debug)]
pub struct ShownFeatures(AtomicPtr<FeatureSet>);

static NONE: FeatureSet = FeatureSet::new();

impl ShownFeatures {
    /// The empty set.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::from_ref(&NONE).cast_mut()))
    }

    /// Shows `features` from now on.
    pub fn show(&self, features: &'static FeatureSet) {
        self.0.store(ptr::from_ref(features).cast_mut(), Ordering::Release);
    }

    /// What is shown.
    #[inline(always)]
    pub fn get(&self) -> &'static FeatureSet {
        // SAFETY: it is `NONE`'s address or that of what `show` was given: both live for ever, and nobody writes but through
        // atomics.
        unsafe { &*self.0.load(Ordering::Acquire) }
    }
}

impl Default for ShownFeatures {
    fn default() -> Self {
        Self::new()
    }
}
