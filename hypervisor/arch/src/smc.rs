//! Secure monitor calls from EL2 to the firmware at EL3.

/// Makes an SMC with `function` and three arguments; returns x0.
///
/// Follows SMCCC 1.0 (DEN0028): x4 to x17 may be lost. Call it only where the device tree says that EL3 answers SMCs:
/// elsewhere the instruction is undefined or never returns.
pub fn call(function: u32, x1: u64, x2: u64, x3: u64) -> i64 {
    #[cfg(target_arch = "aarch64")]
    {
        let mut x0 = u64::from(function);
        // SAFETY: every register that the calling convention lets the callee change is declared; memory is not touched
        // but by calls (CPU_ON, SYSTEM_OFF) whose effect is the purpose.
        unsafe {
            core::arch::asm!("smc #0", inout("x0") x0, inout("x1") x1 => _, inout("x2") x2 => _, inout("x3") x3 => _,
                out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _, out("x10") _,
                out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _, out("x17") _,
                options(nostack));
        }
        x0 as i64
    }
    #[cfg(not(target_arch = "aarch64"))]
    {
        let _ = (function, x1, x2, x3);
        -1
    }
}
