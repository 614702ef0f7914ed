//! Whole manifests: what is read from right ones, and what exactly is said about wrong ones.

mod cpu;
mod damage;
mod disks;
mod files;
mod firmware;
mod flash;
mod hardware;
mod links;
mod movable;
mod placement;
mod places;
mod right;
mod schedule;
mod shape;
mod system;
mod vm;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Board, Images, Manifest};

/// A folder with guest files, the board and the known guests of these tests.
pub struct Bench {
    folder: tempfile::TempDir,
    pub board: Board,
}

/// One known guest, `debian`, with a RAM disk, and one that cannot be had, `absent`.
struct Known<'a>(&'a Path);

impl Images for Known<'_> {
    fn names(&self) -> Vec<String> {
        vec!["debian".to_owned(), "absent".to_owned()]
    }

    fn kernel(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        match name {
            "debian" => Ok(Some(self.0.join("Image"))),
            "absent" => Err("not downloaded".into()),
            _ => Ok(None),
        }
    }

    fn initrd(&self, name: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok((name == "debian").then(|| self.0.join("disk")))
    }
}

impl Bench {
    /// A folder with `raw` (4 KiB), `Image` (32 MiB in memory) and `disk` (64 KiB); 4 cores, 1 GiB.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self {
            folder,
            board: Board {
                name: "qemu-virt".to_owned(),
                cores: 4,
                memory: 1 << 30,
                forwards: true,
                time: true,
                cpu: None,
                ram: None,
                devices: Vec::new(),
            },
        };
        bench.file("raw", &[0x14; 4096]);
        bench.file("Image", &arm64(0, 32 << 20, 8192));
        bench.file("disk", &[7; 64 << 10]);
        bench
    }

    pub fn file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn parse(&self, text: &str) -> Result<Manifest, super::Report> {
        Manifest::parse("demo.toml", text, self.folder.path(), &self.board, &Known(self.folder.path()))
    }

    /// The report on `text`, with the folder's random name as `FOLDER`.
    pub fn report(&self, text: &str) -> String {
        let report = self.parse(text).expect_err("this manifest is wrong").to_string();
        report.replace(&self.folder.path().display().to_string(), "FOLDER")
    }

    /// Checks the exact text of the report on `text`.
    #[track_caller]
    pub fn says(&self, text: &str, expected: &str) {
        let report = self.report(text);
        assert!(report == expected, "said:\n{report}\nexpected:\n{expected}");
    }
}

/// A kernel of `length` bytes with an arm64 Image header.
pub fn arm64(text_offset: u64, image_size: u64, length: usize) -> Vec<u8> {
    let mut image = vec![0; length];
    image[8..16].copy_from_slice(&text_offset.to_le_bytes());
    image[16..24].copy_from_slice(&image_size.to_le_bytes());
    image[56..60].copy_from_slice(b"ARM\x64");
    image
}

/// The lines of one right VM, with `line` in the place of the line that starts with the same key.
pub fn vm(line: &str) -> String {
    let key = line.split(['=', ' ']).next().unwrap_or_default();
    let lines = [r#"name = "a""#, r#"image = "raw""#, r#"memory = "64M""#, "cores = [0]"];
    let mut text = "[[vm]]\n".to_owned();
    let mut replaced = false;
    for right in lines {
        let same = !key.is_empty() && right.split(' ').next() == Some(key);
        replaced |= same;
        text += if same { line } else { right };
        text += "\n";
    }
    if replaced { text } else { text + line + "\n" }
}
