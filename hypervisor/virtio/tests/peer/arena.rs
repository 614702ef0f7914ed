//! Memory that a driver of this thread shares with a device: its rings, and copies of the buffers that it gives.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr::{self, NonNull};

use portcullis_devices::{Memory, OutOfReach};
use portcullis_virtio::Shared;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

thread_local! {
    /// What there is: the bytes behind each address, and how they were allocated.
    static THERE: RefCell<BTreeMap<u64, (NonNull<u8>, Layout)>> = const { RefCell::new(BTreeMap::new()) };
}

/// The memory. The guest's address of a byte is the host's; only what a driver has allocated or shared is there.
#[derive(Clone, Copy, Debug)]
pub struct Arena;

impl Arena {
    fn add(bytes: usize, align: usize) -> NonNull<u8> {
        let layout = Layout::from_size_align(bytes, align).unwrap();
        // SAFETY: the size is not zero; `bytes` is that of a page or of a buffer that is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap();
        THERE.with_borrow_mut(|there| there.insert(start.as_ptr().expose_provenance() as u64, (start, layout)));
        start
    }

    fn remove(address: u64) {
        let (start, layout) = THERE.with_borrow_mut(|there| there.remove(&address)).unwrap();
        // SAFETY: it was allocated so in `add`, and nobody finds it any more.
        unsafe { dealloc(start.as_ptr(), layout) };
    }

    /// How many pieces of memory a driver has.
    pub fn pieces() -> usize {
        THERE.with_borrow(BTreeMap::len)
    }

    fn find(address: u64, length: usize) -> Result<*mut u8, OutOfReach> {
        let outside = OutOfReach { address, length };
        THERE.with_borrow(|there| {
            let (start, (first, layout)) = there.range(..=address).next_back().ok_or(outside)?;
            let offset = usize::try_from(address - start).map_err(|_| outside)?;
            let end = offset.checked_add(length).filter(|end| *end <= layout.size()).ok_or(outside)?;
            assert!(end >= offset);
            // SAFETY: it is inside of the piece.
            Ok(unsafe { first.as_ptr().add(offset) })
        })
    }
}

impl Memory for Arena {
    fn copy_in(&mut self, address: u64, to: &mut [u8]) -> Result<(), OutOfReach> {
        let from = Self::find(address, to.len())?;
        // SAFETY: so many bytes are there, which no reference refers to: a driver has pointers to them.
        unsafe { ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    fn copy_out(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        let to = Self::find(address, from.len())?;
        // SAFETY: as in `copy_in`.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to, from.len()) };
        Ok(())
    }
}

impl Shared for Arena {
    fn check(&self, address: u64, length: u32) -> Result<(), OutOfReach> {
        Self::find(address, length as usize).map(|_| ())
    }

    fn load(&mut self, address: u64) -> Result<u16, OutOfReach> {
        let from = Self::find(address, 2)?.cast::<u16>();
        assert!(from.is_aligned());
        // SAFETY: it is there, and aligned.
        Ok(unsafe { from.read_volatile() })
    }

    fn store(&mut self, address: u64, value: u16) -> Result<(), OutOfReach> {
        let to = Self::find(address, 2)?.cast::<u16>();
        assert!(to.is_aligned());
        // SAFETY: it is there, and aligned.
        unsafe { to.write_volatile(value) };
        Ok(())
    }

    fn copy_across(&mut self, from: u64, _: &mut Self, to: u64, length: usize) -> Result<(), OutOfReach> {
        let (from, to) = (Self::find(from, length)?, Self::find(to, length)?);
        // SAFETY: both are there.
        unsafe { ptr::copy(from, to, length) };
        Ok(())
    }
}

// SAFETY: pages are as large and as aligned as is asked for, zeroed, and nobody else's until they are given back.
unsafe impl Hal for Arena {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let start = Self::add(pages * PAGE_SIZE, PAGE_SIZE);
        (start.as_ptr().expose_provenance() as u64, start)
    }

    unsafe fn dma_dealloc(paddr: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        Self::remove(paddr);
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("registers are reached through a `Peer`")
    }

    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        let start = Self::add(buffer.len(), 16);
        if direction != BufferDirection::DeviceToDriver {
            // SAFETY: the caller has a buffer of so many bytes, and the copy has as many.
            unsafe { ptr::copy_nonoverlapping(buffer.as_ptr().cast(), start.as_ptr(), buffer.len()) };
        }
        start.as_ptr().expose_provenance() as u64
    }

    unsafe fn unshare(paddr: PhysAddr, buffer: NonNull<[u8]>, direction: BufferDirection) {
        if direction != BufferDirection::DriverToDevice {
            let from = Self::find(paddr, buffer.len()).unwrap();
            // SAFETY: as in `share`.
            unsafe { ptr::copy_nonoverlapping(from, buffer.as_ptr().cast(), buffer.len()) };
        }
        Self::remove(paddr);
    }
}
