//! Data and instruction cache maintenance by address.

/// Cleans `length` bytes from `start` out of the caches to the point of coherency and makes later instruction fetches see them.
///
/// What EL2 has written with its caches on is then visible to a guest that starts with its caches off. The range must be
/// mapped at EL2; an address that is not ends in a fault of EL2, never in a wrong result.
pub fn publish(start: usize, length: usize) {
    clean(start, length);
    #[cfg(target_os = "none")]
    // SAFETY: invalidating the instruction cache changes no architectural state.
    unsafe {
        core::arch::asm!("ic ialluis", "dsb ish", "isb", options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Instruction("ic ialluis"));
}

/// Writes `length` bytes from `start` back to the point of coherency and forgets them here: what a guest writes there with
/// its caches off is what it reads with its caches on.
pub fn clean(start: usize, length: usize) {
    #[cfg(not(target_os = "none"))]
    crate::fake::happens(crate::fake::Event::Maintain("dc civac", start, length));
    #[cfg(target_os = "none")]
    clean_lines(start, length);
    crate::barrier::dsb_sy();
}

#[cfg(target_os = "none")]
fn clean_lines(start: usize, length: usize) {
    let line = 4usize << ((crate::read_sysreg!("ctr_el0") >> 16) & 0xf);
    let end = start.saturating_add(length);
    let mut address = start & !(line.wrapping_sub(1));
    while address < end {
        // SAFETY: the line is written back before it is forgotten; no value changes.
        unsafe {
            core::arch::asm!("dc civac, {}", in(reg) address, options(nostack, preserves_flags));
        }
        address = address.saturating_add(line);
    }
}
