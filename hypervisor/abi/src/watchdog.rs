//! The watchdog of a VM: the call of Linux' `arm,smc-wdt` (`drivers/watchdog/arm_smc_wdt.c`, binding `watchdog/arm-smc-wdt.yaml`).
//! There is one function, [`crate::function::WATCHDOG`]; what it does is said by x1. x0 returns a code, x1 and x2 values, zero
//! where there are none.

/// x1: x1 and x2 return the shortest and the longest timeout in seconds.
pub const INIT: u32 = 0;
/// x1: the timeout is x2 seconds.
pub const SET_TIMEOUT: u32 = 1;
/// x1: on if x2 is 1, off if it is 0.
pub const ENABLE: u32 = 2;
/// x1: the guest is alive; the timeout begins anew.
pub const PET: u32 = 3;
/// x1: x1 returns the seconds that are left.
pub const GET_TIMELEFT: u32 = 4;

/// The shortest timeout in seconds. The longest one is the VM's own.
pub const TIMEOUT_MIN: u32 = 1;

/// Done.
pub const SUCCESS: i64 = 0;
/// x1 names no function.
pub const NOT_SUPPORTED: i64 = -1;
/// x2 is no value of this function's.
pub const INVALID_PARAMETERS: i64 = -2;
/// The watchdog is off.
pub const DISABLED: i64 = -8;
