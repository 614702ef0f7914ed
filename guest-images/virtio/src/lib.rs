//! What the crate `virtio-drivers` asks of a guest, and where a guest finds its virtio devices: in transports as QEMU's `virt` has
//! them. For guests with one vCPU whose memory is mapped where it lies.
//!
//! A crate of its own, as the measuring guests have nothing else of the runtime.
#![no_std]
#![cfg(target_os = "none")]

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// The first transport, bytes of each, and how many there are.
const TRANSPORTS: (u64, u64, usize) = (0x0a00_0000, 0x200, 32);

/// Pages for rings.
#[repr(C, align(4096))]
struct Pages([u8; Self::COUNT * PAGE_SIZE]);

impl Pages {
    const COUNT: usize = 16;
}

static mut PAGES: Pages = Pages([0; Pages::COUNT * PAGE_SIZE]);
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Memory as the driver needs it: it is mapped where it lies, and coherent.
pub struct Memory;

// SAFETY: pages are handed out once; addresses are the same on both sides.
unsafe impl Hal for Memory {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = TAKEN.fetch_add(pages, Ordering::Relaxed);
        assert!(first + pages <= Pages::COUNT, "there are pages for the rings");
        let at = (&raw mut PAGES).cast::<u8>().wrapping_add(first * PAGE_SIZE);
        (at as PhysAddr, NonNull::new(at).unwrap_or(NonNull::dangling()))
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        NonNull::new(address as *mut u8).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().as_ptr() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

/// The transports that have a device of this type, with the numbers of their slots.
pub fn transports(device: DeviceType) -> impl Iterator<Item = (usize, MmioTransport<'static>)> {
    let (first, size, count) = TRANSPORTS;
    (0..count).filter_map(move |slot| {
        let at = (first + slot as u64 * size) as *mut VirtIOHeader;
        // SAFETY: a transport is there, as QEMU's virt has them, and nobody else uses it.
        let transport = unsafe { MmioTransport::new(NonNull::new(at)?, size as usize) }.ok()?;
        (transport.device_type() == device).then_some((slot, transport))
    })
}

/// Resets the device and settles these features with it, for a driver that has its queues itself (virtio 1.2, section 3.1.1, steps
/// 1 to 6). None: it does not offer all of them.
pub fn negotiate(transport: &mut MmioTransport<'_>, features: u64) -> Option<()> {
    transport.set_status(DeviceStatus::empty());
    transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER);
    if transport.read_device_features() & features != features {
        return None;
    }
    transport.write_driver_features(features);
    transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER | DeviceStatus::FEATURES_OK);
    Some(())
}
