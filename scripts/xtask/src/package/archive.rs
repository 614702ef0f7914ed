//! A Debian package as a file: an archive of `ar` with the format's number and two archives of tar (deb(5)). Everything in it is
//! root's and of no date, so that equal contents make equal packages.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it goes, without the first slash.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// A file that anybody may read, or run.
    pub fn new(path: &str, executable: bool, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), mode: if executable { 0o755 } else { 0o644 }, bytes: bytes.into() }
    }
}

/// The package that installs `files`, told of and looked after by `control` (deb-control(5) and its scripts).
///
/// # Errors
///
/// A path is too long for the format.
pub fn package(control: &[Entry], files: &[Entry]) -> io::Result<Vec<u8>> {
    let mut archive = ar::Builder::new(Vec::new());
    for (name, bytes) in
        [("debian-binary", b"2.0\n".to_vec()), ("control.tar.gz", folder(control)?), ("data.tar.gz", folder(files)?)]
    {
        let mut header = ar::Header::new(name.into(), bytes.len() as u64);
        header.set_mode(0o100_644);
        archive.append(&header, bytes.as_slice())?;
    }
    archive.into_inner()
}

/// Bytes as gzip has them, without a name and a date.
///
/// # Errors
///
/// None that memory has.
pub fn compressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Files with the folders above them, as tar has them, compressed.
fn folder(files: &[Entry]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut folders = BTreeSet::new();
    for file in files {
        let above: Vec<&Path> = Path::new(&file.path).ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            if folders.insert(folder.to_owned()) {
                let path = Path::new(".").join(folder).join("");
                append(&mut archive, &path, EntryType::Directory, 0o755, &[])?;
            }
        }
        append(&mut archive, &Path::new(".").join(&file.path), EntryType::Regular, file.mode, &file.bytes)?;
    }
    compressed(&archive.into_inner()?)
}

fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    path: &Path,
    kind: EntryType,
    mode: u32,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    // The crate takes a leading "." away, which dpkg's own packages have.
    let name = path.to_string_lossy();
    let field = header.as_old_mut().name.get_mut(..name.len()).ok_or(io::ErrorKind::InvalidFilename)?;
    field.copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_username("root")?;
    header.set_groupname("root")?;
    header.set_cksum();
    archive.append(&header, bytes)
}
