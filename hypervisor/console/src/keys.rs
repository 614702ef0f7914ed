//! What the keyboard's next key depends on.

/// What was typed before.
#[derive(Debug)]
pub struct Keys {
    /// The last key was the escape key.
    pub escape: bool,
    /// The hint how to attach has been shown.
    pub hinted: bool,
}

impl Keys {
    /// Nothing was typed.
    pub const fn new() -> Self {
        Self { escape: false, hinted: false }
    }
}
