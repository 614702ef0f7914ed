//! Register accesses, interrupts and a guest's handling of them, on a GICv2.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = fuzz::vgic::run::<true>(data);
});
