//! Files that others read: whoever does finds the old one or the new one, each whole.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is to take another's place.
#[derive(Debug)]
pub struct Replacement {
    place: PathBuf,
    fresh: NamedTempFile,
}

impl Replacement {
    /// Begins one in the folder of the file whose place it takes, with this mode.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn of(file: &Path, mode: u32) -> io::Result<Self> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if file.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A collector that takes what ends with .prom passes over this one.
        let fresh = tempfile::Builder::new()
            .prefix(".portcullis-")
            .suffix(".tmp")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        Ok(Self { place: file.to_owned(), fresh })
    }

    /// Puts it there, with these bytes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(mut self, bytes: &[u8]) -> io::Result<()> {
        self.fresh.write_all(bytes)?;
        self.fresh.persist(&self.place).map_err(|error| error.error)?;
        Ok(())
    }
}
