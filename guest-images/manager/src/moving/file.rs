//! A saved VM as a file: nobody but its owner reads it, as it has the VM's keys; and it is whole or not there.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is written beside the one whose place it takes in the end. Dropped before that it is gone.
#[derive(Debug)]
pub struct Fresh {
    file: NamedTempFile,
    to: PathBuf,
}

impl Fresh {
    /// Begins it.
    ///
    /// # Errors
    /// There cannot be a file in that folder.
    pub fn beside(to: &Path) -> io::Result<Self> {
        let private = Permissions::from_mode(0o600);
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(".portcullis-").suffix(".tmp").permissions(private).tempfile_in(folder(to))?;
        Ok(Self { file, to: to.to_owned() })
    }

    /// Puts it in its place, when all of it is on the disk.
    ///
    /// # Errors
    /// The disk is full, or it cannot be put there.
    pub fn complete(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.to).map_err(|error| error.error)?;
        // The name, too.
        File::open(folder(&self.to))?.sync_all()
    }
}

impl Write for Fresh {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn it_is_private_and_takes_the_place_of_what_was_there_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vm");
        fs::write(&path, "old").unwrap();
        let mut fresh = Fresh::beside(&path).unwrap();
        fresh.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        fresh.complete().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["vm"]);
    }

    #[test]
    fn nothing_is_left_of_one_that_was_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut fresh = Fresh::beside(&folder.path().join("vm")).unwrap();
        fresh.write_all(b"half").unwrap();
        drop(fresh);
        assert!(names(folder.path()).is_empty());
        assert!(Fresh::beside(&folder.path().join("none/vm")).is_err());
    }
}
