//! `phc /dev/ptp0` prints the time of a PTP clock as `SECONDS.NANOSECONDS`. A static Linux program without any library,
//! so that the bare-metal compiler can build it. A clock that does not support the question yet is asked again for ten seconds.
//! Exit status 1: wrong arguments, 2: open failed, 3: no time.
#![no_std]
#![no_main]

use core::arch::{asm, naked_asm};
use core::ffi::c_char;

/// Numbers of the Linux system calls used here (arm64 has the generic table, asm-generic/unistd.h).
mod number {
    pub const OPENAT: usize = 56;
    pub const WRITE: usize = 64;
    pub const EXIT: usize = 93;
    pub const NANOSLEEP: usize = 101;
    pub const CLOCK_GETTIME: usize = 113;
}

/// -EOPNOTSUPP (asm-generic/errno.h).
const NOT_SUPPORTED: isize = -95;

/// `struct timespec` of a 64-bit kernel.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// Makes a Linux system call.
///
/// # Safety
///
/// The arguments must be what the call asks for; pointers among them must be valid for what the kernel does with them.
unsafe fn system_call(number: usize, arguments: [usize; 4]) -> isize {
    let result;
    let [a, b, c, d] = arguments;
    // SAFETY: the kernel changes no register but x0; what it does to memory is the caller's promise.
    unsafe {
        asm!("svc #0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c, in("x3") d,
            options(nostack));
    }
    result
}

fn exit(status: usize) -> ! {
    loop {
        // SAFETY: exit takes no pointer.
        unsafe { system_call(number::EXIT, [status, 0, 0, 0]) };
    }
}

/// Entry: the kernel leaves the argument count, then the argument pointers, at the stack pointer.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    naked_asm!("ldr x0, [sp]", "ldr x1, [sp, #16]", "b {main}", main = sym main)
}

extern "C" fn main(count: usize, path: *const c_char) -> ! {
    if count != 2 {
        exit(1);
    }
    const AT_FDCWD: usize = -100isize as usize;
    // SAFETY: the kernel wrote the argument as a string that ends with a zero; flags 0 open it for reading.
    let file = unsafe { system_call(number::OPENAT, [AT_FDCWD, path as usize, 0, 0]) };
    if file < 0 {
        exit(2);
    }
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // A file's clock id is its descriptor's complement shifted by three, with the kind 3 in the low bits
    // (FD_TO_CLOCKID, include/linux/posix-timers.h).
    let clock = ((!file) << 3) | 3;
    let pause = Timespec { seconds: 0, nanoseconds: 100_000_000 };
    let mut asked = 0;
    loop {
        // SAFETY: `time` is a timespec that outlives the call.
        match unsafe { system_call(number::CLOCK_GETTIME, [clock as usize, &raw mut time as usize, 0, 0]) } {
            0 => break,
            // The hypervisor has yet to find where its clock's seconds begin.
            NOT_SUPPORTED if asked < 100 => {
                asked += 1;
                // SAFETY: `pause` is a timespec; what would be left of it is not asked for.
                unsafe { system_call(number::NANOSLEEP, [&raw const pause as usize, 0, 0, 0]) };
            }
            _ => exit(3),
        }
    }
    let mut text = [b'.'; 31];
    let (seconds, rest) = text.split_at_mut(20);
    let start = 20 - decimal(time.seconds.unsigned_abs(), 1, seconds);
    decimal(time.nanoseconds.unsigned_abs(), 9, &mut rest[1..10]);
    rest[10] = b'\n';
    // SAFETY: the pointer and the length are those of `text`.
    unsafe { system_call(number::WRITE, [1, text[start..].as_ptr() as usize, text.len() - start, 0]) };
    exit(0)
}

/// Writes `value` at the end of `text` with at least `least` digits; returns how many it took.
fn decimal(mut value: u64, least: usize, text: &mut [u8]) -> usize {
    let mut digits = 0;
    for place in text.iter_mut().rev() {
        if digits >= least && value == 0 {
            break;
        }
        *place = b'0' + (value % 10) as u8;
        value /= 10;
        digits += 1;
    }
    digits
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(4)
}
