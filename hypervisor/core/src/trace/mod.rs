//! A trace: what cores note of the vCPUs that they run, switched on and off while the machine runs.
//!
//! Nothing of it lies on a way that is taken while it is off. A core that is to note something has its vCPUs' traps served by
//! other handlers, and their calls by the gate in Rust (`run::follow`); each core changes over by itself, when it is called. The
//! memory for records is taken when a trace is switched on for the first time, and kept.

mod tracer;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use portcullis_gate::fast_table::Answers;
use portcullis_trace::Read;
use spin::{Mutex, Once};

pub use self::tracer::Tracer;

/// The table of a VM that is followed: all its calls are the gate's in Rust. There is one, which nobody writes any more.
static ASKS: Once<Vec<Answers>> = Once::new();

/// The table that has the gate in Rust see every call, if a trace was on ever.
pub fn answers() -> Option<&'static Answers> {
    ASKS.get()?.first()
}

/// Makes that table. False: there is no memory for it.
fn make_answers() -> bool {
    if answers().is_some() {
        return true;
    }
    let mut table = Vec::new();
    if table.try_reserve_exact(1).is_err() {
        return false;
    }
    table.push(Answers::new());
    table.iter().for_each(|table: &Answers| table.close(true));
    ASKS.call_once(|| table);
    true
}

/// Whether a trace is on, and what cores have noted.
pub struct Trace {
    /// Held by who switches it.
    switch: Mutex<()>,
    on: AtomicBool,
    /// The VMs of the trace that is on, or was last, a bit each.
    vms: AtomicU32,
    /// Cores that have yet to follow the last switch, a bit each.
    behind: AtomicU32,
    /// The physical counter when it was switched on last.
    since: AtomicU64,
    tracers: Once<Box<[Tracer]>>,
}

/// Why a trace was not switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchError {
    /// It is so already.
    Already,
    /// Somebody else is about to, or cores have yet to follow the last switch.
    Busy,
    /// There is no memory for the records.
    NoMemory,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is on.
    pub on: bool,
    /// The VMs, a bit each.
    pub vms: u32,
    /// Cores that have yet to follow, a bit each.
    pub behind: u32,
    /// The physical counter when it was switched on last.
    pub since: u64,
}

/// The bit of a core, or of a VM.
fn bit(number: usize) -> u32 {
    1u32.checked_shl(number as u32).unwrap_or(0)
}

impl Trace {
    /// None is on, and none was.
    pub const fn new() -> Self {
        Self {
            switch: Mutex::new(()),
            on: AtomicBool::new(false),
            vms: AtomicU32::new(0),
            behind: AtomicU32::new(0),
            since: AtomicU64::new(0),
            tracers: Once::new(),
        }
    }

    /// Switches it on for the VMs `vms`, a bit each, at `now`, on a machine with `all` cores of which `cores` follow, a bit each.
    /// `tell` tells the VMs, before any core follows.
    ///
    /// # Errors
    ///
    /// [`SwitchError`].
    pub fn switch_on(
        &self,
        vms: u32,
        now: u64,
        all: usize,
        cores: u32,
        tell: impl FnOnce(),
    ) -> Result<(), SwitchError> {
        let _switch = self.take_switch(false)?;
        for tracer in self.take_memory(all)? {
            tracer.begin();
        }
        self.vms.store(vms, Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
        self.behind.store(cores, Ordering::Relaxed);
        self.on.store(true, Ordering::Release);
        tell();
        Ok(())
    }

    /// Switches it off; `cores` and `tell` as for [`switch_on`](Self::switch_on).
    ///
    /// # Errors
    ///
    /// [`SwitchError`].
    pub fn switch_off(&self, cores: u32, tell: impl FnOnce()) -> Result<(), SwitchError> {
        let _switch = self.take_switch(true)?;
        self.behind.store(cores, Ordering::Relaxed);
        self.on.store(false, Ordering::Release);
        tell();
        Ok(())
    }

    /// The right to switch it, if it is `on` or off as expected.
    fn take_switch(&self, on: bool) -> Result<impl Sized + '_, SwitchError> {
        let switch = self.switch.try_lock().ok_or(SwitchError::Busy)?;
        match () {
            () if self.on.load(Ordering::Relaxed) != on => Err(SwitchError::Already),
            // What a core notes yet belongs to the one before.
            () if self.behind.load(Ordering::Acquire) != 0 => Err(SwitchError::Busy),
            () => Ok(switch),
        }
    }

    fn take_memory(&self, cores: usize) -> Result<&[Tracer], SwitchError> {
        if let Some(tracers) = self.tracers.get() {
            return Ok(tracers);
        }
        if !make_answers() {
            return Err(SwitchError::NoMemory);
        }
        let mut made = Vec::new();
        made.try_reserve_exact(cores).map_err(|_| SwitchError::NoMemory)?;
        for _ in 0..cores {
            made.push(Tracer::new().ok_or(SwitchError::NoMemory)?);
        }
        Ok(self.tracers.call_once(|| made.into_boxed_slice()))
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        // Who sees that no core is behind sees all that they have noted.
        let behind = self.behind.load(Ordering::Acquire);
        let [on, vms] = [u32::from(self.on.load(Ordering::Acquire)), self.vms.load(Ordering::Relaxed)];
        Standing { on: on != 0, vms, behind, since: self.since.load(Ordering::Relaxed) }
    }

    /// Whether the VM with the number `vm` is to be followed.
    pub fn follows(&self, vm: usize) -> bool {
        self.on.load(Ordering::Acquire) && self.vms.load(Ordering::Relaxed) & bit(vm) != 0
    }

    /// Core `core`, this one, has followed the last switch.
    pub fn has_followed(&self, core: usize) {
        self.behind.fetch_and(!bit(core), Ordering::Release);
    }

    /// The physical counter when it was switched on last.
    pub fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    /// What core `core` notes; none: no trace was ever on.
    pub fn tracer(&self, core: usize) -> Option<&Tracer> {
        self.tracers.get()?.get(core)
    }

    /// Reads what core `core` has noted as the record with the number `position`, since the trace was switched on last.
    pub fn read(&self, core: usize, position: u64) -> Read {
        self.tracer(core).map_or(Read::None, |tracer| tracer.read(position))
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(trace: &Trace) -> Result<(), SwitchError> {
        trace.switch_on(0b10, 77, 3, 0b101, || ())
    }

    #[test]
    fn it_is_switched_in_turns_when_all_cores_have_followed() {
        let trace = Trace::new();
        assert_eq!(trace.switch_off(0b101, || panic!("it is off")), Err(SwitchError::Already));
        assert!(trace.tracer(0).is_none() && !trace.follows(1));
        assert_eq!(trace.read(0, 0), Read::None);
        assert_eq!(on(&trace), Ok(()));
        assert_eq!(trace.standing(), Standing { on: true, vms: 0b10, behind: 0b101, since: 77 });
        assert_eq!([0, 1, 2, 31, 32, 64].map(|vm| trace.follows(vm)), [false, true, false, false, false, false]);
        assert_eq!(on(&trace), Err(SwitchError::Already));
        assert_eq!(trace.switch_off(0b101, || panic!("cores are behind")), Err(SwitchError::Busy));
        trace.has_followed(2);
        assert_eq!(trace.standing().behind, 1);
        trace.has_followed(0);
        assert_eq!(trace.switch_off(0b100, || ()), Ok(()));
        assert!(!trace.follows(1));
        assert_eq!(on(&trace), Err(SwitchError::Busy));
        trace.has_followed(2);
        assert_eq!(on(&trace), Ok(()));
        assert!(trace.tracer(2).is_some() && trace.tracer(3).is_none());
    }

    #[test]
    fn who_switches_it_keeps_others_from_that() {
        let trace = Trace::new();
        let told = trace.switch_on(1, 0, 1, 0, || assert_eq!(trace.switch_off(0, || ()), Err(SwitchError::Busy)));
        assert_eq!((told, trace.standing().on), (Ok(()), true));
    }
}
