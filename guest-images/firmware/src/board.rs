//! The devices of QEMU's `virt` machine with `secure=on` that the firmware uses (QEMU, hw/arm/virt.c).

use core::fmt;

use guest_mmio::{read32, write32};

use crate::processor::stop;

/// The serial port, which it shares with the hypervisor.
pub struct Console;

impl Console {
    const UART: u64 = 0x0900_0000;
    /// Registers of a PL011 (Arm DDI 0183, section 3.3).
    const DR: u64 = Self::UART;
    const FR: u64 = Self::UART + 0x18;
    const CR: u64 = Self::UART + 0x30;
    /// Of FR: the FIFO is full.
    const TXFF: u32 = 1 << 5;
    /// Of CR: enabled, sends, receives.
    const ON: u32 = 0x301;

    /// The console, switched on.
    pub fn new() -> Self {
        write32(Self::CR, Self::ON);
        Self
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while read32(Self::FR) & Self::TXFF != 0 {}
            write32(Self::DR, byte.into());
        }
        Ok(())
    }
}

/// The interrupt controller, a GICv3 (Arm IHI 0069, section 12).
mod gic {
    pub const DISTRIBUTOR: u64 = 0x0800_0000;
    /// The redistributors, in the order of the cores.
    pub const REDISTRIBUTORS: u64 = 0x080a_0000;
    /// From one redistributor to the next.
    pub const STRIDE: u64 = 0x2_0000;
    /// Of a redistributor: the registers of its core's own interrupts.
    pub const SGI_FRAME: u64 = 0x1_0000;
    pub const IGROUPR: u64 = 0x80;
    pub const ISENABLER: u64 = 0x100;
    pub const ISPENDR: u64 = 0x200;
    pub const ISACTIVER: u64 = 0x300;
    pub const IGRPMODR: u64 = 0xd00;
}

/// Makes every interrupt that the cores share one of the non-secure world's, if it is to have any.
pub fn open_distributor(opens: bool) {
    const CTLR: u64 = gic::DISTRIBUTOR;
    const TYPER: u64 = gic::DISTRIBUTOR + 4;
    /// Affinity routing for both worlds.
    const ARE: u32 = 0b11 << 4;

    // Group 1 and no modifier is non-secure group 1.
    write32(CTLR, ARE);
    if !opens {
        return;
    }
    let lines = u64::from(read32(TYPER) & 0x1f);
    for word in 1..=lines {
        write32(gic::DISTRIBUTOR + gic::IGROUPR + 4 * word, u32::MAX);
        write32(gic::DISTRIBUTOR + gic::IGRPMODR + 4 * word, 0);
    }
}

/// Makes every interrupt of a core's own one of the non-secure world's, if it is to have any, and wakes its redistributor.
pub fn open_redistributor(core: usize, opens: bool) {
    const WAKER: u64 = 0x14;
    const PROCESSOR_SLEEP: u32 = 1 << 1;
    const CHILDREN_ASLEEP: u32 = 1 << 2;

    let redistributor = redistributor(core);
    write32(redistributor + gic::SGI_FRAME + gic::IGROUPR, if opens { u32::MAX } else { 0 });
    write32(redistributor + gic::SGI_FRAME + gic::IGRPMODR, 0);
    write32(redistributor + WAKER, read32(redistributor + WAKER) & !PROCESSOR_SLEEP);
    while read32(redistributor + WAKER) & CHILDREN_ASLEEP != 0 {}
}

/// Leaves the interrupts of a core as somebody does who has used them and ended nothing: SGIs pending, the timers' active and
/// enabled; with the first core's also shared ones, among them that of a clock whose line is high.
pub fn leave_interrupts(core: usize) {
    /// A PL031 (Arm DDI 0224): its match register, its mask, its data, and its interrupt of the GIC's.
    const RTC: u64 = 0x0901_0000;
    const RTC_BIT: u32 = 1 << 2;
    let own = redistributor(core) + gic::SGI_FRAME;
    write32(own + gic::ISENABLER, u32::MAX);
    write32(own + gic::ISPENDR, 0xffff);
    write32(own + gic::ISACTIVER, 1 << 30 | 1 << 27 | 1 << 26 | 1 << 25 | 1);
    if core == 0 {
        write32(RTC + 4, read32(RTC));
        write32(RTC + 0x10, 1);
        for (register, bits) in [(gic::ISENABLER, u32::MAX), (gic::ISPENDR, !RTC_BIT), (gic::ISACTIVER, 0xffff_0000)] {
            for word in 1..=7 {
                write32(gic::DISTRIBUTOR + register + 4 * word, bits);
            }
        }
    }
}

/// Number of cores, which is that of redistributors; `most` + 1 if there are more than `most`.
pub fn cores(most: usize) -> usize {
    const TYPER: u64 = 8;
    const LAST: u32 = 1 << 4;
    let last = (0..most).find(|core| read32(redistributor(*core) + TYPER) & LAST != 0);
    last.unwrap_or(most) + 1
}

fn redistributor(core: usize) -> u64 {
    gic::REDISTRIBUTORS + gic::STRIDE * core as u64
}

/// Lines of the secure PL061 (Arm DDI 0190) that go to the machine's power control.
#[derive(Clone, Copy)]
pub enum Line {
    /// Switches off.
    Off = 0,
    /// Resets.
    Reset = 1,
}

/// Raises a line of the machine's power control, which does not come back from it.
pub fn power(line: Line) -> ! {
    const GPIO: u64 = 0x090b_0000;
    const DIRECTION: u64 = 0x400;
    let bit = 1 << line as u32;
    write32(GPIO + DIRECTION, bit);
    // Bits 9:2 of the address of the data register say which lines are written.
    write32(GPIO + (u64::from(bit) << 2), bit);
    stop()
}
