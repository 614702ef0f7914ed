//! The devices of QEMU's `virt` machine with `secure=on` that the firmware uses (QEMU, hw/arm/virt.c).

use core::fmt;

use crate::processor::{read32, stop, write32};

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

/// Makes every interrupt one of the non-secure world's, and wakes the first core's redistributor (Arm IHI 0069, section
/// 12).
pub fn open_interrupts() {
    const DISTRIBUTOR: u64 = 0x0800_0000;
    const REDISTRIBUTOR: u64 = 0x080a_0000;
    const SGI_FRAME: u64 = 0x1_0000;
    const CTLR: u64 = 0;
    const TYPER: u64 = 4;
    const WAKER: u64 = 0x14;
    const IGROUPR: u64 = 0x80;
    const IGRPMODR: u64 = 0xd00;
    /// Affinity routing for both worlds.
    const ARE: u32 = 0b11 << 4;
    const PROCESSOR_SLEEP: u32 = 1 << 1;
    const CHILDREN_ASLEEP: u32 = 1 << 2;

    // Group 1 and no modifier is non-secure group 1.
    write32(DISTRIBUTOR + CTLR, ARE);
    let lines = u64::from(read32(DISTRIBUTOR + TYPER) & 0x1f);
    for word in 1..=lines {
        write32(DISTRIBUTOR + IGROUPR + 4 * word, u32::MAX);
        write32(DISTRIBUTOR + IGRPMODR + 4 * word, 0);
    }
    write32(REDISTRIBUTOR + SGI_FRAME + IGROUPR, u32::MAX);
    write32(REDISTRIBUTOR + SGI_FRAME + IGRPMODR, 0);
    write32(REDISTRIBUTOR + WAKER, read32(REDISTRIBUTOR + WAKER) & !PROCESSOR_SLEEP);
    while read32(REDISTRIBUTOR + WAKER) & CHILDREN_ASLEEP != 0 {}
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
