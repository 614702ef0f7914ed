//! A device that writes to memory: QEMU's `fw_cfg`, which copies what it is asked for to the address that it is told
//! (QEMU, `docs/specs/fw_cfg.rst`). It knows the board's addresses only.

use core::arch::asm;
use core::cell::UnsafeCell;

use conformance::profile::Profile;
use guest_runtime::{console, counter, mmio, tree};
use portcullis_abi::map;

use crate::guest::report;

/// Register: address of the request, big-endian; its lower half starts the transfer.
const DMA: u64 = 0x10;
/// Control of a request: read, and select the item in bits 31:16. Item 0 is the signature.
const READ_SIGNATURE: u32 = 0b1010;
const SIGNATURE: [u8; 4] = *b"QEMU";
/// Microseconds until a transfer must be over.
const PATIENCE: u64 = 1_000_000;

/// A request and room for its answer, big-endian.
#[repr(C, align(64))]
struct Request {
    control: u32,
    length: u32,
    address: u64,
    answer: [u8; 8],
}

/// One for the device and the guest.
struct Shared(UnsafeCell<Request>);

// SAFETY: one vCPU uses it, by volatile accesses.
unsafe impl Sync for Shared {}

static REQUEST: Shared = Shared(UnsafeCell::new(Request { control: 0, length: 0, address: 0, answer: [0; 8] }));

/// The cases.
pub fn run(profile: &Profile) {
    let ram = tree_ram();
    let request = REQUEST.0.get();
    let within = ram.is_some_and(|(start, size)| (request as u64).checked_sub(start).is_some_and(|at| at < size));
    console::line(format_args!("dma: RAM {ram:x?}, request at {request:p}"));
    report::equal(format_args!("dma/runs in the RAM of its tree"), true, within);
    report::equal(
        format_args!("dma/RAM is where the board has it"),
        true,
        ram.is_some_and(|(start, _)| start != map::RAM),
    );
    let Some(device) = tree::address(profile.node) else {
        return report::fail(format_args!("dma/device"), &"a node with registers", &profile.node);
    };
    // SAFETY: this vCPU's own; the fields are in it.
    unsafe {
        let answer = &raw mut (*request).answer;
        (&raw mut (*request).control).write_volatile(READ_SIGNATURE.to_be());
        (&raw mut (*request).length).write_volatile((SIGNATURE.len() as u32).to_be());
        (&raw mut (*request).address).write_volatile((answer as u64).to_be());
    }
    let address = request as u64;
    barrier();
    mmio::write32(device + DMA, ((address >> 32) as u32).to_be());
    mmio::write32(device + DMA + 4, (address as u32).to_be());
    let control = || {
        barrier();
        // SAFETY: as above.
        unsafe { (&raw const (*request).control).read_volatile() }
    };
    counter::wait_until(PATIENCE, || control() == 0);
    report::equal(format_args!("dma/no error"), 0, control());
    // SAFETY: as above.
    let answer = unsafe { (&raw const (*request).answer).read_volatile() };
    report::equal(
        format_args!("dma/written to this VM's memory"),
        SIGNATURE,
        [answer[0], answer[1], answer[2], answer[3]],
    );
}

/// Start and size of the RAM, by the tree. The node has the address in its name, and the root no other like it.
fn tree_ram() -> Option<(u64, u64)> {
    let cell = |index| tree::cell("/memory", "reg", index).map(u64::from);
    Some((cell(0)? << 32 | cell(1)?, cell(2)? << 32 | cell(3)?))
}

fn barrier() {
    // SAFETY: a barrier changes nothing.
    unsafe { asm!("dsb sy", options(nostack)) };
}
