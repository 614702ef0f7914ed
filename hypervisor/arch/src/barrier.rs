//! Barriers and hints.

macro_rules! instruction {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name() {
            #[cfg(target_os = "none")]
            // SAFETY: a barrier or hint changes no register and no memory.
            unsafe {
                core::arch::asm!($text, options(nostack, preserves_flags));
            }
            #[cfg(not(target_os = "none"))]
            crate::fake::happens(crate::fake::Event::Instruction($text));
        }
    };
}

instruction!(
    /// Context synchronization: later instructions see earlier system register writes.
    isb,
    "isb"
);
instruction!(
    /// Completes all memory accesses and TLB maintenance before it, inner shareable domain.
    dsb_ish,
    "dsb ish"
);
instruction!(
    /// Completes all stores before it, inner shareable domain.
    dsb_ishst,
    "dsb ishst"
);
instruction!(
    /// Orders the loads before it ahead of all later memory accesses, inner shareable domain.
    dmb_ishld,
    "dmb ishld"
);
instruction!(
    /// Completes all memory accesses before it, full system.
    dsb_sy,
    "dsb sy"
);
instruction!(
    /// Wakes every core that waits for an event.
    sev,
    "sev"
);

/// Waits for an interrupt, masked ones included.
#[inline(always)]
pub fn wfi() {
    #[cfg(target_os = "none")]
    // SAFETY: a hint changes no register and no memory.
    unsafe {
        core::arch::asm!("wfi", options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::wait();
}
