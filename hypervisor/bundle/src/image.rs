//! Guest images: the arm64 `Image` header (Linux `Documentation/arch/arm64/booting.rst`) and where kernel, initial RAM
//! disk and device tree go in a VM's RAM.

use core::fmt;

use portcullis_abi::map;
use portcullis_board::Range;

/// The header's `magic` field, "ARM\x64", at offset 56.
const MAGIC: &[u8] = b"ARM\x64";
/// `text_offset` of a header whose `image_size` is zero (kernels before 3.17).
const LEGACY_TEXT_OFFSET: u64 = 0x8_0000;
/// Flags bit 0: the kernel is big-endian.
const FLAG_BIG_ENDIAN: u64 = 1;
/// Most bytes of a device tree that Linux accepts.
pub const DTB_MAX: u64 = 2 << 20;
/// Initial RAM disk and device tree start on a page of their own; Linux asks for 8 bytes at least.
const PAGE: u64 = 0x1000;

/// What is wrong with a guest's image, or why it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// No bytes at all.
    Empty,
    /// A format that has to be unpacked or converted first.
    Foreign(&'static str),
    /// The header says that the kernel is big-endian.
    BigEndian,
    /// The header's `text_offset` is not a multiple of 4, or it lies outside RAM.
    TextOffset(u64),
    /// The device tree has more bytes than Linux accepts.
    TreeTooLarge(u64),
    /// Kernel, initial RAM disk and device tree together need more than the VM's RAM.
    TooLarge {
        /// Bytes of RAM that would do.
        needed: u64,
        /// Bytes of RAM that the VM has.
        memory: u64,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => write!(f, "the kernel is empty; an arm64 Image or a raw binary is needed"),
            Self::Foreign(what) => write!(f, "the kernel is {what}; an arm64 Image or a raw binary is needed"),
            Self::BigEndian => write!(f, "the kernel is big-endian; a little-endian one is needed"),
            Self::TextOffset(offset) => {
                write!(f, "the kernel's text_offset {offset:#x} is wrong; a multiple of 4 inside RAM is needed")
            }
            Self::TreeTooLarge(size) => {
                write!(f, "the device tree has {size} bytes; {DTB_MAX} are the most that a guest takes")
            }
            Self::TooLarge { needed, memory } => write!(
                f,
                "kernel, initrd and device tree need {needed:#x} bytes of memory, the VM has {memory:#x}; give it more"
            ),
        }
    }
}

impl core::error::Error for ImageError {}

/// What the header of a kernel says; a file without the magic number is a raw binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Offset of the first byte from the start of RAM.
    pub offset: u64,
    /// Bytes of memory that it occupies from there on: the file, or more where BSS follows it.
    pub size: u64,
}

impl Kernel {
    /// Reads the header.
    pub fn parse(file: &[u8]) -> Result<Self, ImageError> {
        if file.is_empty() {
            return Err(ImageError::Empty);
        }
        let length = file.len() as u64;
        if file.get(56..60) != Some(MAGIC) {
            return match foreign(file) {
                Some(what) => Err(ImageError::Foreign(what)),
                None => Ok(Self { offset: map::RAW_OFFSET, size: length }),
            };
        }
        let (text_offset, image_size, flags) = (word(file, 8), word(file, 16), word(file, 24));
        if flags & FLAG_BIG_ENDIAN != 0 {
            return Err(ImageError::BigEndian);
        }
        if image_size == 0 {
            return Ok(Self { offset: LEGACY_TEXT_OFFSET, size: length });
        }
        if !text_offset.is_multiple_of(4) {
            return Err(ImageError::TextOffset(text_offset));
        }
        Ok(Self { offset: text_offset, size: image_size.max(length) })
    }
}

/// Names the formats that people hand over by mistake and that would fail without a word as raw binaries.
fn foreign(file: &[u8]) -> Option<&'static str> {
    match file {
        [0x1f, 0x8b, ..] => Some("gzip-compressed"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd-compressed"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("xz-compressed"),
        [0x7f, b'E', b'L', b'F', ..] => Some("an ELF file"),
        [b'M', b'Z', _, _, b'z', b'i', b'm', b'g', ..] => Some("an EFI zboot image"),
        _ => None,
    }
}

/// The little-endian 64-bit word at `offset`; 0 outside the file.
fn word(file: &[u8], offset: usize) -> u64 {
    file.get(offset..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Where a VM's images lie, in the addresses of that VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The kernel with its BSS; its first byte is the entry point.
    pub kernel: Range,
    /// The initial RAM disk.
    pub initrd: Option<Range>,
    /// Room for the device tree.
    pub dtb: Range,
}

impl Layout {
    /// Places the images in RAM that starts at `ram` and has `memory` bytes; `dtb` is an upper bound for the device tree.
    ///
    /// The kernel goes as low as its header allows. The device tree goes to the start of RAM if there is room below the
    /// kernel, so that a raw binary has all of RAM after itself; otherwise it goes to the end, and the RAM disk below it.
    pub fn place(ram: u64, memory: u64, kernel: Kernel, initrd: Option<u64>, dtb: u64) -> Result<Self, ImageError> {
        if dtb > DTB_MAX {
            return Err(ImageError::TreeTooLarge(dtb));
        }
        if kernel.offset >= memory {
            return Err(ImageError::TextOffset(kernel.offset));
        }
        let tree_below = dtb <= kernel.offset;
        let tree_pages = if tree_below { Some(0) } else { dtb.checked_next_multiple_of(PAGE) };
        let needed = (|| {
            let disk_pages = initrd.unwrap_or(0).checked_next_multiple_of(PAGE)?;
            let kernel_end = kernel.offset.checked_add(kernel.size)?.checked_next_multiple_of(PAGE)?;
            kernel_end.checked_add(disk_pages)?.checked_add(tree_pages?)
        })()
        .unwrap_or(u64::MAX);
        if needed > memory {
            return Err(ImageError::TooLarge { needed, memory });
        }
        // From here on everything fits into RAM, so that no subtraction goes below the kernel's end.
        let at = |offset: u64, size| Range::sized(ram.wrapping_add(offset), size);
        let below = |end: u64, size: u64| end.wrapping_sub(size) & !(PAGE - 1);
        let tree = if tree_below { memory } else { below(memory, dtb) };
        Ok(Self {
            kernel: at(kernel.offset, kernel.size),
            initrd: initrd.map(|size| at(below(tree, size), size)),
            dtb: at(if tree_below { 0 } else { tree }, dtb),
        })
    }

    /// The address of the guest's first instruction.
    pub fn entry(&self) -> u64 {
        self.kernel.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn header(text_offset: u64, image_size: u64, flags: u64, length: usize) -> Vec<u8> {
        let mut file = vec![0; length.max(64)];
        file[8..16].copy_from_slice(&text_offset.to_le_bytes());
        file[16..24].copy_from_slice(&image_size.to_le_bytes());
        file[24..32].copy_from_slice(&flags.to_le_bytes());
        file[56..60].copy_from_slice(MAGIC);
        file
    }

    #[test]
    fn headers() {
        let size = 0x24f_0000;
        assert_eq!(Kernel::parse(&header(0, size, 0xa, 100)), Ok(Kernel { offset: 0, size }));
        assert_eq!(Kernel::parse(&header(0x8_0000, 50, 0xa, 100)), Ok(Kernel { offset: 0x8_0000, size: 100 }));
        assert_eq!(Kernel::parse(&header(7, 0, 0, 100)), Ok(Kernel { offset: 0x8_0000, size: 100 }));
        assert_eq!(Kernel::parse(&header(0, size, 0xb, 100)), Err(ImageError::BigEndian));
        assert_eq!(Kernel::parse(&header(2, size, 0, 100)), Err(ImageError::TextOffset(2)));
        assert_eq!(Kernel::parse(&[0x14, 0, 0, 0]), Ok(Kernel { offset: 0x8_0000, size: 4 }));
        assert_eq!(Kernel::parse(&[]), Err(ImageError::Empty));
        for file in [&b"\x1f\x8b\x08"[..], b"\x7fELF\x02\x01", b"MZ\0\0zimg\0\0", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"] {
            assert!(matches!(Kernel::parse(file), Err(ImageError::Foreign(_))), "{file:?}");
        }
    }

    /// What booting.rst asks for, and that nothing lies on anything else.
    fn check(memory: u64, layout: &Layout) {
        let parts = [Some(layout.kernel), layout.initrd, Some(layout.dtb)];
        let parts: Vec<Range> = parts.into_iter().flatten().collect();
        for (i, part) in parts.iter().enumerate() {
            assert!(part.start >= map::RAM && part.end <= map::RAM + memory, "{layout:x?}");
            assert!(parts[i + 1..].iter().all(|other| !part.overlaps(other)), "{layout:x?}");
        }
        assert!(layout.dtb.start.is_multiple_of(8));
        assert!(layout.initrd.is_none_or(|initrd| initrd.start.is_multiple_of(PAGE)));
    }

    #[test]
    fn linux_starts_at_ram_and_has_its_tree_at_the_end() {
        let kernel = Kernel { offset: 0, size: 0x24f_0000 };
        let layout = Layout::place(map::RAM, 256 * MIB, kernel, Some(5_000_001), 8000).unwrap();
        check(256 * MIB, &layout);
        assert_eq!(layout.entry(), map::RAM);
        assert_eq!(layout.dtb.start, map::RAM + 256 * MIB - 0x2000);
    }

    #[test]
    fn small_vms() {
        for memory in [2 * MIB, 4 * MIB] {
            for offset in [0, map::RAW_OFFSET] {
                let layout = Layout::place(map::RAM, memory, Kernel { offset, size: 10_000 }, None, 6000).unwrap();
                check(memory, &layout);
                assert_eq!(layout.entry(), map::RAM + offset);
                assert_eq!(layout.dtb.start == map::RAM, offset != 0);
            }
        }
    }

    #[test]
    fn every_size_fits_or_is_refused() {
        let mut state = 1u64;
        let mut random = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let (mut placed, mut refused) = (0, 0);
        for _ in 0..if cfg!(miri) { 200 } else { 20_000 } {
            let memory = 2 * MIB * (1 + random(4));
            let kernel = Kernel { offset: [0, 0x1000, 0x8_0000][random(3) as usize], size: 1 + random(6 * MIB) };
            let (initrd, dtb) = ((random(2) == 0).then(|| 1 + random(3 * MIB)), 1 + random(0x1_0000));
            match Layout::place(map::RAM, memory, kernel, initrd, dtb) {
                Ok(layout) => {
                    check(memory, &layout);
                    placed += 1;
                }
                Err(ImageError::TooLarge { needed, memory: of }) => {
                    assert!(needed > of && of == memory);
                    assert!(Layout::place(map::RAM, needed, kernel, initrd, dtb).is_ok());
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(placed > 10 && refused > 10, "{placed}, {refused}");
    }

    #[test]
    fn exact_fit_and_extremes() {
        let kernel = Kernel { offset: 0, size: 2 * MIB - 0x2000 };
        assert!(Layout::place(map::RAM, 2 * MIB, kernel, None, 0x2000).is_ok());
        assert!(matches!(Layout::place(map::RAM, 2 * MIB, kernel, None, 0x2001), Err(ImageError::TooLarge { .. })));
        assert!(matches!(Layout::place(map::RAM, 2 * MIB, kernel, Some(1), 0x2000), Err(ImageError::TooLarge { .. })));
        let huge = Kernel { offset: 4, size: u64::MAX };
        assert!(matches!(Layout::place(map::RAM, 2 * MIB, huge, Some(u64::MAX), 8), Err(ImageError::TooLarge { .. })));
        assert_eq!(
            Layout::place(map::RAM, 2 * MIB, kernel, None, DTB_MAX + 1),
            Err(ImageError::TreeTooLarge(DTB_MAX + 1))
        );
        let outside = Kernel { offset: u64::MAX - 3, size: 4 };
        assert_eq!(Layout::place(map::RAM, 2 * MIB, outside, None, 8), Err(ImageError::TextOffset(u64::MAX - 3)));
    }
}
