//! Secure monitor calls from EL2 to the firmware at EL3.

/// Makes an SMC with x0 to x17 as in `x`, which then has what EL3 leaves there.
pub fn forward(x: &mut [u64; 18]) {
    #[cfg(target_os = "none")]
    {
        let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17] = x;
        // SAFETY: as in `call`.
        unsafe {
            core::arch::asm!(
                "smc #0",
                inout("x0") * x0,
                inout("x1") * x1,
                inout("x2") * x2,
                inout("x3") * x3,
                inout("x4") * x4,
                inout("x5") * x5,
                inout("x6") * x6,
                inout("x7") * x7,
                inout("x8") * x8,
                inout("x9") * x9,
                inout("x10") * x10,
                inout("x11") * x11,
                inout("x12") * x12,
                inout("x13") * x13,
                inout("x14") * x14,
                inout("x15") * x15,
                inout("x16") * x16,
                inout("x17") * x17,
                options(nostack)
            );
        }
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::smc(x);
}

/// Makes an SMC with these registers; returns them as EL3 leaves them. What x7 holds tells EL3 whom the call is for; zero
/// is the hypervisor itself.
///
/// Follows SMCCC 1.0 (DEN0028): x8 to x17 may be lost. Call it only where the device tree says that EL3 answers SMCs:
/// elsewhere the instruction is undefined or never returns.
#[inline]
pub fn call(mut x: [u64; 8]) -> [u64; 8] {
    #[cfg(target_os = "none")]
    {
        let [x0, x1, x2, x3, x4, x5, x6, x7] = &mut x;
        // SAFETY: every register that the calling convention lets the callee change is declared; memory is not touched
        // but by calls (CPU_ON, SYSTEM_OFF) whose effect is the purpose.
        unsafe {
            core::arch::asm!("smc #0", inout("x0") *x0, inout("x1") *x1, inout("x2") *x2, inout("x3") *x3,
                inout("x4") *x4, inout("x5") *x5, inout("x6") *x6, inout("x7") *x7, out("x8") _, out("x9") _,
                out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _,
                out("x17") _, options(nostack));
        }
    }
    #[cfg(not(target_os = "none"))]
    {
        let mut all = [0; 18];
        let (arguments, _) = all.split_at_mut(x.len());
        arguments.copy_from_slice(&x);
        crate::fake::smc(&mut all);
        let (results, _) = all.split_at(x.len());
        x.copy_from_slice(results);
    }
    x
}
