//! Archives in the format of initial RAM disks: cpio, "newc" (Linux, Documentation/driver-api/early-userspace/
//! buffer-format.rst).

/// Bits of a mode word: a folder.
const FOLDER: u32 = 0o040_000;
/// Bits of a mode word: a regular file.
const FILE: u32 = 0o100_000;
/// Bits of a mode word: a symbolic link.
const LINK: u32 = 0o120_000;

/// An archive that grows by one entry after the other. Every entry belongs to root and has no date, so that equal
/// contents make equal archives.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds the folder `path`, which must come before what it holds.
    pub fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER | 0o755, 2, &[]);
    }

    /// Adds the file `path`.
    pub fn file(&mut self, path: &str, executable: bool, content: &[u8]) {
        self.entry(path, FILE | if executable { 0o755 } else { 0o644 }, 1, content);
    }

    /// Adds a symbolic link at `path` that leads to `to`.
    pub fn link(&mut self, path: &str, to: &str) {
        self.entry(path, LINK | 0o777, 1, to.as_bytes());
    }

    /// The complete archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entries = 0;
        self.entry("TRAILER!!!", 0, 1, &[]);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, links: u32, content: &[u8]) {
        let inode = self.entries;
        self.entries += 1;
        // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of the name, checksum
        let fields = [inode, mode, 0, 0, links, 0, content.len() as u32, 0, 0, 0, 0, path.len() as u32 + 1, 0]
            .map(|field| format!("{field:08X}"));
        self.bytes.extend_from_slice(b"070701");
        self.bytes.extend_from_slice(fields.concat().as_bytes());
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an archive back: name, mode, content.
    fn read(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        let whole = bytes.len();
        loop {
            let field = |number: usize| {
                let text = std::str::from_utf8(&bytes[6 + number * 8..][..8]).unwrap();
                u32::from_str_radix(text, 16).unwrap()
            };
            assert_eq!(&bytes[..6], b"070701");
            let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
            let name = std::str::from_utf8(&bytes[110..110 + name_size - 1]).unwrap().to_owned();
            if name == "TRAILER!!!" {
                return entries;
            }
            let content = (110 + name_size).next_multiple_of(4);
            entries.push((name, mode, bytes[content..content + size].to_vec()));
            bytes = &bytes[(content + size).next_multiple_of(4)..];
            assert!(bytes.len() < whole);
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut archive = Archive::default();
        archive.folder("bin");
        archive.file("bin/busybox", true, b"12345");
        archive.link("bin/sh", "busybox");
        archive.file("empty", false, b"");
        let bytes = archive.finish();
        assert_eq!(bytes.len() % 512, 0);
        assert_eq!(
            read(&bytes),
            [
                ("bin".into(), 0o040_755, vec![]),
                ("bin/busybox".into(), 0o100_755, b"12345".to_vec()),
                ("bin/sh".into(), 0o120_777, b"busybox".to_vec()),
                ("empty".into(), 0o100_644, vec![]),
            ]
        );
    }
}
