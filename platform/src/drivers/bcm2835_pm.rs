//! PowerControl off and reset by the watchdog of a BCM2835's power management (Linux, `drivers/watchdog/bcm2835_wdt.c`).
//!
//! The board cannot switch itself off. A reset with partition 63 in RSTS makes its firmware halt instead of booting.

use core::ptr::NonNull;

use portcullis_arch::cpu;
use portcullis_board::PowerControl;
use safe_mmio::{UniqueMmioPointer, field, field_shared, fields::ReadPureWrite};
use spin::{Mutex, Once};

use super::watchdog::Found;
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver =
    Driver { name: "a BCM2835 watchdog", compatible: &[b"brcm,bcm2835-pm-wdt"], offer: Offer::Power(bind) };

/// What every write has in its upper byte.
const PASSWORD: u32 = 0x5a00_0000;
/// RSTC: what a watchdog that runs out does.
const RSTC_CONFIGURATION: u32 = 0x30;
/// RSTC: a full reset.
const RSTC_FULL_RESET: u32 = 0x20;
/// RSTS: the bits of the partition number, and the number 63 in them, which the firmware takes for a wish to halt.
const RSTS_PARTITION: u32 = 0x555;
/// Time until the reset, in units of 1/65536 s.
const DELAY: u32 = 10;

/// The registers that are used.
#[repr(C)]
pub struct Registers {
    others: [u32; 7],
    reset_control: ReadPureWrite<u32>,
    reset_status: ReadPureWrite<u32>,
    watchdog: ReadPureWrite<u32>,
}

const _: () = assert!(core::mem::offset_of!(Registers, reset_control) == 0x1c && size_of::<Registers>() == 0x28);

/// A BCM2835's power management.
pub struct Bcm2835Pm(Mutex<UniqueMmioPointer<'static, Registers>>);

static PM: Once<Bcm2835Pm> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn PowerControl> {
    let registers = NonNull::new(device.registers.start as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    let pm = PM.call_once(|| unsafe { Bcm2835Pm::new(registers) });
    if pm.stop() {
        log::info!("{} at {:#x} {}", DRIVER.name, device.registers.start, Found::Stopped);
    }
    Some(pm)
}

impl Bcm2835Pm {
    /// Takes over the power management at `address`.
    ///
    /// # Safety
    ///
    /// `address` must be that of its registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<Registers>) -> Self {
        // SAFETY: passed on to the caller.
        Self(Mutex::new(unsafe { UniqueMmioPointer::new(address) }))
    }

    /// Stops the watchdog. Returns whether it ran: a boot loader may have left it so.
    fn stop(&self) -> bool {
        let mut registers = self.0.lock();
        let control = field_shared!(registers, reset_control).read() & 0x00ff_ffff;
        let runs = control & RSTC_CONFIGURATION != 0;
        if runs {
            field!(registers, reset_control).write(PASSWORD | control & !RSTC_CONFIGURATION);
        }
        runs
    }

    /// Sets the watchdog, which resets the machine a moment later; with `halt` the firmware does not boot it again.
    fn set(&self, halt: bool) {
        let mut registers = self.0.lock();
        if halt {
            let status = field_shared!(registers, reset_status).read() & 0x00ff_ffff;
            field!(registers, reset_status).write(PASSWORD | status | RSTS_PARTITION);
        }
        field!(registers, watchdog).write(PASSWORD | DELAY);
        let control = field_shared!(registers, reset_control).read() & 0x00ff_ffff & !RSTC_CONFIGURATION;
        field!(registers, reset_control).write(PASSWORD | control | RSTC_FULL_RESET);
    }
}

impl PowerControl for Bcm2835Pm {
    fn start_core(&self, _affinity: u64, _entry: u64, _argument: u64) -> Result<(), i64> {
        Err(portcullis_abi::result::NOT_SUPPORTED)
    }

    fn power_off(&self) -> ! {
        self.set(true);
        cpu::halt()
    }

    fn reset(&self) -> ! {
        self.set(false);
        cpu::halt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the registers hold after `set`, from these values of RSTC and RSTS.
    fn after(control: u32, status: u32, halt: bool) -> [u32; 3] {
        let mut block = [0u32; 10];
        (block[7], block[8]) = (control, status);
        // SAFETY: the block is a register block in memory, and this test's own.
        let pm = unsafe { Bcm2835Pm::new(NonNull::new(block.as_mut_ptr().cast()).unwrap()) };
        pm.set(halt);
        block[7..].try_into().unwrap()
    }

    #[test]
    fn a_reset_keeps_what_firmware_has_written() {
        assert_eq!(after(0x102, 0x1000, false), [0x5a00_0122, 0x1000, 0x5a00_000a]);
        assert_eq!(after(0x132, 0, false), [0x5a00_0122, 0, 0x5a00_000a]);
    }

    #[test]
    fn a_watchdog_that_runs_is_stopped_and_one_that_does_not_is_left_alone() {
        for (control, ran, after) in [(0x122, true, 0x5a00_0102), (0x102, false, 0x102)] {
            let mut block = [0u32; 10];
            (block[7], block[9]) = (control, 77);
            // SAFETY: the block is a register block in memory, and this test's own.
            let pm = unsafe { Bcm2835Pm::new(NonNull::new(block.as_mut_ptr().cast()).unwrap()) };
            assert_eq!(pm.stop(), ran);
            assert_eq!(block[7..], [after, 0, 77]);
        }
    }

    #[test]
    fn a_halt_names_partition_63() {
        assert_eq!(after(0x102, 0x1000, true), [0x5a00_0122, 0x5a00_1555, 0x5a00_000a]);
    }
}
