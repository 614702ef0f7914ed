//! A disk with one FAT partition, which QEMU makes of a folder by itself.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::el3::option;
use crate::environment::Environment;

/// The disk's files.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// An empty disk: what was on the last one is gone.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn new(environment: &Environment) -> Result<Self> {
        let folder = environment.target().join("test/disk");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be emptied", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Self(folder))
    }

    /// Copies a file to it.
    ///
    /// # Errors
    ///
    /// It cannot be read, or not be written.
    pub fn copy(&mut self, from: &Path, name: &str) -> Result<()> {
        let content = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
        self.write(name, &content)
    }

    /// Writes a file, with the folders that it is in.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn write(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let file = self.0.join(name);
        let folder = file.parent().context("a file without a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, content))
            .with_context(|| format!("{} cannot be written", file.display()))
    }

    /// The folder that it is made of.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// QEMU's arguments for a machine with this disk.
    pub fn arguments(&self) -> [String; 4] {
        let drive = format!("if=none,id=disk,format=raw,readonly=on,file=fat:{}", option(&self.0));
        ["-drive".to_owned(), drive, "-device".to_owned(), "virtio-blk-device,drive=disk".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_disk_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::at(folder.path());
        let mut disk = Disk::new(&environment).unwrap();
        disk.write("extlinux/extlinux.conf", b"x").unwrap();
        let [_, drive, ..] = disk.arguments();
        let place = drive.rsplit_once("fat:").unwrap().1;
        assert_eq!(fs::read(Path::new(place).join("extlinux/extlinux.conf")).unwrap(), b"x");
        disk.copy(&Path::new(place).join("extlinux/extlinux.conf"), "again").unwrap();
        assert!(Path::new(place).join("again").exists());
        assert!(disk.copy(Path::new("/nonexistent"), "x").unwrap_err().to_string().contains("/nonexistent"));
        Disk::new(&environment).unwrap();
        assert_eq!(fs::read_dir(place).unwrap().count(), 0);
    }
}
