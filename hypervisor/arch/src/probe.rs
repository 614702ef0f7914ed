//! Asks whether there is a device at an address, before the first guest. Where there is none, most interconnects answer with
//! a synchronous external abort (Arm ARM, D8.17); an access that ends in an SError, or in nothing, is not seen here.

#[cfg(target_os = "none")]
core::arch::global_asm!(
    ".pushsection .text.probe, \"ax\"",
    ".global portcullis_probe, portcullis_probe_read, portcullis_probe_failed",
    "portcullis_probe:",
    "portcullis_probe_read:",
    "ldr w1, [x0]",
    "mov x0, #1",
    "ret",
    // el2_fault in faults.S comes here if the load above is what failed.
    "portcullis_probe_failed:",
    "mov x0, #0",
    "ret",
    ".popsection",
);

#[cfg(target_os = "none")]
unsafe extern "C" {
    fn portcullis_probe(address: u64) -> Answer;
}

/// What became of a read: whether it was answered, and then by which value.
#[repr(C)]
#[cfg(target_os = "none")]
struct Answer {
    answered: u64,
    value: u64,
}

/// Whether a 32-bit read at `address` is answered. To be called on the boot core before it has an anchor
/// ([`crate::cpu::set_anchor`]): afterwards a read that fails is a fault of EL2 as any other.
///
/// # Safety
///
/// The address must be a multiple of 4 and mapped, and a read there must have no effect on a device.
pub unsafe fn answers(address: u64) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { read(address) }.is_some()
}

/// What a 32-bit read at `address` is answered by, if it is. To be called as [`answers`].
///
/// # Safety
///
/// As for [`answers`].
pub unsafe fn read(address: u64) -> Option<u32> {
    #[cfg(target_os = "none")]
    {
        // SAFETY: passed on to the caller; x0 and x1 are the function's to change, and what it returns is in them.
        let Answer { answered, value } = unsafe { portcullis_probe(address) };
        (answered != 0).then_some(value as u32)
    }
    #[cfg(not(target_os = "none"))]
    {
        (address != 0).then_some(0)
    }
}
