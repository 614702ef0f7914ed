//! Files that take another's place: whoever reads finds the old one or the new one, each whole.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is written beside the one whose place it takes in the end. Dropped before that it is gone.
#[derive(Debug)]
pub struct Replacement {
    place: PathBuf,
    fresh: NamedTempFile,
}

impl Replacement {
    /// Begins one in the folder of the file whose place it takes, with this mode.
    ///
    /// # Errors
    /// Nothing can be written there, or a folder is there.
    pub fn of(file: &Path, mode: u32) -> io::Result<Self> {
        if file.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A collector that takes what ends with .prom passes over this one.
        let fresh = tempfile::Builder::new()
            .prefix(".portcullis-")
            .suffix(".tmp")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder(file))
            .map_err(unnamed)?;
        Ok(Self { place: file.to_owned(), fresh })
    }

    /// Puts it in its place, when all of it is on the disk.
    ///
    /// # Errors
    /// The disk is full, or it cannot be put there.
    pub fn complete(self) -> io::Result<()> {
        self.fresh.as_file().sync_all()?;
        self.fresh.persist(&self.place).map_err(|error| error.error)?;
        // The name, too.
        File::open(folder(&self.place))?.sync_all()
    }

    /// The same, with these bytes behind what was written.
    ///
    /// # Errors
    /// As for [`complete`](Self::complete).
    pub fn put(mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.complete()
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fresh.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.fresh.as_file_mut().flush()
    }
}

/// The error without the name of the file beside, which nobody has asked for.
fn unnamed(error: io::Error) -> io::Error {
    let text = error.to_string();
    let what = text.split_once(" at path ").map(|(what, _)| what.to_owned());
    what.map_or(error, io::Error::other)
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
    fn it_takes_the_place_of_what_was_there_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vm");
        for mode in [0o600, 0o644] {
            fs::write(&path, "old").unwrap();
            let mut fresh = Replacement::of(&path, mode).unwrap();
            fresh.write_all(b"ne").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"old");
            fresh.put(b"w").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            assert_eq!(names(folder.path()), ["vm"]);
        }
    }

    #[test]
    fn nothing_is_left_of_one_that_was_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut fresh = Replacement::of(&folder.path().join("vm"), 0o600).unwrap();
        fresh.write_all(b"half").unwrap();
        drop(fresh);
        assert!(names(folder.path()).is_empty());
        let error = Replacement::of(&folder.path().join("none/vm"), 0o600).unwrap_err();
        assert_eq!(error.to_string(), "No such file or directory (os error 2)");
        assert_eq!(Replacement::of(folder.path(), 0o600).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
