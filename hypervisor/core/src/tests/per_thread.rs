//! What the machine has once, and a test for itself: each test runs on a thread of its own.

use std::ops::Deref;
use std::thread::LocalKey;

/// Stands in the place of a static of `T`.
pub struct PerThread<T: 'static>(pub &'static LocalKey<&'static T>);

impl<T> Deref for PerThread<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.with(|own| *own)
    }
}
