//! Which tests run.

/// Which tests to run: those whose name contains a text. A name is `PART NAME`, for instance `qemu linux`.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The text.
    pub text: String,
}

impl Filter {
    /// Whether the test `name` of `part` is to run.
    pub fn selects(&self, part: &str, name: &str) -> bool {
        format!("{part} {name}").contains(&self.text)
    }
}
