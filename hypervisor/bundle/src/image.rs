//! Guest images: the arm64 `Image` header (Linux `Documentation/arch/arm64/booting.rst`) and where kernel, initial RAM
//! disk and device tree go in a VM's RAM.

pub mod foreign;

use core::fmt;

use portcullis_abi::map;
use portcullis_board::Range;

use self::foreign::{Foreign, foreign, has_header};
use crate::page_size::PageSize;

/// `text_offset` of a header whose `image_size` is zero (kernels before 3.17).
const LEGACY_TEXT_OFFSET: u64 = 0x8_0000;
/// Flags bit 0: the kernel is big-endian.
const FLAG_BIG_ENDIAN: u64 = 1;
/// Bytes of the header of an arm64 Image.
pub const HEADER: usize = 64;
/// Most bytes of a device tree that Linux accepts.
pub const DTB_MAX: u64 = 2 << 20;
/// Initial RAM disk and device tree start on a page of their own; Linux asks for 8 bytes at least.
const PAGE: u64 = 0x1000;

/// An Image whose `text_offset` is less asks for no place below its first 2 MiB boundary: QEMU's `-kernel` puts it there
/// (hw/arm/boot.c), and images that do not move themselves are linked for that.
const LOW_OFFSET: u64 = 4096;
/// A block of stage 1 tables with pages of 4 KiB: kernels map the device tree by these (booting.rst, section 2).
const BLOCK: u64 = 2 << 20;
/// Where QEMU puts the initial RAM disk at the latest, from the start of RAM.
const DISK_OFFSET: u64 = 128 << 20;

/// What is wrong with a guest's image, or why it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// No bytes at all.
    Empty,
    /// A format that has to be unpacked or converted first.
    Foreign(&'static Foreign),
    /// The header says that the kernel is big-endian.
    BigEndian,
    /// The header's `text_offset` is not a multiple of 4, or it lies outside RAM.
    TextOffset(u64),
    /// The load address is not a multiple of 4, or it lies outside RAM.
    Load {
        /// The address.
        load: u64,
        /// The RAM.
        ram: Range,
    },
    /// There is no room for the device tree below the kernel.
    TreeLow {
        /// Bytes below the kernel.
        room: u64,
        /// Bytes of the device tree.
        tree: u64,
    },
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
            Self::Foreign(Foreign { what, help }) => write!(f, "the kernel is {what}; {help}"),
            Self::BigEndian => write!(f, "the kernel is big-endian; a little-endian one is needed"),
            Self::TextOffset(offset) => {
                write!(f, "the kernel's text_offset {offset:#x} is wrong; a multiple of 4 inside RAM is needed")
            }
            Self::Load { load, ram } => write!(
                f,
                "the load address {load:#x} is wrong; a multiple of 4 inside RAM is needed, from {:#x} to {:#x}",
                ram.start,
                ram.start.saturating_add(ram.size().saturating_sub(4))
            ),
            Self::TreeLow { room, tree } => write!(
                f,
                "{room:#x} bytes below the kernel are too few for the device tree; it needs {tree:#x}, or place it high"
            ),
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
    /// The pages that it works with; none if it does not say.
    pub pages: Option<PageSize>,
}

impl Kernel {
    /// What stands for a kernel where the VM starts in flash: nothing, above room for a device tree at the start of RAM.
    pub const IN_FLASH: Self = Self { offset: map::RAW_OFFSET, size: 0, pages: None };

    /// Reads the header of a file that can be a kernel.
    ///
    /// # Errors
    ///
    /// It is empty or of a foreign format, or its header is wrong.
    pub fn parse(file: &[u8]) -> Result<Self, ImageError> {
        match foreign(file) {
            Some(form) if !file.is_empty() => Err(ImageError::Foreign(form)),
            _ => Self::read_header(file),
        }
    }

    /// Reads the header of a file whose format was looked at before.
    #[inline(always)]
    pub(crate) fn read_header(file: &[u8]) -> Result<Self, ImageError> {
        Self::of(file, file.len() as u64)
    }

    /// Reads the header of a file of `length` bytes that begins so, with [`HEADER`] bytes if it has as many.
    ///
    /// # Errors
    ///
    /// It is empty, or its header is wrong.
    #[inline(always)]
    pub fn of(file: &[u8], length: u64) -> Result<Self, ImageError> {
        if file.is_empty() {
            return Err(ImageError::Empty);
        }
        if !has_header(file) {
            return Ok(Self { offset: map::RAW_OFFSET, size: length, pages: None });
        }
        let (text_offset, image_size, flags) = (word(file, 8), word(file, 16), word(file, 24));
        if flags & FLAG_BIG_ENDIAN != 0 {
            return Err(ImageError::BigEndian);
        }
        let pages = PageSize::of_header(flags);
        if image_size == 0 {
            return Ok(Self { offset: LEGACY_TEXT_OFFSET, size: length, pages });
        }
        if !text_offset.is_multiple_of(4) {
            return Err(ImageError::TextOffset(text_offset));
        }
        Ok(Self { offset: text_offset, size: image_size.max(length), pages })
    }
}

/// The little-endian 64-bit word at `offset`; 0 outside the file.
fn word(file: &[u8], offset: usize) -> u64 {
    file.get(offset..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Where a VM wants its images, if not where QEMU's `virt` machine has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Address of the kernel's first byte, whatever its header says.
    pub load: Option<u64>,
    /// The device tree goes to the start of RAM, below the kernel.
    pub tree_low: bool,
}

/// What is to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The kernel.
    pub kernel: Kernel,
    /// Bytes of the initial RAM disk.
    pub initrd: Option<u64>,
    /// An upper bound for the bytes of the device tree.
    pub tree: u64,
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
    /// Places the images in RAM as QEMU does (hw/arm/boot.c, `arm_load_kernel`), for what was built for its `virt` machine.
    ///
    /// The kernel goes to where its header or the VM wants it; an Image that wants no offset goes 2 MiB into RAM, if all fits
    /// then. The RAM disk begins halfway into RAM, at 128 MiB at the latest, but not before the kernel ends. The device tree
    /// follows it, in a block of 2 MiB of its own. Where that does not fit, RAM disk and device tree go to the end of RAM.
    ///
    /// # Errors
    ///
    /// [`ImageError`]: what does not fit.
    pub fn place(ram: Range, parts: &Parts, wish: Wish) -> Result<Self, ImageError> {
        let (kernel, memory) = (parts.kernel, ram.size());
        if parts.tree > DTB_MAX {
            return Err(ImageError::TreeTooLarge(parts.tree));
        }
        if let Some(load) = wish.load {
            let offset = load.checked_sub(ram.start).filter(|offset| *offset < memory && load.is_multiple_of(4));
            return Self::place_at(ram, parts, offset.ok_or(ImageError::Load { load, ram })?, wish.tree_low);
        }
        if kernel.offset >= memory {
            return Err(ImageError::TextOffset(kernel.offset));
        }
        if kernel.offset < LOW_OFFSET
            && let Ok(layout) = Self::place_at(ram, parts, kernel.offset.saturating_add(BLOCK), wish.tree_low)
        {
            return Ok(layout);
        }
        Self::place_at(ram, parts, kernel.offset, wish.tree_low)
    }

    /// As [`place`](Self::place), with a kernel that begins `offset` bytes into RAM.
    fn place_at(ram: Range, parts: &Parts, offset: u64, tree_low: bool) -> Result<Self, ImageError> {
        let &Parts { kernel, initrd, tree } = parts;
        let memory = ram.size();
        if tree_low && tree > offset {
            return Err(ImageError::TreeLow { room: offset, tree });
        }
        // What is low takes no room behind the kernel.
        let high = if tree_low { 0 } else { tree };
        let kernel_end = offset.checked_add(kernel.size).and_then(|end| end.checked_next_multiple_of(PAGE));
        let needed = (|| {
            let disk_pages = initrd.unwrap_or(0).checked_next_multiple_of(PAGE)?;
            kernel_end?.checked_add(disk_pages)?.checked_add(high.checked_next_multiple_of(PAGE)?)
        })();
        let (Some(kernel_end), Some(_)) = (kernel_end, needed.filter(|needed| *needed <= memory)) else {
            return Err(ImageError::TooLarge { needed: needed.unwrap_or(u64::MAX), memory });
        };
        // From here on everything fits into RAM, so that no sum goes beyond it by more than the parts, and no subtraction goes
        // below the kernel's end.
        let disk_size = initrd.unwrap_or(0);
        let disk = (memory / 2).min(DISK_OFFSET).max(kernel_end);
        let after = disk.saturating_add(disk_size);
        let behind = if tree_low { after } else { after.next_multiple_of(BLOCK) };
        let (disk, behind) = if behind.saturating_add(high) <= memory {
            (disk, behind)
        } else {
            let tree = memory.wrapping_sub(high) & !(PAGE - 1);
            (tree.wrapping_sub(disk_size) & !(PAGE - 1), tree)
        };
        let at = |offset: u64, size| Range::sized(ram.start.wrapping_add(offset), size);
        Ok(Self {
            kernel: at(offset, kernel.size),
            initrd: initrd.map(|size| at(disk, size)),
            dtb: at(if tree_low { 0 } else { behind }, tree),
        })
    }

    /// The address of the guest's first instruction.
    pub fn entry(&self) -> u64 {
        self.kernel.start
    }
}

#[cfg(test)]
mod tests;
