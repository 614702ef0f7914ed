//! Data cache maintenance by address.

/// Writes `length` bytes from `start` back to the point of coherency and forgets them here: what a guest writes there with
/// its caches off is what it reads with its caches on.
///
/// The range must be mapped at EL2, cacheable or not: the caches of all cores are reached either way (Arm ARM, D7.5.9). An
/// address that is not mapped ends in a fault of EL2, never in a wrong result.
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
    let mut address = start & !(line.wrapping_sub(1));
    let end = start.saturating_add(length);
    let four = address.saturating_add(end.saturating_sub(address) & !(line.wrapping_mul(4).wrapping_sub(1)));
    // A VM's whole RAM comes by here.
    while address < four {
        // SAFETY: each line is written back before it is forgotten; no value changes.
        unsafe {
            core::arch::asm!(
                "dc civac, {at}",
                "add {at}, {at}, {line}",
                "dc civac, {at}",
                "add {at}, {at}, {line}",
                "dc civac, {at}",
                "add {at}, {at}, {line}",
                "dc civac, {at}",
                "add {at}, {at}, {line}",
                at = inout(reg) address,
                line = in(reg) line,
                options(nostack, preserves_flags)
            );
        }
    }
    while address < end {
        // SAFETY: as above.
        unsafe {
            core::arch::asm!("dc civac, {}", in(reg) address, options(nostack, preserves_flags));
        }
        address = address.saturating_add(line);
    }
}
