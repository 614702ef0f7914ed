//! A service of the firmware's that breaks while guests use it: said once.

use core::sync::atomic::{AtomicBool, Ordering};

/// Whether it was said.
#[derive(Debug, Default)]
pub struct Failure(AtomicBool);

impl Failure {
    /// Nothing has failed.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// The function `name` returned `code`, which does not belong there.
    #[cold]
    pub fn report(&self, name: &str, code: i32) {
        if !self.0.swap(true, Ordering::Relaxed) {
            log::warn!("firmware: {name} fails with {code}: guests go without");
        }
    }
}
