//! The firmware's tables: what the configuration table lists, and the protocols of a handle.

use core::ffi::c_void;
use core::ptr;

use uefi_raw::table::boot::BootServices;
use uefi_raw::table::system::SystemTable;
use uefi_raw::{Guid, Handle, Status};

use super::calls::with_platform;

/// Where the configuration table has the table `guid`; null if it has none.
///
/// # Safety
///
/// `table` must be the firmware's system table.
pub unsafe fn find(table: &SystemTable, guid: Guid) -> *const u8 {
    let (first, count) = (table.configuration_table, table.number_of_configuration_table_entries);
    if first.is_null() {
        return ptr::null();
    }
    // SAFETY: passed on to the caller; so many entries follow each other (UEFI 4.6).
    let entries = unsafe { core::slice::from_raw_parts(first, count) };
    entries.iter().find(|entry| entry.vendor_guid == guid).map_or(ptr::null(), |entry| entry.vendor_table.cast())
}

/// The protocol `guid` of `handle`; null if it has none.
///
/// # Safety
///
/// `boot` must be the firmware's, and boot services not be left.
pub unsafe fn protocol(boot: &BootServices, handle: Handle, guid: Guid) -> *mut c_void {
    let mut interface = ptr::null_mut();
    // SAFETY: passed on to the caller.
    let status = unsafe { with_platform(boot.handle_protocol)(handle, &guid, &mut interface) };
    if status == Status::SUCCESS { interface } else { ptr::null_mut() }
}
