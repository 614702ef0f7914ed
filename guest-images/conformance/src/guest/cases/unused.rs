//! What QEMU's virt machine has and this VM does not use: virtio transports without a device (virtio 1.2, section 4.2.2),
//! flash that holds nothing.

use core::arch::{asm, global_asm};
use core::ops::Range;

use guest_runtime::{mmio, tree};

use crate::guest::report;

/// The virtio transports, 0x200 bytes each.
const TRANSPORTS: Range<u64> = 0x0a00_0000..0x0a00_4000;
const TRANSPORT: usize = 0x200;
/// MagicValue, Version, DeviceID and VendorID.
const IDENTIFICATION: [u32; 4] = [0x7472_6976, 2, 0, 0x554d_4551];
/// Status of a transport.
const STATUS: u64 = 0x70;
/// The first device's configuration.
const CONFIGURATION: u64 = 0x100;
/// The first and the last words of both banks of flash.
const FLASH: [u64; 5] = [0, 0x03ff_fffc, 0x0400_0000, 0x0400_0004, 0x07ff_fffc];

/// ESR_EL1 of a fetch that is answered by an external abort: EC 0x21, IL, IFSC 0x10.
const FETCH_ABORT: u64 = 0x8600_0010;

global_asm!(include_str!("fetch.s"));

/// Executes at `address`, past stage 1. ESR_EL1 and FAR_EL1 of the exception that comes of it.
fn fetch(address: u64) -> (u64, u64) {
    let (syndrome, fault_address);
    // SAFETY: there is nothing to execute; the function, which touches no memory, comes back with everything as it was.
    unsafe {
        asm!(
            "bl conformance_fetch",
            inout("x0") address => syndrome, out("x1") fault_address,
            out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x30") _, options(nostack)
        );
    }
    (syndrome, fault_address)
}

/// The cases.
pub fn run() {
    let empty = TRANSPORTS.step_by(TRANSPORT).filter(|transport| {
        mmio::write32(transport + STATUS, 1);
        let read = [0, 4, 8, 12].map(|register| mmio::read32(transport + register));
        read == IDENTIFICATION && mmio::read32(transport + STATUS) == 0 && mmio::read8(transport + CONFIGURATION) == 0
    });
    report::equal(format_args!("unused/virtio transports"), 32, empty.count());
    for word in FLASH {
        mmio::write32(word, 0x0098_0098);
        mmio::write8(word, 0xff);
        report::equal(format_args!("unused/flash at {word:#x}"), (0, 0), (mmio::read32(word), mmio::read8(word + 3)));
    }
    report::equal(format_args!("unused/64 bits of flash"), 0, mmio::read64(0x0400_0008));
    for address in [0, 0x0400_0000, TRANSPORTS.start, 0x0901_0000] {
        report::equal(format_args!("unused/fetch from {address:#x}"), (FETCH_ABORT, address), fetch(address));
    }
    for path in ["/virtio_mmio@a000000", "/flash@0"] {
        report::equal(format_args!("unused/no node {path}"), None, tree::string(path, "compatible"));
    }
}
