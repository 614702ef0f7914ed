//! The firmware's console (UEFI 12.4).

use core::fmt::{self, Write};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use uefi_raw::protocol::console::SimpleTextOutputProtocol;

use super::calls::with_platform;

/// Characters that are handed over at once.
const PIECE: usize = 64;

/// The console, for as long as it may be written to.
static OPEN: AtomicPtr<SimpleTextOutputProtocol> = AtomicPtr::new(ptr::null_mut());

/// Opens the console behind `protocol`, which may be null.
///
/// # Safety
///
/// It must be the firmware's, and boot services last until it is closed.
pub unsafe fn open(protocol: *mut SimpleTextOutputProtocol) {
    OPEN.store(protocol, Ordering::Relaxed);
}

/// Closes the console: boot services are about to be left.
pub fn close() {
    OPEN.store(ptr::null_mut(), Ordering::Relaxed);
}

/// Writes a line to the console, if it is open. Whether it is.
pub fn say(line: fmt::Arguments<'_>) -> bool {
    let protocol = OPEN.load(Ordering::Relaxed);
    if protocol.is_null() {
        return false;
    }
    let mut console = Console { protocol, piece: [0; PIECE], length: 0 };
    _ = write!(console, "portcullis: {line}\r\n");
    console.flush();
    true
}

/// Text on its way to the console.
struct Console {
    protocol: *mut SimpleTextOutputProtocol,
    piece: [u16; PIECE],
    length: usize,
}

impl Console {
    /// Writes what is there.
    fn flush(&mut self) {
        if let Some(end) = self.piece.get_mut(self.length) {
            *end = 0;
        }
        if self.length != 0 {
            // SAFETY: the console is open; the text ends in a zero. Of a failure nobody could be told.
            _ = unsafe { with_platform((*self.protocol).output_string)(self.protocol, self.piece.as_ptr()) };
        }
        self.length = 0;
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.encode_utf16() {
            // The last place is the zero's.
            if self.length + 1 >= PIECE {
                self.flush();
            }
            if let Some(slot) = self.piece.get_mut(self.length) {
                *slot = character;
                self.length += 1;
            }
        }
        Ok(())
    }
}
