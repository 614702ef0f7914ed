//! The image as an EFI application: its header, its entry, and the firmware behind [`portcullis_efi`]'s decisions.

mod calls;
pub mod console;
mod files;
mod firmware;
mod tables;

use core::cell::UnsafeCell;
use core::mem::{MaybeUninit, offset_of};

use portcullis_efi::{Firmware, Handover, Refusal};
use uefi_raw::table::system::SystemTable;
use uefi_raw::{Handle, Status};

use self::firmware::Efi;
use crate::image;

core::arch::global_asm!(include_str!("header.S"));
core::arch::global_asm!(
    include_str!("entry.S"),
    HANDOVER = sym HANDOVER,
    TREE = const offset_of!(Handover, tree),
    REGISTERS = sym calls::REGISTERS,
    PLATFORM = const offset_of!(calls::Registers, platform),
    THREAD = const offset_of!(calls::Registers, thread),
);

/// What the hypervisor finds when EFI has started it. It lies outside of what the entry fills with zeros.
#[repr(transparent)]
struct Place(UnsafeCell<MaybeUninit<Handover>>);

// SAFETY: it is written once, by the only core that runs then, before anybody reads it.
unsafe impl Sync for Place {}

#[unsafe(link_section = ".handover")]
static HANDOVER: Place = Place(UnsafeCell::new(MaybeUninit::uninit()));

/// What EFI firmware starts, relocated, on its stack. Zero: boot services are left, and the entry goes on to the hypervisor. Else
/// nothing was started, and this is what the firmware is told.
///
/// # Safety
///
/// The arguments are those that EFI firmware starts an application with.
#[unsafe(no_mangle)]
unsafe extern "C" fn portcullis_efi(handle: Handle, table: *mut SystemTable) -> Status {
    // SAFETY: passed on to the caller.
    let mut firmware = unsafe { Efi::new(handle, table) };
    let result = match firmware.start_heap() {
        Ok(()) => portcullis_efi::start(&mut firmware, image::whole()),
        Err(_) => Err(Refusal::NoHeap(firmware::HEAP as u64)),
    };
    match result {
        Ok(handover) => {
            // SAFETY: nobody else runs yet.
            unsafe { HANDOVER.0.get().write(MaybeUninit::new(handover)) };
            Status::SUCCESS
        }
        Err(refusal) => {
            if refusal.can_be_said() {
                firmware.say(format_args!("{refusal}: nothing was started"));
            }
            firmware.free();
            refusal.status()
        }
    }
}
