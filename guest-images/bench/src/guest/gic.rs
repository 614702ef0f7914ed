//! GICv3 (Arm IHI 0069), as much as the measurements need.

use core::arch::asm;

use guest_mmio::{read32, write32};

use crate::configuration::Configuration;

/// Type of the distributor.
pub const TYPER: u64 = 4;
/// Set-enable, one bit each.
pub const ISENABLER: u64 = 0x100;
/// Clear-enable, one bit each.
pub const ICENABLER: u64 = 0x180;
/// A redistributor's frame for SGIs and PPIs, behind the one for its control.
pub const SGI_FRAME: u64 = 0x1_0000;
/// PPI of the virtual timer.
pub const TIMER: u64 = 27;

const CTLR: u64 = 0;
const WAKER: u64 = 0x14;
const IGROUPR: u64 = 0x80;
const IPRIORITYR: u64 = 0x400;
const ICFGR: u64 = 0xc00;
/// Bytes of a redistributor's frames.
const STRIDE: u64 = 0x2_0000;
/// Four interrupts of a priority in the middle.
const PRIORITIES: u32 = 0xa0a0_a0a0;
/// Reads before a register that does not change is left alone.
const PATIENCE: u32 = 100_000;

/// Turns the distributor on, with the configured SPI in group 1.
pub fn start_distributor(configuration: &Configuration) {
    let (distributor, interrupt) = (configuration.distributor, configuration.interrupt);
    write32(distributor + CTLR, 0x13); // affinity routing, group 1
    wait(distributor + CTLR, 1 << 31);
    write32(distributor + IGROUPR + u64::from(interrupt / 32) * 4, u32::MAX);
    write32(distributor + IPRIORITYR + u64::from(interrupt & !3), PRIORITIES);
}

/// Turns on the redistributor and the CPU interface of vCPU `number`, which this runs on.
pub fn start_cpu(configuration: &Configuration, number: u64) {
    let frame = configuration.redistributors + number * STRIDE;
    write32(frame + WAKER, read32(frame + WAKER) & !2);
    wait(frame + WAKER, 4);
    let frame = frame + SGI_FRAME;
    write32(frame + IGROUPR, u32::MAX);
    for offset in (0..32).step_by(4) {
        write32(frame + IPRIORITYR + offset, PRIORITIES);
    }
    write32(frame + ISENABLER, 1 << TIMER | 0xffff);
    // SAFETY: ICC_SRE, PMR, BPR1, CTLR and IGRPEN1 of this vCPU; interrupts are masked.
    unsafe {
        asm!("mrs {value}, S3_0_C12_C12_5", "orr {value}, {value}, #1", "msr S3_0_C12_C12_5, {value}", "isb",
            "mov {value}, #0xf0", "msr S3_0_C4_C6_0, {value}", "msr S3_0_C12_C12_3, xzr", "msr S3_0_C12_C12_4, xzr",
            "mov {value}, #1", "msr S3_0_C12_C12_7, {value}", "isb", value = out(reg) _, options(nostack));
    }
}

/// Enables an SPI, which is an edge, for the first vCPU.
pub fn enable_edge(configuration: &Configuration, interrupt: u32) {
    let (distributor, bank) = (configuration.distributor, u64::from(interrupt / 32) * 4);
    write32(distributor + IGROUPR + bank, u32::MAX);
    write32(distributor + IPRIORITYR + u64::from(interrupt & !3), PRIORITIES);
    let kinds = distributor + ICFGR + u64::from(interrupt / 16) * 4;
    write32(kinds, read32(kinds) | 2 << (interrupt % 16 * 2));
    write32(distributor + ISENABLER + bank, 1 << (interrupt % 32));
}

/// Waits until the bits are clear.
fn wait(address: u64, bits: u32) {
    for _ in 0..PATIENCE {
        if read32(address) & bits == 0 {
            return;
        }
    }
}
