//! What the program asks of Linux.

use core::arch::asm;

/// Numbers of the system calls used here (arm64 has the generic table, asm-generic/unistd.h).
mod number {
    pub const WRITE: usize = 64;
    pub const PPOLL: usize = 73;
    pub const EXIT: usize = 93;
    pub const CLOCK_GETTIME: usize = 113;
}

/// CLOCK_MONOTONIC (linux/time.h).
const MONOTONIC: usize = 1;
/// POLLIN (asm-generic/poll.h). That there is nobody at the other end any more is told without being asked for.
const READABLE: i16 = 1;
/// How long standard input is waited for.
const PAUSE: Timespec = Timespec { seconds: 0, nanoseconds: 1_000_000 };

/// `struct timespec` of a 64-bit kernel.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// `struct pollfd`.
#[repr(C)]
struct Waited {
    file: i32,
    asked: i16,
    told: i16,
}

/// Makes a Linux system call.
///
/// # Safety
///
/// The arguments must be what the call asks for; pointers among them must be valid for what the kernel does with them.
unsafe fn system_call(number: usize, arguments: [usize; 5]) -> isize {
    let result;
    let [a, b, c, d, e] = arguments;
    // SAFETY: the kernel changes no register but x0; what it does to memory is the caller's promise.
    unsafe {
        asm!("svc #0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c, in("x3") d, in("x4") e,
            options(nostack));
    }
    result
}

/// Ends the program.
pub fn exit(status: usize) -> ! {
    loop {
        // SAFETY: exit takes no pointer.
        unsafe { system_call(number::EXIT, [status, 0, 0, 0, 0]) };
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
pub fn monotonic() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `time` is a timespec that outlives the call.
    match unsafe { system_call(number::CLOCK_GETTIME, [MONOTONIC, &raw mut time as usize, 0, 0, 0]) } {
        0 => time.seconds.unsigned_abs() * 1_000_000_000 + time.nanoseconds.unsigned_abs(),
        _ => exit(1),
    }
}

/// Whether standard input has ended, or something came, within a millisecond.
pub fn input_ends() -> bool {
    let mut input = Waited { file: 0, asked: READABLE, told: 0 };
    // The kernel may write what is left.
    let mut pause = PAUSE;
    let arguments = [&raw mut input as usize, 1, &raw mut pause as usize, 0, 0];
    // SAFETY: both pointers are to what outlives the call, the first one to as many as it says; no signal is masked.
    match unsafe { system_call(number::PPOLL, arguments) } {
        ready if ready >= 0 => ready != 0,
        _ => exit(2),
    }
}

/// Writes to standard output.
pub fn write(text: &[u8]) {
    // SAFETY: the pointer and the length are those of `text`.
    unsafe { system_call(number::WRITE, [1, text.as_ptr() as usize, text.len(), 0, 0]) };
}
