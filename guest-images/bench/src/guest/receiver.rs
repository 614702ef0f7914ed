//! The second vCPU: answers interrupts, spinning or in WFI. The MMU is off, so its words are shared without more ado.

use core::arch::asm;
use core::ptr;

/// Words between the two vCPUs.
pub struct Receiver {
    answer: u32,
    stop: u32,
    idle: u32,
    ready: u32,
}

static mut RECEIVER: Receiver = Receiver { answer: 0, stop: 0, idle: 0, ready: 0 };

unsafe extern "C" {
    fn receive_spinning(answer: *mut u32, stop: *const u32);
    fn receive_idle(answer: *mut u32, stop: *const u32);
}

impl Receiver {
    /// Address of the word that an answer sets.
    pub fn answer() -> u64 {
        (&raw const RECEIVER) as u64 + core::mem::offset_of!(Self, answer) as u64
    }

    /// Waits for the second vCPU.
    pub fn wait() {
        // SAFETY: the word lives as long as the program.
        while unsafe { ptr::read_volatile(&raw const RECEIVER.ready) } == 0 {
            pause();
        }
    }

    /// Makes the second vCPU wait in WFI from now on.
    pub fn go_idle() {
        // SAFETY: as above; the other vCPU reads these words only.
        unsafe {
            (&raw mut RECEIVER.idle).write_volatile(1);
            (&raw mut RECEIVER.ready).write_volatile(0);
            (&raw mut RECEIVER.stop).write_volatile(1);
        }
        Self::wait();
    }
}

/// What the second vCPU does.
pub fn receive() -> ! {
    loop {
        // SAFETY: the words live as long as the program; the functions write to the answer only.
        unsafe {
            (&raw mut RECEIVER.stop).write_volatile(0);
            asm!("dsb sy");
            (&raw mut RECEIVER.ready).write_volatile(1);
            let receive = if (&raw const RECEIVER.idle).read_volatile() == 0 { receive_spinning } else { receive_idle };
            receive(&raw mut RECEIVER.answer, &raw const RECEIVER.stop);
        }
    }
}

/// Under icount it lets QEMU run the other vCPU.
fn pause() {
    // SAFETY: a hint.
    unsafe { asm!("yield", options(nomem, nostack)) };
}
