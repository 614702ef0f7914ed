//! A file that a VM gets, as it was read.

use std::fmt;
use std::path::PathBuf;

/// A file that goes into a VM's RAM.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it was found.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Image {
    /// The file's name, without its folder.
    pub fn name(&self) -> Option<String> {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned())
    }
}

impl fmt::Debug for Image {
    /// Everything but the bytes themselves, which are millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, bytes } = self;
        f.debug_struct("Image").field("path", path).field("length", &bytes.len()).finish()
    }
}
