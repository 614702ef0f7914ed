//! What the keyboard's next key depends on.

use super::answer::Answers;

/// What was typed before.
#[derive(Debug)]
pub struct Keys {
    /// The last key was the escape key.
    pub escape: bool,
    /// The hint how to attach has been shown.
    pub hinted: bool,
    /// Tells what a terminal says by itself.
    pub answers: Answers,
}

impl Keys {
    /// Nothing was typed.
    pub const fn new() -> Self {
        Self { escape: false, hinted: false, answers: Answers::new() }
    }
}
