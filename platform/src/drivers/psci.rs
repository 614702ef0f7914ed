//! Cores and power by the firmware's PSCI (Arm DEN0022), called by SMC from EL2.

use portcullis_abi::function::{PSCI_CPU_ON, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, SMC64};
use portcullis_arch::{cpu, smc};
use portcullis_board::PowerControl;

/// PSCI 0.2 or later.
pub struct Psci;

fn call(function: u32, [x1, x2, x3]: [u64; 3]) -> u64 {
    let [x0, ..] = smc::call([u64::from(function), x1, x2, x3, 0, 0, 0, 0]);
    x0
}

impl PowerControl for Psci {
    fn start_core(&self, affinity: u64, entry: u64, argument: u64) -> Result<(), i64> {
        // The result is a 32-bit number in either convention (DEN0022, section 5.2.1).
        match call(PSCI_CPU_ON | SMC64, [affinity, entry, argument]) as i32 {
            0 => Ok(()),
            code => Err(i64::from(code)),
        }
    }

    fn power_off(&self) -> ! {
        call(PSCI_SYSTEM_OFF, [0; 3]);
        cpu::halt()
    }

    fn reset(&self) -> ! {
        call(PSCI_SYSTEM_RESET, [0; 3]);
        cpu::halt()
    }
}

/// Firmware without PSCI: only the boot core runs, and the machine stays on.
pub struct NoFirmware;

impl PowerControl for NoFirmware {
    fn start_core(&self, _affinity: u64, _entry: u64, _argument: u64) -> Result<(), i64> {
        Err(portcullis_abi::result::NOT_SUPPORTED)
    }

    fn power_off(&self) -> ! {
        cpu::halt()
    }

    fn reset(&self) -> ! {
        cpu::halt()
    }
}
