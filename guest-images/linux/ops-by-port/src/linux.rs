//! The VM around the shell's commands, where it is a Linux: management calls by the port, time by the kernel.

use std::sync::atomic::AtomicU8;
use std::thread;
use std::time::{Duration, Instant};

use controls::calls::Calls;
use controls::status::Status;
use manager::port::Port;
use ops_shell::manager::{Answer, Cancelled, Conduit, Manager};
use portcullis_abi::manage::{SAVE, TRANSFER_END};

/// A Linux with the port.
pub struct Linux {
    port: Port,
    start: Instant,
}

impl Linux {
    /// With the port, which it keeps.
    pub fn new(port: Port) -> Self {
        Self { port, start: Instant::now() }
    }

    /// A counter of the machine's.
    fn system(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Calls for Linux {
    type Error = Status;

    fn call(&mut self, function: u32, arguments: [u64; 3]) -> Result<[u64; 3], Status> {
        self.ask(function, arguments).result()
    }
}

impl Manager for Linux {
    /// A port that fails is no status: the test is over then, and says why.
    fn ask(&mut self, function: u32, [x1, x2, x3]: [u64; 3]) -> Answer {
        match self.port.ask([function.into(), x1, x2, x3]) {
            Ok([status, values @ ..]) => Answer { status: status.cast_signed(), values },
            Err(error) => {
                println!("ops: panic: {error}");
                std::process::exit(1);
            }
        }
    }

    /// A process makes no firmware calls: what is asked for goes by the port, too.
    fn firmware_call(&mut self, _: Conduit, function: u32, arguments: [u64; 3]) -> Answer {
        self.ask(function, arguments)
    }

    /// A stream goes through the caller's memory, and a process has no address of its VM's: by the port nobody saves or restores.
    fn can_make(&self, function: u32) -> bool {
        !(SAVE..=TRANSFER_END).contains(&function)
    }

    fn counter(&self) -> u64 {
        self.system()
    }

    fn physical_counter(&self) -> u64 {
        self.system()
    }

    /// Nanoseconds.
    fn frequency(&self) -> u64 {
        1_000_000_000
    }

    fn sleep(&mut self, microseconds: u64) -> Result<(), Cancelled> {
        thread::sleep(Duration::from_micros(microseconds));
        Ok(())
    }

    /// A stream goes through memory of the caller's VM, which a process does not name by address.
    fn buffer(&self) -> &'static [AtomicU8] {
        &[]
    }
}
