//! The VM that the shell runs in.

use core::sync::atomic::AtomicU8;

use controls::calls::Calls;
use controls::status::Status;
use guest_runtime::call::{Immediate, Registers, call};
use guest_runtime::{counter, power, tree};
use ops_shell::manager::{Answer, Cancelled, Conduit, Manager};

use crate::keyboard;

/// Bytes of the memory for a stream.
const STREAM: usize = if cfg!(feature = "testing") { 2 << 20 } else { 0 };
/// The memory for a stream.
static BUFFER: [AtomicU8; STREAM] = [const { AtomicU8::new(0) }; STREAM];

/// This VM.
pub struct Vm;

impl Calls for Vm {
    type Error = Status;

    fn call(&mut self, function: u32, arguments: [u64; 3]) -> Result<[u64; 3], Status> {
        self.ask(function, arguments).result()
    }
}

impl Manager for Vm {
    fn ask(&mut self, function: u32, arguments: [u64; 3]) -> Answer {
        make(power::conduit(), function, arguments)
    }

    fn firmware_call(&mut self, conduit: Conduit, function: u32, arguments: [u64; 3]) -> Answer {
        let conduit = match conduit {
            Conduit::Hvc => power::Conduit::Hvc,
            Conduit::Smc => power::Conduit::Smc,
        };
        make(conduit, function, arguments)
    }

    fn counter(&self) -> u64 {
        counter::virtual_count()
    }

    fn physical_counter(&self) -> u64 {
        counter::physical_count()
    }

    fn frequency(&self) -> u64 {
        counter::frequency()
    }

    fn sleep(&mut self, microseconds: u64) -> Result<(), Cancelled> {
        if keyboard::sleep(microseconds) { Ok(()) } else { Err(Cancelled) }
    }

    fn buffer(&self) -> &'static [AtomicU8] {
        &BUFFER
    }

    fn handed(&self) -> &'static [AtomicU8] {
        let address = |name| Some(u64::from_be_bytes(tree::property("/chosen", name)?.try_into().ok()?));
        let Some((start, end)) = address("linux,initrd-start").zip(address("linux,initrd-end")) else { return &[] };
        let length = end.saturating_sub(start) as usize;
        // SAFETY: EL2 has put the RAM disk there, in this VM's RAM, where nothing else is; whoever uses it does by atomics.
        unsafe { core::slice::from_raw_parts(start as *const AtomicU8, length) }
    }
}

fn make(conduit: power::Conduit, function: u32, [x1, x2, x3]: [u64; 3]) -> Answer {
    let mut x = [0; 31];
    (x[0], x[1], x[2], x[3]) = (u64::from(function), x1, x2, x3);
    let mut registers = Registers::new(x);
    call(conduit, Immediate::Zero, &mut registers);
    let [status, values @ .., _] = registers.x.first_chunk::<5>().copied().unwrap_or_default();
    Answer { status: status as i64, values }
}
