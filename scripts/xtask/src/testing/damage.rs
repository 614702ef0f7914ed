//! Damage done to a bundle on purpose: no VM may start from it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use portcullis_abi::bundle as abi;

use system::bundle;

/// One kind of damage.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    /// The second half is missing.
    CutInHalf,
    /// One bit in the middle is the other way round.
    OneBit,
    /// There is nothing but zeros.
    Zeros,
    /// A field of the header is wrong, and the checksum, but where it is the field, is right.
    Header(Field),
    /// The first kernel's header says that it works with pages of 16 KiB, and the checksum is right.
    Pages,
    /// It is one of version 1: a device tree with the same images, and its checksum is right.
    OldForm,
    /// A VM wants 64 GiB in place of 256 MiB, and the checksum is right.
    Large,
    /// None: it was made for another board, one that knows the time.
    OtherBoard,
    /// Windows of `shared-windows.toml` are no schedule any more, and the checksum is right.
    Windows(Wrong),
}

/// A field of the header.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    /// It begins as something else does.
    Magic,
    /// It begins as bundles of version 1 did.
    Old,
    /// A version that is not out yet.
    Version,
    /// Another checksum.
    Checksum,
    /// One byte more than there are.
    Size,
    /// The images begin behind the end.
    Images,
}

/// What is wrong with the second window, that of VM 1.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    /// It begins before the first one ends.
    Overlap,
    /// It has no length.
    Zero,
    /// It ends after the frame.
    Beyond,
    /// Its VM has no vCPU there.
    Vm,
}

/// The second window: VM, start and length in microseconds.
const SECOND: [u32; 3] = [1, 4_000, 5_000];

impl Damage {
    /// Damages the file.
    ///
    /// # Errors
    ///
    /// It cannot be read or written.
    pub fn apply(self, file: &Path) -> Result<()> {
        let mut bytes = fs::read(file)?;
        let middle = bytes.len() / 2;
        match self {
            Self::CutInHalf => bytes.truncate(middle),
            Self::OneBit => *bytes.get_mut(middle).context("an empty bundle")? ^= 1,
            Self::Zeros => bytes.fill(0),
            Self::OtherBoard => {}
            Self::Pages => {
                // The header of an arm64 Image (Linux, Documentation/arch/arm64/booting.rst, section 4).
                const MAGIC: &[u8] = b"ARM\x64";
                const FLAGS_BEFORE_MAGIC: usize = 56 - 24;
                let magic = bytes.windows(MAGIC.len()).position(|found| found == MAGIC).context("no arm64 Image")?;
                let flags = magic.checked_sub(FLAGS_BEFORE_MAGIC).and_then(|at| bytes.get_mut(at));
                *flags.context("no header")? = 2 << 1;
                bundle::seal(&mut bytes);
            }
            Self::OldForm => bytes = old_form(&bytes),
            Self::Large => {
                let wanted = (256u64 << 20).to_be_bytes();
                let at = bytes.windows(wanted.len()).position(|found| found == wanted).context("no VM with 256 MiB")?;
                bytes.get_mut(at..at + wanted.len()).context("cut off")?.copy_from_slice(&(64u64 << 30).to_be_bytes());
                bundle::seal(&mut bytes);
            }
            Self::Header(field) => field.spoil(&mut bytes),
            Self::Windows(wrong) => {
                let cells = |cells: [u32; 3]| cells.map(u32::to_be_bytes).concat();
                let second = cells(SECOND);
                let at = bytes.windows(second.len()).position(|found| found == second).context("no second window")?;
                let [vm, start, length] = SECOND;
                let wrong = cells(match wrong {
                    Wrong::Overlap => [vm, start - 1, length],
                    Wrong::Zero => [vm, start, 0],
                    Wrong::Beyond => [vm, start, 6_001],
                    Wrong::Vm => [2, start, length],
                });
                bytes.get_mut(at..at + wrong.len()).context("cut off")?.copy_from_slice(&wrong);
                bundle::seal(&mut bytes);
            }
        }
        Ok(fs::write(file, bytes)?)
    }
}

/// A bundle as version 1 was: a device tree whose root has a checksum of the whole and the version, in this order, and whose
/// VMs have their images as properties. This one has one VM, and all of `bundle` as its kernel.
fn old_form(bundle: &[u8]) -> Vec<u8> {
    let mut tree = DeviceTree::new();
    let mut vm = DeviceTreeNode::new_unchecked("vm@0");
    let put = |node: &mut DeviceTreeNode, name: &str, value: &[u8]| {
        node.add_property(DeviceTreeProperty::new_unchecked(name, value));
    };
    put(&mut tree.root, "portcullis,crc32", &[0; 4]);
    put(&mut tree.root, "portcullis,bundle", &1u32.to_be_bytes());
    put(&mut vm, "name", b"a\0");
    put(&mut vm, "memory", &(4u64 << 20).to_be_bytes());
    put(&mut vm, "cores", &0u32.to_be_bytes());
    put(&mut vm, "kernel", bundle);
    tree.root.add_child(vm);
    let mut blob = tree.to_dtb();
    // The checksum's value lies 20 bytes into the structure block, whose offset the third word of the header has.
    let sum = crc32fast::hash(&blob).to_be_bytes();
    let block = blob.get(8..12).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes).unwrap_or(0) as usize;
    blob[block + 20..][..4].copy_from_slice(&sum);
    blob
}

impl Field {
    /// Makes the field of `bundle` wrong.
    fn spoil(self, bundle: &mut [u8]) {
        let size = bundle.len() as u64;
        let mut put = |offset: usize, bytes: &[u8]| bundle[offset..][..bytes.len()].copy_from_slice(bytes);
        match self {
            Self::Magic => put(0, b"PORTHOLE"),
            Self::Old => put(0, &0xd00d_feed_u32.to_be_bytes()),
            Self::Version => put(abi::VERSION_OFFSET, &(abi::VERSION + 1).to_be_bytes()),
            Self::Size => put(abi::SIZE_OFFSET, &(size + 1).to_be_bytes()),
            Self::Images => put(
                abi::IMAGES_OFFSET,
                &size.next_multiple_of(abi::ALIGNMENT).saturating_add(abi::ALIGNMENT).to_be_bytes(),
            ),
            Self::Checksum => {
                bundle[abi::CHECKSUM_OFFSET] ^= 1;
                return;
            }
        }
        bundle::seal(bundle);
    }
}
