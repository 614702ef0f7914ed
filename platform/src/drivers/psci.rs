//! Cores and power by the firmware's PSCI (Arm DEN0022), called by SMC from EL2.

use portcullis_arch::cpu;
use portcullis_board::PowerControl;
use smccc::psci;

use crate::firmware::Smc;

/// PSCI 0.2 or later.
pub struct Psci;

impl PowerControl for Psci {
    fn start_core(&self, affinity: u64, entry: u64, argument: u64) -> Result<(), i64> {
        psci::cpu_on::<Smc>(affinity, entry, argument).map_err(i64::from)
    }

    fn power_off(&self) -> ! {
        // What returns has not switched off.
        let _ = psci::system_off::<Smc>();
        cpu::halt()
    }

    fn reset(&self) -> ! {
        let _ = psci::system_reset::<Smc>();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// On the host every call returns -1, as one that nobody knows.
    #[test]
    fn what_the_firmware_refuses_is_its_code() {
        assert_eq!(Psci.start_core(1, 0x8_0000, 7), Err(portcullis_abi::result::NOT_SUPPORTED));
    }
}
