//! What one core notes.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use portcullis_abi::manage::TRACE_KEPT;
use portcullis_trace::{Event, Read, Ring, Subject};

/// Stands for no vCPU.
const NOBODY: u32 = u32::MAX;

/// A core's records, in cache lines of their own, which that core alone writes while a trace is on.
#[repr(align(64))]
pub struct Tracer {
    ring: Ring,
    /// The number of the ring's that is the first one of the trace.
    first: AtomicU64,
    /// The vCPU that is on the core, as far as is noted.
    here: AtomicU32,
    /// When something was noted last.
    last: AtomicU64,
}

const fn number(Subject { vm, vcpu }: Subject) -> u32 {
    (vm as u32) << 8 | (vcpu as u32 & 0xff)
}

impl Tracer {
    /// A core that has noted nothing. None: there is no memory for it.
    pub fn new() -> Option<Self> {
        let ring = Ring::new(TRACE_KEPT as usize + 1)?;
        Some(Self { ring, first: AtomicU64::new(0), here: AtomicU32::new(NOBODY), last: AtomicU64::new(0) })
    }

    /// A trace begins. To be called while the core notes nothing.
    pub fn begin(&self) {
        self.first.store(self.ring.next(), Ordering::Relaxed);
        self.here.store(NOBODY, Ordering::Relaxed);
    }

    /// Whether `vcpu` is on the core, as far as is noted. To be called on the core.
    pub fn has(&self, vcpu: Subject) -> bool {
        self.here.load(Ordering::Relaxed) == number(vcpu)
    }

    /// Notes what has happened to a vCPU at `time`, which is no earlier than what was noted before. To be called on the core.
    pub fn note(&self, time: u64, of: Subject, event: Event) {
        match event {
            Event::Enter => self.here.store(number(of), Ordering::Relaxed),
            Event::Leave(_) => self.here.store(NOBODY, Ordering::Relaxed),
            _ => {}
        }
        // The counter may have been read a little too early, ahead of what stands in front of that.
        let time = time.max(self.last.load(Ordering::Relaxed));
        self.last.store(time, Ordering::Relaxed);
        self.ring.write(event.record(time, of));
    }

    /// Reads the record with the number `position` of the trace that is on, or was last. What is lost is told by such a number,
    /// too.
    pub fn read(&self, position: u64) -> Read {
        let first = self.first.load(Ordering::Relaxed);
        match position.checked_add(first).map_or(Read::None, |number| self.ring.read(number)) {
            Read::Lost(oldest) => Read::Lost(oldest.saturating_sub(first)),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_numbered_from_the_beginning_of_a_trace() {
        let tracer = Tracer::new().unwrap();
        let of = Subject { vm: 3, vcpu: 1 };
        let leave = Event::Leave(portcullis_trace::Leave::Off);
        for (begins, trace) in [0, 100].into_iter().enumerate() {
            tracer.begin();
            assert!(!tracer.has(of));
            assert_eq!((tracer.read(0), tracer.read(u64::MAX)), (Read::None, Read::None));
            tracer.note(trace + 5, of, Event::Enter);
            assert!(tracer.has(of) && !tracer.has(Subject { vm: 3, vcpu: 0 }));
            tracer.note(trace + 4, of, leave);
            assert!(!tracer.has(of));
            assert_eq!(tracer.read(0), Read::Record(Event::Enter.record(trace + 5, of)), "trace {begins}");
            assert_eq!(tracer.read(1), Read::Record(leave.record(trace + 5, of)), "no time goes back");
            assert_eq!(tracer.read(2), Read::None);
        }
        for _ in 0..TRACE_KEPT {
            tracer.note(300, of, leave);
        }
        assert_eq!(tracer.read(0), Read::Lost(2));
        assert_eq!(tracer.read(2), Read::Record(leave.record(300, of)));
    }
}
