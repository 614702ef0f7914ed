//! What the standard library has no name for, of the C library that it is linked with.

use std::fs::OpenOptions;
use std::io::{self, Error};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd};

unsafe extern "C" {
    fn socket(domain: i32, kind: i32, protocol: i32) -> i32;
    fn ioctl(file: i32, request: i32, ...) -> i32;
}

/// A socket for ICMP as it is: what is sent follows the header of IP, what comes has that.
pub fn icmp() -> io::Result<UdpSocket> {
    const AF_INET: i32 = 2;
    const SOCK_RAW: i32 = 3;
    const IPPROTO_ICMP: i32 = 1;
    // SAFETY: there is no pointer.
    let file = unsafe { socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) };
    if file < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the socket is nobody else's, and takes addresses of IPv4 as one for UDP does.
    Ok(unsafe { UdpSocket::from_raw_fd(file) })
}

/// Credits the kernel's random pool with a fixed seed: without one each system call would draw its random bits the slow way.
pub fn seed() -> io::Result<()> {
    const RNDADDENTROPY: i32 = 0x4008_5203;
    // Bits, bytes, and 64 bytes (struct rand_pool_info).
    let mut pool = [0_u32; 18];
    (pool[0], pool[1], pool[2], pool[3]) = (512, 64, 1, 2);
    let random = OpenOptions::new().read(true).write(true).open("/dev/random")?;
    // SAFETY: the structure is complete, and the kernel reads as much of it as it says.
    let result = unsafe { ioctl(random.as_raw_fd(), RNDADDENTROPY, pool.as_ptr()) };
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}
