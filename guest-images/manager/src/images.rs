//! A kernel, an initial RAM disk and a command line on their way into a VM: one stream with its length and a checksum
//! (`docs/abi.md`, "Loading images").

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use crc::{CRC_32_ISCSI, Crc, Digest, Table};
use portcullis_bundle::image::Kernel;
use portcullis_bundle::image::foreign::{Foreign, foreign};
use portcullis_stream::images::{CMDLINE, Head, START};
use zerocopy::IntoBytes;

use crate::error::Error;

/// CRC-32C (RFC 3720, appendix B.4).
static SUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
/// Bytes of a file that tell what it is.
const TELLING: u64 = 64 << 10;

/// A file that is sent.
#[derive(Debug)]
pub struct Source {
    file: File,
    /// Bytes of it.
    pub length: u64,
}

impl Source {
    /// Opens a file with something in it.
    ///
    /// # Errors
    /// It cannot be read, or is empty.
    pub fn open(path: &str) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Wrong(format!("{path} cannot be read: {error}"));
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(Error::Wrong(format!("{path} is no file; name the kernel's Image, or a RAM disk")));
        }
        match metadata.len() {
            0 => Err(Error::Wrong(format!("{path} is empty; was it written completely?"))),
            length => Ok(Self { file, length }),
        }
    }

    /// Checks that it can be a kernel.
    ///
    /// # Errors
    /// It is something else; the text says what to do with it.
    pub fn check_kernel(&mut self, path: &str) -> Result<(), Error> {
        let failed = |error: io::Error| Error::Wrong(format!("{path} cannot be read: {error}"));
        let mut bytes = Vec::new();
        (&mut self.file).take(TELLING).read_to_end(&mut bytes).map_err(failed)?;
        self.file.rewind().map_err(failed)?;
        if let Some(Foreign { what, help }) = foreign(&bytes) {
            return Err(Error::Wrong(format!("{path} is {what}; {help}")));
        }
        let start = bytes.get(..START as usize).unwrap_or(&bytes);
        Kernel::of(start, self.length).map(drop).map_err(|error| Error::Wrong(format!("{path}: {error}")))
    }
}

/// The stream.
pub struct Images<'a> {
    /// What is left of it but for its end.
    parts: Vec<Box<dyn Read>>,
    sum: Digest<'a, u32, Table<16>>,
    /// Its end, once all that is in front was read.
    end: Option<Cursor<[u8; 8]>>,
    /// Bytes of all of it.
    pub total: u64,
}

impl Images<'_> {
    /// The stream of these.
    ///
    /// # Errors
    /// The command line is longer than a kernel takes, or has what none has.
    pub fn new(kernel: Source, initrd: Option<Source>, cmdline: &str) -> Result<Self, Error> {
        if cmdline.len() as u64 > CMDLINE {
            let message = format!("the command line has {} bytes; a kernel takes {CMDLINE} at the most", cmdline.len());
            return Err(Error::Wrong(message));
        }
        if let Some(control) = cmdline.chars().find(|character| character.is_control()) {
            let message =
                format!("the command line contains {control:?}; write it as one line of printable characters");
            return Err(Error::Wrong(message));
        }
        let disk = initrd.as_ref().map_or(0, |initrd| initrd.length);
        let head = Head::new(kernel.length, disk, cmdline.len() as u64);
        let total = head.total().ok_or_else(|| Error::Wrong("the files are too large".to_owned()))?;
        let start = [head.as_bytes(), cmdline.as_bytes()].concat();
        let files = [Some(kernel), initrd].into_iter().flatten();
        let files = files.map(|source| Box::new(source.file.take(source.length)) as Box<dyn Read>);
        // They are taken from the end.
        let mut parts: Vec<Box<dyn Read>> = std::iter::once(Box::new(Cursor::new(start)) as _).chain(files).collect();
        parts.reverse();
        Ok(Self { parts, sum: SUM.digest(), end: None, total })
    }
}

impl Read for Images<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.last_mut() {
            let count = part.read(to)?;
            if count != 0 || to.is_empty() {
                self.sum.update(to.get(..count).unwrap_or_default());
                return Ok(count);
            }
            self.parts.pop();
        }
        let sum = self.sum.clone().finalize().to_le_bytes();
        let [a, b, c, d] = sum;
        self.end.get_or_insert_with(|| Cursor::new([a, b, c, d, 0, 0, 0, 0])).read(to)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_stream::images::{File as Which, Receive, Receiver};
    use portcullis_stream::{Progress, Sum};

    use super::*;

    /// What the hypervisor makes of the stream.
    struct Vm<'a>(&'a [u8], Vec<u8>, String);

    impl Sum for Vm<'_> {
        fn sum(sum: u32, bytes: &[u8]) -> u32 {
            let mut digest = SUM.digest_with_initial(sum.reverse_bits());
            digest.update(bytes);
            !digest.finalize()
        }
    }

    impl Receive for Vm<'_> {
        type Error = std::convert::Infallible;

        fn available(&self) -> usize {
            self.0.len()
        }

        fn take(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
            let (now, rest) = self.0.split_at(to.len());
            to.copy_from_slice(now);
            self.0 = rest;
            Ok(())
        }

        fn accept(&mut self, _: &Head, cmdline: &str, _: &[u8]) -> Result<(), Self::Error> {
            self.2 = cmdline.to_owned();
            Ok(())
        }

        fn begin(&mut self, start: &[u8]) -> Result<(), Self::Error> {
            self.1.extend_from_slice(start);
            Ok(())
        }

        fn store(&mut self, _: Which, _: u64, length: usize, sum: u32) -> Result<u32, Self::Error> {
            let (now, rest) = self.0.split_at(length);
            self.1.extend_from_slice(now);
            self.0 = rest;
            Ok(Self::sum(sum, now))
        }
    }

    #[test]
    fn what_is_sent_is_what_the_hypervisor_takes() {
        let folder = tempfile::tempdir().unwrap();
        let (kernel, disk) = (folder.path().join("kernel"), folder.path().join("disk"));
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n / 5) as u8 | 0x80).collect();
        std::fs::write(&kernel, &bytes).unwrap();
        std::fs::write(&disk, &bytes[..7000]).unwrap();
        let mut source = Source::open(kernel.to_str().unwrap()).unwrap();
        source.check_kernel("kernel").unwrap();
        let initrd = Source::open(disk.to_str().unwrap()).unwrap();
        let mut images = Images::new(source, Some(initrd), "quiet").unwrap();
        let mut sent = Vec::new();
        images.read_to_end(&mut sent).unwrap();
        assert_eq!(sent.len() as u64, images.total);
        let mut vm = Vm(&sent, Vec::new(), String::new());
        assert_eq!(Receiver::new(images.total).push(&mut vm), Ok(Progress::Done));
        assert!(vm.1 == [&bytes[..], &bytes[..7000]].concat() && vm.2 == "quiet");
    }

    #[test]
    fn what_is_no_kernel_is_said_before_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel");
        let name = path.to_str().unwrap();
        let said = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Source::open(name).and_then(|mut source| source.check_kernel(name)).unwrap_err().to_string()
        };
        assert_eq!(
            said(b"\x1f\x8b\x08 and so on"),
            format!("{name} is compressed with gzip; unpack it with `gunzip` and name the result")
        );
        assert_eq!(said(b""), format!("{name} is empty; was it written completely?"));
        assert!(Source::open("/proc/none").unwrap_err().to_string().starts_with("/proc/none cannot be read: "));
        assert!(Source::open(folder.path().to_str().unwrap()).unwrap_err().to_string().contains("is no file"));
        std::fs::write(&path, [0x14; 100]).unwrap();
        let open = || Source::open(name).unwrap();
        let long = Images::new(open(), None, &"x".repeat(2048)).err().unwrap().to_string();
        assert_eq!(long, "the command line has 2048 bytes; a kernel takes 2047 at the most");
        assert!(Images::new(open(), None, "a\nb").err().unwrap().to_string().contains("contains '\\n'"));
    }
}
