//! A VMM for KVM, as the first program of a Linux: one VM with `/guest.img`, one or two vCPUs (each on the CPU of its
//! number), a GICv3, and a PL011 whose writes are MMIO exits. `cpus=2` as argument gives the second vCPU. A static
//! program without any library, so that the bare-metal compiler can build it.
//!
//! Interfaces: Linux, Documentation/virt/kvm/api.rst and include/uapi/linux/kvm.h.
#![no_std]
#![no_main]

mod kvm;
mod linux;

use core::arch::naked_asm;
use core::ffi::{CStr, c_char};

use kvm::{EXIT_MMIO, Vm};

/// Seconds of virtual time until the host's own boot work is over.
const SETTLE: i64 = 3;
/// Address of the PL011's data register.
const UART: u64 = 0x0900_0000;

/// Entry: the kernel leaves the argument count, then the argument pointers, at the stack pointer.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    naked_asm!("ldr x0, [sp]", "add x1, sp, #8", "b {main}", main = sym main)
}

extern "C" fn main(count: usize, arguments: *const *const c_char) -> ! {
    let mut cpus = 1;
    for index in 1..count {
        // SAFETY: the kernel left `count` pointers to strings that end with a zero.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        if argument == c"cpus=2" {
            cpus = 2;
        }
    }
    linux::mount(c"dev", c"/dev", c"devtmpfs");
    // Without a seed each system call of the host would draw its random bits the slow way.
    linux::seed_random();
    linux::sleep(SETTLE);
    let vm = Vm::create(cpus);
    // SAFETY: there is no second thread yet.
    unsafe { (&raw mut VM).write(Some(vm)) };
    if cpus == 2 {
        linux::start_thread(second);
    }
    run(0)
}

/// The VM, for the second thread.
static mut VM: Option<Vm> = None;

extern "C" fn second() -> ! {
    run(1)
}

/// Runs a vCPU until the guest powers off.
fn run(number: usize) -> ! {
    linux::pin(number);
    // SAFETY: written before there was a second thread, and never again.
    let vm = unsafe { (&raw const VM).read() };
    let vcpu = vm.unwrap_or_else(|| linux::fail(b"vmm: FAILED: no VM\n")).vcpu(number);
    let mut line = Line { bytes: [0; 512], used: 0 };
    loop {
        let reason = vcpu.run();
        if reason != EXIT_MMIO {
            linux::write(if reason == kvm::EXIT_SYSTEM_EVENT {
                b"vmm: the guest is off\n"
            } else {
                b"vmm: FAILED: an exit\n"
            });
            linux::power_off();
        }
        match vcpu.written() {
            Some((UART, byte)) => line.push(byte),
            Some(_) => {}
            None => vcpu.answer_zero(),
        }
    }
}

/// A line of the guest's.
struct Line {
    bytes: [u8; 512],
    used: usize,
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.used) {
            *place = byte;
            self.used += 1;
        }
        if byte == b'\n' {
            linux::write(self.bytes.get(..self.used).unwrap_or_default());
            self.used = 0;
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    linux::fail(b"vmm: FAILED: panic\n")
}
