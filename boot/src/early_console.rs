//! The serial port that the image itself names, if somebody has written one into it.

use core::ptr;

use portcullis_core::serial::SERIAL;
use portcullis_platform::assemble;
use portcullis_platform::driver::DrivenDevice;
use portcullis_platform::early_console::Record;

use crate::early;

/// Where the scripts write it, in the file.
#[used]
static RECORD: Record = Record::NONE;

/// That port.
pub fn port() -> Option<DrivenDevice> {
    // SAFETY: it is this static; that it was written to in the file is not known to the compiler.
    unsafe { ptr::read_volatile(&raw const RECORD) }.port()
}

/// Has it be the console from now on, and says so. To be called with the early map.
pub fn connect(tree: usize) {
    let Some(port) = port() else { return };
    early::map_devices(port.registers.start);
    // SAFETY: whoever wrote it into the image says that the port is there; it is mapped.
    if let Some(serial) = unsafe { assemble::serial_at(&port) } {
        SERIAL.connect(serial);
        log::info!("early console: {} at {:#x}; x0 is {tree:#x}", port.driver.name, port.registers.start);
    }
}
