//! What the keyboard's next key depends on.

use super::answer::Answers;
use super::choice::Choice;

/// What was typed before.
#[derive(Debug)]
pub struct Keys {
    /// The last key was the escape key.
    pub escape: bool,
    /// What was typed to choose a VM, while one is being chosen.
    pub choice: Option<Choice>,
    /// The hint how to attach has been shown.
    pub hinted: bool,
    /// Tells what a terminal says by itself.
    pub answers: Answers,
}

impl Keys {
    /// Nothing was typed.
    pub const fn new() -> Self {
        Self { escape: false, choice: None, hinted: false, answers: Answers::new() }
    }
}
