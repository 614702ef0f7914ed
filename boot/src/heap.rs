//! EL2's heap: everything that is made at boot, translation tables included.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::NonNull;

use buddy_system_allocator::Heap;
use portcullis_board::Range;
use portcullis_core::machine::Usage;
use spin::Mutex;

/// Bytes of the heap, before it is known how many VMs there are: one block of EL2's map.
pub const SIZE: u64 = portcullis_board::vm_memory::HEAP;

/// Sizes up to 2 to the power of this less one.
const ORDERS: usize = 23;

/// The heap, and the most bytes of it that were ever in use at once.
struct Counted {
    heap: Heap<ORDERS>,
    peak: usize,
}

struct Locked(Mutex<Counted>);

#[global_allocator]
static HEAP: Locked = Locked(Mutex::new(Counted::empty()));

impl Counted {
    const fn empty() -> Self {
        Self { heap: Heap::empty(), peak: 0 }
    }
}

// SAFETY: the buddy allocator hands out disjoint, aligned parts of the memory that it was given, one caller at a time.
unsafe impl GlobalAlloc for Locked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut counted = self.0.lock();
        let allocated = counted.heap.alloc(layout);
        counted.peak = counted.peak.max(counted.heap.stats_alloc_actual());
        allocated.map_or(core::ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(pointer) = NonNull::new(pointer) {
            // SAFETY: the caller got the pointer from `alloc` with this layout.
            unsafe { self.0.lock().heap.dealloc(pointer, layout) }
        }
    }
}

/// Gives the heap its memory, in place of what it may have had: that of EFI's stub is gone with boot services.
///
/// # Safety
///
/// The range must be RAM that is mapped for EL2 and used by nothing else, and nothing be in use of the memory before.
pub unsafe fn init(range: Range) {
    let mut counted = HEAP.0.lock();
    *counted = Counted::empty();
    // SAFETY: passed on to the caller.
    unsafe { counted.heap.init(range.start as usize, range.size() as usize) }
}

/// Gives the heap this memory besides.
///
/// # Safety
///
/// As for [`init`].
pub unsafe fn add(range: Range) {
    // SAFETY: passed on to the caller.
    unsafe { HEAP.0.lock().heap.add_to_heap(range.start as usize, range.end as usize) }
}

/// How much of the heap is, and was, in use.
pub fn usage() -> Usage {
    let counted = HEAP.0.lock();
    let free = counted.heap.stats_total_bytes().saturating_sub(counted.heap.stats_alloc_actual());
    Usage { free: free as u64, heap_peak: counted.peak as u64 }
}
