//! Management calls, by HVC.

use core::arch::asm;

use portcullis_abi::manage::VM_STATE;

use crate::guest::interrupt;

/// Ticks until a VM is looked at again, and how often it is.
pub const WHILE: u64 = 1_000_000;
const LOOKS: usize = 2000;

/// Makes a management call. None: it was refused.
pub fn call(function: u32, arguments: [u64; 2]) -> Option<[u64; 2]> {
    let [status, results @ ..] = hvc(function, arguments);
    (status == 0).then_some(results)
}

/// Makes a firmware call. Returns x0 to x2.
#[inline(always)]
pub fn hvc(function: u32, [x1, x2]: [u64; 2]) -> [u64; 3] {
    let (status, first, second): (u64, u64, u64);
    // SAFETY: what is called writes to no memory of this guest but a buffer, which nothing else is in.
    unsafe {
        asm!("hvc #0", inlateout("x0") u64::from(function) => status, inlateout("x1") x1 => first,
            inlateout("x2") x2 => second, inlateout("x3") 0_u64 => _, clobber_abi("C"));
    }
    [status, first, second]
}

/// Waits until the VM is in this phase, and nothing is in progress. None: it does not come there.
pub fn wait_for(vm: u64, phase: u64) -> Option<()> {
    for _ in 0..LOOKS {
        let [state, _] = call(VM_STATE, [vm, 0])?;
        if state & 0xffff == phase {
            return Some(());
        }
        interrupt::sleep(WHILE);
    }
    None
}
