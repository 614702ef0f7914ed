//! Access to system registers by name.

/// Reads the system register named by a string literal, for example `read_sysreg!("esr_el2")`.
///
/// The register's name is checked by the assembler. Only registers whose read has no side effect may be named; those with
/// one (`icc_iar1_el1`) have a function of their own.
#[macro_export]
macro_rules! read_sysreg {
    ($name:literal) => {{
        #[cfg(target_os = "none")]
        {
            let value: u64;
            // SAFETY: reading the named register has no effect on memory or on the course of the program.
            unsafe {
                core::arch::asm!(concat!("mrs {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags));
            }
            value
        }
        #[cfg(not(target_os = "none"))]
        {
            $crate::fake::read($name)
        }
    }};
}

/// Writes the system register named by a string literal.
///
/// # Safety
///
/// The expansion is an unsafe expression: the caller must know what the register governs.
#[macro_export]
macro_rules! write_sysreg {
    ($name:literal, $value:expr) => {{
        let value: u64 = $value;
        #[cfg(target_os = "none")]
        core::arch::asm!(concat!("msr ", $name, ", {}"), in(reg) value, options(nostack, preserves_flags));
        #[cfg(not(target_os = "none"))]
        $crate::fake::write($name, value);
    }};
}
