//! Where each board has its RAM, and where image, bundle and device tree lie in it when the hypervisor starts.

use portcullis_board::Range;
use system::{Ram, Tree};

use crate::board::Board;
use crate::el3::El3;
use crate::firmware::place;
use crate::raspberry_pi;

/// A block of 2 MiB: an Image without a text offset lies so far into RAM, and QEMU's device tree on a multiple of it (QEMU,
/// hw/arm/boot.c).
const BLOCK: u64 = 2 << 20;
/// Bytes of a device tree of QEMU's.
const TREE_SIZE: u64 = 1 << 20;
/// Bytes of the hypervisor's image that there are at the least.
const IMAGE_SIZE: u64 = 0x1_0000;
/// Where QEMU puts an initial RAM disk on machines with 256 MiB and more.
const DISK_OFFSET: u64 = 128 << 20;

/// What is known of `board` with `el3` below the hypervisor; none where the firmware for tests places things.
pub fn of(board: Board, el3: El3) -> Option<Ram> {
    let size = board.memory();
    let range = Range { start: board.memory_end().checked_sub(size)?, end: board.memory_end() };
    let qemu = Ram {
        range,
        image: Range::sized(range.start + BLOCK, IMAGE_SIZE),
        bundle: range.start + DISK_OFFSET,
        tree: Tree::BehindBundle(BLOCK, TREE_SIZE),
    };
    match (board, el3) {
        (_, El3::Test(_)) => None,
        (Board::QemuVirt | Board::Raspi4b, El3::None) | (Board::Zcu102 | Board::Versal | Board::Imx8mp, _) => {
            Some(qemu)
        }
        (Board::QemuVirt, El3::TfA) => Some(Ram {
            image: Range::sized(place::IMAGE, IMAGE_SIZE),
            bundle: place::IMAGE + BLOCK,
            tree: Tree::At(Range::sized(range.start, TREE_SIZE)),
            ..qemu
        }),
        (Board::Raspi4b, El3::TfA) => Some(Ram {
            image: Range::sized(raspberry_pi::IMAGE, IMAGE_SIZE),
            bundle: raspberry_pi::BUNDLE,
            tree: Tree::At(Range::sized(raspberry_pi::TREE, TREE_SIZE)),
            ..qemu
        }),
        (Board::Rpi4 | Board::Rpi5, _) => Some(Ram {
            image: Range::sized(raspberry_pi::IMAGE, IMAGE_SIZE),
            bundle: raspberry_pi::card::BUNDLE_ADDRESS,
            tree: Tree::Unknown,
            ..qemu
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_lies_in_ram_and_apart() {
        for board in [Board::QemuVirt, Board::Raspi4b, Board::Rpi4, Board::Rpi5, Board::Zcu102, Board::Versal] {
            for el3 in [El3::None, El3::TfA] {
                let ram = of(board, el3).unwrap();
                let bundle = Range::sized(ram.bundle, 64 << 20);
                assert!(ram.range.size() == board.memory() && ram.range.contains(&ram.image), "{board:?}");
                assert!(ram.range.contains(&bundle) && !ram.image.overlaps(&bundle), "{board:?}");
                if let Tree::At(tree) = ram.tree {
                    assert!(!tree.overlaps(&bundle) && !tree.overlaps(&ram.image), "{board:?}");
                }
            }
        }
    }
}
