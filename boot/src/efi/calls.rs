//! Calls of the firmware's functions, with its own values in the registers that are the platform's.

use core::cell::UnsafeCell;
use core::mem::offset_of;

core::arch::global_asm!(
    include_str!("calls.S"),
    REGISTERS = sym REGISTERS,
    FUNCTION = const offset_of!(Registers, function),
    THREAD = const offset_of!(Registers, thread),
);

/// What a call needs that compiled code does not keep. The entry writes the firmware's own values.
#[repr(C)]
pub struct Registers {
    /// The function to be called; assembly reads it together with `platform`.
    function: u64,
    /// x18.
    pub platform: u64,
    /// TPIDR_EL2.
    pub thread: u64,
}

/// The one of them.
#[repr(transparent)]
pub struct Place(UnsafeCell<Registers>);

// SAFETY: one core runs as long as the firmware is there.
unsafe impl Sync for Place {}

/// The firmware's registers.
pub static REGISTERS: Place = Place(UnsafeCell::new(Registers { function: 0, platform: 0, thread: 0 }));

unsafe extern "C" {
    fn portcullis_efi_call();
}

/// A function of the firmware's, as it is to be called: at once, and with arguments that all fit into registers. `F` is a
/// function pointer.
///
/// # Safety
///
/// As for `function` itself; and nobody calls another one before this one was called.
pub unsafe fn with_platform<F: Copy>(function: F) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    let way: unsafe extern "C" fn() = portcullis_efi_call;
    // SAFETY: both are function pointers; the way leaves arguments and result of the function as they are. Assembly reads what is
    // written here, and nobody else.
    unsafe {
        (&raw mut (*REGISTERS.0.get()).function)
            .write_volatile(core::mem::transmute_copy::<F, usize>(&function) as u64);
        core::mem::transmute_copy(&way)
    }
}
