//! `scripts/image --picture`: draws a system from its manifest, without building or downloading anything.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::board::{Board, Hardware};
use crate::environment::Environment;
use crate::guests::Guests;
use crate::options::Picture;
use crate::run::System;
use system::{Board as Limits, Images, Manifest};

/// What the header of an arm64 Image must have (Linux, Documentation/arch/arm64/booting.rst, section 4).
const IMAGE: [(usize, &[u8]); 2] = [(16, &[0, 0, 1]), (56, b"ARM\x64")];
/// Bytes of each stand-in.
const SIZE: usize = 4096;

/// Runs the command.
///
/// # Errors
///
/// The manifest is not right, or the file cannot be written.
pub fn picture(options: &Picture) -> Result<()> {
    let environment = Environment::load()?;
    let picture = draw(&environment, options.board, &options.manifest)?;
    let file = &options.file;
    fs::write(file, &picture).with_context(|| format!("{} cannot be written", file.display()))?;
    println!("{} ({} bytes)", file.display(), picture.len());
    Ok(())
}

/// The picture of the system that `manifest` describes.
fn draw(environment: &Environment, board: Board, manifest: &Path) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let images = Standing { guests: Guests::new(environment), folder: folder.path() };
    // A manifest says what EL3 and the board's devices are for, and they are not known here.
    let limits = Limits { forwards: true, ..System::limits(Hardware::new(board, board.cores()), None) };
    let name = manifest.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let manifest = Manifest::load(manifest, &limits, &images).map_err(|report| {
        eprintln!("{report}");
        anyhow!("the manifest is not right, so nothing was drawn of it")
    })?;
    Ok(picture::draw(&name, &manifest, &limits))
}

/// The known guests' and disks' names, with small files in their places.
struct Standing<'a> {
    guests: Guests<'a>,
    folder: &'a Path,
}

impl Standing<'_> {
    fn file(&self, known: &[String], name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        if !known.iter().any(|known| known == name) {
            return Ok(None);
        }
        let mut bytes = vec![0; SIZE];
        for (at, magic) in IMAGE {
            bytes[at..at + magic.len()].copy_from_slice(magic);
        }
        let path = self.folder.join(name);
        fs::write(&path, bytes)?;
        Ok(Some(path))
    }
}

impl Images for Standing<'_> {
    fn names(&self) -> Vec<String> {
        self.guests.names()
    }

    fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        self.file(&self.names(), name)
    }

    fn initrd(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }

    fn flash(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        self.file(&self.names(), name)
    }

    fn disks(&self) -> Vec<String> {
        self.guests.disks()
    }

    fn disk(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        self.file(&self.disks(), name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture in the README is that of its manifest, as it is drawn today.
    #[test]
    fn the_readme_s_picture_is_current() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = root.join("docs/picture");
        let environment = Environment::at(&root);
        let drawn = draw(&environment, Board::QemuVirt, &folder.join("system.toml")).unwrap();
        let kept = fs::read_to_string(folder.join("system.svg")).unwrap_or_default();
        assert!(
            kept == drawn,
            "scripts/image --picture docs/picture/system.svg --manifest docs/picture/system.toml draws it anew"
        );
        assert!(fs::read_to_string(root.join("README.md")).unwrap().contains("(docs/picture/system.svg)"));
    }

    /// Whatever a manifest of ours describes can be drawn, twice alike, as XML whose elements are closed.
    #[test]
    fn every_manifest_can_be_drawn() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let environment = Environment::at(&root);
        let mut drawn = 0;
        for entry in fs::read_dir(root.join("scripts/manifests")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            // Those of other boards, and those with files that a build makes, are for others.
            let Ok(first) = draw(&environment, Board::QemuVirt, &path) else { continue };
            assert_eq!(draw(&environment, Board::QemuVirt, &path).unwrap(), first, "{}", path.display());
            assert!(first.starts_with("<svg ") && first.ends_with("</svg>\n") && !first.contains("NaN"), "{first}");
            drawn += 1;
        }
        assert!(drawn > 80, "{drawn}");
    }
}
