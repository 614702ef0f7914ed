//! System calls of Linux (arm64 has the generic table, asm-generic/unistd.h).

use core::arch::{asm, global_asm};
use core::ffi::CStr;

const MOUNT: usize = 40;
const IOCTL: usize = 29;
const OPENAT: usize = 56;
const READ: usize = 63;
const WRITE: usize = 64;
const NANOSLEEP: usize = 101;
const SCHED_SETAFFINITY: usize = 122;
const REBOOT: usize = 142;
const MMAP: usize = 222;
const MKDIRAT: usize = 34;

const AT_FDCWD: usize = -100isize as usize;
const O_RDWR: usize = 2;
/// EINTR, negated.
const INTERRUPTED: isize = -4;

/// Makes a system call.
///
/// # Safety
///
/// The arguments must be what the call asks for; pointers among them must be valid for what the kernel does with them.
unsafe fn call(number: usize, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let result;
    // SAFETY: the kernel changes no register but x0; what it does to memory is the caller's promise.
    unsafe {
        asm!("svc #0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c, in("x3") d, in("x4") e,
            in("x5") f, options(nostack));
    }
    result
}

// clone(2) with CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, which the child leaves for x1.
global_asm!(
    ".section .text.vmm_clone, \"ax\"",
    "vmm_clone:",
    "mov x9, x1",
    "mov x1, x0",
    "mov x0, #0x0f00",
    "movk x0, #1, lsl #16",
    "mov x2, #0",
    "mov x3, #0",
    "mov x4, #0",
    "mov x8, #220",
    "svc #0",
    "cbz x0, 1f",
    "ret",
    "1: blr x9",
);

unsafe extern "C" {
    fn vmm_clone(stack: *mut u8, entry: extern "C" fn() -> !) -> isize;
}

#[repr(align(16))]
struct Stack(#[expect(dead_code, reason = "the kernel hands it to the thread")] [u8; 16384]);

static mut STACK: Stack = Stack([0; 16384]);

/// Starts the one further thread, which shares everything.
pub fn start_thread(entry: extern "C" fn() -> !) {
    // SAFETY: called once, so the stack is this thread's alone; it grows down from its end.
    let result = unsafe { vmm_clone((&raw mut STACK).add(1).cast(), entry) };
    if result < 0 {
        fail(b"vmm: FAILED: clone\n");
    }
}

/// Says why it cannot go on, and powers the machine off.
pub fn fail(text: &[u8]) -> ! {
    write(text);
    power_off()
}

/// Writes to standard output.
pub fn write(text: &[u8]) {
    // SAFETY: the pointer and the length are those of `text`.
    unsafe { call(WRITE, [1, text.as_ptr() as usize, text.len(), 0, 0, 0]) };
}

/// Powers the machine off.
pub fn power_off() -> ! {
    loop {
        // SAFETY: no pointers; the numbers are those of reboot(2), LINUX_REBOOT_CMD_POWER_OFF last.
        unsafe { call(REBOOT, [0xfee1_dead, 0x2812_1969, 0x4321_fedc, 0, 0, 0]) };
    }
}

/// Makes a folder and mounts a file system there.
pub fn mount(source: &CStr, target: &CStr, kind: &CStr) {
    // SAFETY: strings that end with a zero and outlive the calls. What exists or is mounted already is as good.
    unsafe {
        call(MKDIRAT, [AT_FDCWD, target.as_ptr() as usize, 0o755, 0, 0, 0]);
        call(MOUNT, [source.as_ptr() as usize, target.as_ptr() as usize, kind.as_ptr() as usize, 0, 0, 0]);
    }
}

/// Opens a file for reading and writing; fails with `what`.
pub fn open(path: &CStr, what: &[u8]) -> usize {
    // SAFETY: a string that ends with a zero.
    expect(unsafe { call(OPENAT, [AT_FDCWD, path.as_ptr() as usize, O_RDWR, 0, 0, 0]) }, what)
}

/// The result of a call that must not fail.
pub fn expect(result: isize, what: &[u8]) -> usize {
    usize::try_from(result).unwrap_or_else(|_| fail(what))
}

/// ioctl(2), again when a signal interrupts it.
///
/// # Safety
///
/// As the request asks.
pub unsafe fn ioctl(file: usize, request: usize, argument: usize) -> isize {
    loop {
        // SAFETY: the caller's promise.
        let result = unsafe { call(IOCTL, [file, request, argument, 0, 0, 0]) };
        if result != INTERRUPTED {
            return result;
        }
    }
}

/// Shared memory that can be read and written: of a file, or zeros if there is none.
pub fn map(file: Option<usize>, size: usize) -> *mut u8 {
    const READ_WRITE: usize = 3;
    const SHARED: usize = 1;
    const ANONYMOUS: usize = 0x20;
    let (flags, file) = file.map_or((SHARED | ANONYMOUS, usize::MAX), |file| (SHARED, file));
    // SAFETY: the kernel chooses an address that nothing else has.
    expect(unsafe { call(MMAP, [0, size, READ_WRITE, flags, file, 0]) }, b"vmm: FAILED: mmap\n") as *mut u8
}

/// Reads from a file into memory of at least `size` bytes.
///
/// # Safety
///
/// The memory must be there and in no other use.
pub unsafe fn read(file: usize, to: *mut u8, size: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { call(READ, [file, to as usize, size, 0, 0, 0]) }
}

/// Sleeps.
pub fn sleep(seconds: i64) {
    let time = [seconds, 0];
    // SAFETY: a timespec of a 64-bit kernel; no rest is asked for.
    unsafe { call(NANOSLEEP, [time.as_ptr() as usize, 0, 0, 0, 0, 0]) };
}

/// Keeps this thread on one CPU.
pub fn pin(cpu: usize) {
    let mask = 1u64 << cpu;
    // SAFETY: a mask of 8 bytes for this thread.
    unsafe { call(SCHED_SETAFFINITY, [0, 8, &raw const mask as usize, 0, 0, 0]) };
}

/// Credits the kernel's random pool with a fixed seed.
pub fn seed_random() {
    const RNDADDENTROPY: usize = 0x4008_5203;
    // Bits, bytes, and 64 bytes (struct rand_pool_info).
    let mut pool = [0u32; 18];
    (pool[0], pool[1], pool[2], pool[3]) = (512, 64, 1, 2);
    let file = open(c"/dev/random", b"vmm: FAILED: /dev/random\n");
    // SAFETY: the structure is complete.
    expect(unsafe { ioctl(file, RNDADDENTROPY, pool.as_ptr() as usize) }, b"vmm: FAILED: RNDADDENTROPY\n");
}
