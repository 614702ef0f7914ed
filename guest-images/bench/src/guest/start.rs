//! From the first instruction to the guest's main function, and PSCI as the guest itself needs it.

use core::arch::{asm, global_asm};
use core::ptr;

use crate::configuration::{Configuration, flag};

global_asm!(
    include_str!("../../../assembly/head.s"),
    include_str!("../../../assembly/settle.s"),
    include_str!("entry.s"),
);

/// The configuration; patched in the finished image, so that it must be read as something that changes.
// SAFETY: the linker script puts the section behind the header and has no other use for it.
#[unsafe(link_section = ".configuration")]
#[used]
static CONFIGURATION: Configuration = Configuration::DEFAULT;

unsafe extern "C" {
    fn secondary_entry();
}

unsafe extern "Rust" {
    /// The guest's main function, defined by [`main!`](crate::main).
    safe fn bench_main(configuration: Configuration, entered: u64);
    /// What the guest's other vCPUs do, defined by [`main!`](crate::main).
    safe fn bench_other(configuration: Configuration, number: u64);
}

/// Names the guest's functions for its first vCPU, `fn(Configuration, u64)` with the counter at entry, and for the
/// others, `fn(Configuration, u64)` with their number.
#[macro_export]
macro_rules! main {
    ($first:path, $other:path) => {
        // SAFETY: the start-up code declares this symbol with the same signature and is the only one to call it.
        #[unsafe(no_mangle)]
        fn bench_main(configuration: $crate::configuration::Configuration, entered: u64) {
            $first(configuration, entered);
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        fn bench_other(configuration: $crate::configuration::Configuration, number: u64) {
            $other(configuration, number);
        }
    };
}

/// The configuration of this image.
fn configuration() -> Configuration {
    // SAFETY: a static is valid for reads.
    unsafe { ptr::read_volatile(&CONFIGURATION) }
}

/// The first vCPU arrives here with a stack and the image relocated.
// SAFETY: the name is used by entry.s only, which calls it with this signature.
#[unsafe(no_mangle)]
extern "C" fn bench_primary(entered: u64) {
    let configuration = configuration();
    bench_main(configuration, entered);
    if configuration.flags & flag::STAY == 0 {
        psci(&configuration, [0x8400_0008, 0, 0, 0]);
    }
}

/// A vCPU that PSCI started arrives here with a stack.
// SAFETY: the name is used by entry.s only, which calls it with this signature.
#[unsafe(no_mangle)]
extern "C" fn bench_secondary(number: u64) {
    bench_other(configuration(), number);
}

/// Makes a PSCI call by the configured conduit and returns its result.
pub fn psci(configuration: &Configuration, [function, x1, x2, x3]: [u64; 4]) -> u64 {
    let result;
    // SAFETY: the functions in use write to no memory of this guest.
    unsafe {
        if configuration.flags & flag::PSCI_SMC == 0 {
            asm!("hvc #0", inlateout("x0") function => result, inlateout("x1") x1 => _, inlateout("x2") x2 => _,
                inlateout("x3") x3 => _, clobber_abi("C"));
        } else {
            asm!("smc #0", inlateout("x0") function => result, inlateout("x1") x1 => _, inlateout("x2") x2 => _,
                inlateout("x3") x3 => _, clobber_abi("C"));
        }
    }
    result
}

/// Starts vCPU `number` with PSCI CPU_ON and returns PSCI's result.
pub fn cpu_on(configuration: &Configuration, number: u64) -> u64 {
    psci(configuration, [0xc400_0003, number, secondary_entry as *const () as u64, number])
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        // SAFETY: waits, nothing else.
        unsafe { asm!("wfi") };
    }
}
