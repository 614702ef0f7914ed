//! The floating point and SIMD registers. They are the guests' alone: EL2 is compiled without floating point.

/// V0 to V31, FPCR and FPSR of a vCPU that is not on its core.
///
/// They change hands at every switch: to save and load them costs fewer instructions than the trap by which one would learn
/// that the next vCPU uses them (`docs/sharing.md` has the figures).
#[repr(C, align(16))]
#[derive(Debug)]
pub struct Simd {
    pub(crate) v: [u128; 32],
    pub(crate) fpcr: u64,
    pub(crate) fpsr: u64,
}

/// The same instruction for each pair of registers: the offset of a pair is that of its first register.
#[cfg(target_os = "none")]
macro_rules! pairs {
    ($instruction:literal, $at:ident, $address:expr; $($first:literal $second:literal $offset:literal),*) => {
        core::arch::asm!(
            ".arch_extension fp",
            ".arch_extension simd",
            $(concat!($instruction, " q", $first, ", q", $second, ", [{at}, #", $offset, "]"),)*
            ".arch_extension nosimd",
            ".arch_extension nofp",
            at = in(reg) $address,
            options(nostack, preserves_flags)
        )
    };
    ($instruction:literal, $address:expr) => {
        pairs!($instruction, at, $address; 0 1 0, 2 3 32, 4 5 64, 6 7 96, 8 9 128, 10 11 160, 12 13 192, 14 15 224,
            16 17 256, 18 19 288, 20 21 320, 22 23 352, 24 25 384, 26 27 416, 28 29 448, 30 31 480)
    };
}

impl Simd {
    /// All of them zero.
    pub const fn new() -> Self {
        Self { v: [0; 32], fpcr: 0, fpsr: 0 }
    }

    /// Takes over what this core has.
    pub fn save(&mut self) {
        #[cfg(target_os = "none")]
        // SAFETY: the stores fill `v`, whose 32 registers of 16 bytes lie one after the other.
        unsafe {
            pairs!("stp", self.v.as_mut_ptr());
        }
        #[cfg(not(target_os = "none"))]
        {
            self.v = crate::fake::vectors();
        }
        self.fpcr = crate::read_sysreg!("s3_3_c4_c4_0");
        self.fpsr = crate::read_sysreg!("s3_3_c4_c4_1");
    }

    /// Gives this core what was saved.
    pub fn load(&self) {
        #[cfg(target_os = "none")]
        // SAFETY: the loads read all of `v`; no Rust code of the hypervisor uses the registers: the target has no floating
        // point.
        unsafe {
            pairs!("ldp", self.v.as_ptr());
        }
        #[cfg(not(target_os = "none"))]
        crate::fake::set_vectors(self.v);
        // SAFETY: as above.
        unsafe {
            crate::write_sysreg!("s3_3_c4_c4_0", self.fpcr);
            crate::write_sysreg!("s3_3_c4_c4_1", self.fpsr);
        }
    }
}

impl Default for Simd {
    fn default() -> Self {
        Self::new()
    }
}

/// Clears the registers, so that nothing of a former owner stays in them.
pub fn clear() {
    #[cfg(target_os = "none")]
    // SAFETY: no Rust code of the hypervisor uses these registers: the target has no floating point.
    unsafe {
        core::arch::asm!(
            ".arch_extension fp",
            ".arch_extension simd",
            ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            "movi v\\n\\().2d, #0",
            ".endr",
            "msr fpcr, xzr",
            "msr fpsr, xzr",
            ".arch_extension nosimd",
            ".arch_extension nofp",
            options(nomem, nostack, preserves_flags)
        );
    }
    #[cfg(not(target_os = "none"))]
    Simd::new().load();
}
