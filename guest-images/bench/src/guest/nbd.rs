//! A server of a disk at a serial port: NBD's fixed newstyle handshake with NBD_OPT_GO, and simple replies to reads, each written
//! as servers do: its header, then its data, of which Linux takes 32 KiB at a time.

use crate::guest::ports::Ports;
use crate::transfers::{self, DISK};

/// Bytes that Linux takes from a program at once.
const AT_ONCE: usize = 32 << 10;
/// Bytes of a request, without data.
const REQUEST: usize = 28;
/// "NBDMAGIC", "IHAVEOPT", and fixed newstyle without zeros.
const GREETING: &[u8] = b"NBDMAGICIHAVEOPT\0\x03";
/// Replies to NBD_OPT_GO: an export of [`DISK`] bytes that is only read, and that it is agreed on.
const AGREED: &[u8] = b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x07\0\0\0\x03\0\0\0\x0c\0\0\0\0\0\0\0\x01\0\0\0\x03\
    \0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x07\0\0\0\x01\0\0\0\0";

static mut DATA: [u8; DISK] = [0; DISK];
/// Headers of replies, one after the other.
static mut HEADERS: [[u8; 16]; 16] = [[0; 16]; 16];

/// The server.
pub struct Server {
    port: usize,
    data: &'static [u8],
    agreed: bool,
    replies: usize,
}

impl Server {
    /// The server at a port, which begins to speak.
    pub fn begin(ports: &mut Ports, port: usize) -> Self {
        let data = &raw mut DATA;
        // SAFETY: there is one server, and one vCPU runs.
        let data = unsafe { &mut *data };
        data.iter_mut().enumerate().for_each(|(at, place)| *place = transfers::byte(at));
        ports.send(port, GREETING);
        Self { port, data, agreed: false, replies: 0 }
    }

    /// Answers what came by its port.
    pub fn hear(&mut self, ports: &mut Ports, bytes: &[u8]) {
        if !self.agreed {
            self.agreed = ports.send(self.port, AGREED);
            return;
        }
        for request in bytes.chunks_exact(REQUEST) {
            self.answer(ports, request);
        }
    }

    fn answer(&mut self, ports: &mut Ports, request: &[u8]) {
        let word = |at: usize| request.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        let cookie: [u8; 8] = word(8);
        let (offset, length) = (u64::from_be_bytes(word(16)) as usize, u64::from_be_bytes(word(20)) as u32 as usize);
        let headers = (&raw mut HEADERS).cast::<[u8; 16]>();
        // SAFETY: there are so many, and one that comes round was taken: there are no more requests than that.
        let header = unsafe { &mut *headers.wrapping_add(self.replies % 16) };
        self.replies += 1;
        header[..8].copy_from_slice(b"\x67\x44\x66\x98\0\0\0\0");
        header[8..].copy_from_slice(&cookie);
        ports.send(self.port, header);
        let data = self.data.get(offset..).and_then(|rest| rest.get(..length)).unwrap_or_default();
        data.chunks(AT_ONCE).for_each(|part| _ = ports.send(self.port, part));
    }
}
