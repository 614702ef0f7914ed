//! What a core notes, and its record.

use portcullis_abi::manage;

/// A vCPU: what an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The number of the VM.
    pub vm: usize,
    /// The number of the vCPU in it.
    pub vcpu: usize,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Verdict {
    /// It was answered.
    Answered = manage::TRACE_ANSWERED,
    /// It was refused.
    Refused = manage::TRACE_REFUSED,
    /// It went to EL3.
    Forwarded = manage::TRACE_FORWARDED,
}

/// Why a vCPU has left its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Leave {
    /// It is another one's turn.
    Turn = manage::TRACE_LEAVE_TURN,
    /// It waits for an interrupt.
    Waits = manage::TRACE_LEAVE_WAITS,
    /// It is off.
    Off = manage::TRACE_LEAVE_OFF,
    /// It stands still, with its VM.
    Paused = manage::TRACE_LEAVE_PAUSED,
    /// Its guest has suspended the VM.
    Suspended = manage::TRACE_LEAVE_SUSPENDED,
}

/// What a core notes. Spans of time are in ticks of the physical counter, and end when the event is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The vCPU goes on on the core.
    Enter,
    /// It has left the core.
    Leave(Leave),
    /// It came to EL2, other than by a firmware call.
    Exit {
        /// An index of `EXITS`, or [`manage::TRACE_EXIT_CALLED`].
        cause: u64,
        /// How long EL2 ran.
        span: u64,
        /// ESR_EL2 of an exception; else 0.
        syndrome: u64,
    },
    /// It made a firmware call.
    Call {
        /// What became of it.
        verdict: Verdict,
        /// By SMC, and not by HVC.
        smc: bool,
        /// How long EL2 ran.
        span: u64,
        /// The function identifier.
        function: u32,
    },
    /// Its guest was given an interrupt.
    Interrupt {
        /// The number of the interrupt.
        intid: u32,
    },
    /// EL2 has copied at a link of the VM's.
    Copy {
        /// The link, by its index in `LINK`.
        link: usize,
        /// Bytes.
        bytes: u64,
    },
}

/// As much of a span as a record has room for.
fn cut(span: u64) -> u64 {
    span.min(u32::MAX.into())
}

impl Event {
    /// Its record: `time` is the physical counter when it was noted.
    pub fn record(self, time: u64, Subject { vm, vcpu }: Subject) -> [u64; 3] {
        let (kind, detail, value, more) = match self {
            Self::Enter => (manage::TRACE_ENTER, 0, 0, 0),
            Self::Leave(why) => (manage::TRACE_LEAVE, why as u64, 0, 0),
            Self::Exit { cause, span, syndrome } => (manage::TRACE_EXIT, cause, cut(span), syndrome),
            Self::Call { verdict, smc, span, function } => {
                let detail = verdict as u64 | if smc { manage::TRACE_SMC } else { 0 };
                (manage::TRACE_CALL, detail, cut(span), function.into())
            }
            Self::Interrupt { intid } => (manage::TRACE_INTERRUPT, 0, intid.into(), 0),
            Self::Copy { link, bytes } => (manage::TRACE_COPY, 0, link as u64 & 0xffff, bytes),
        };
        let head = kind | (vm as u64 & 0xff) << 8 | (vcpu as u64 & 0xff) << 16 | (detail & 0xff) << 24 | value << 32;
        [time, head, more]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_all_of_an_event() {
        let of = Subject { vm: 31, vcpu: 7 };
        let record = |event: Event| event.record(99, of);
        assert_eq!(record(Event::Enter), [99, 0x0007_1f01, 0]);
        assert_eq!(record(Event::Leave(Leave::Suspended)), [99, 0x0407_1f02, 0]);
        let exit = Event::Exit { cause: 9, span: 1 << 40, syndrome: 0x9200_0007 };
        assert_eq!(record(exit), [99, 0xffff_ffff_0907_1f03, 0x9200_0007], "a span that does not fit is the longest");
        let call = Event::Call { verdict: Verdict::Refused, smc: true, span: 300, function: 0xc600_0000 };
        assert_eq!(record(call), [99, 300 << 32 | 0x8107_1f04, 0xc600_0000]);
        assert_eq!(record(Event::Interrupt { intid: 27 }), [99, 27 << 32 | 0x0007_1f05, 0]);
        assert_eq!(record(Event::Copy { link: 3, bytes: 1514 }), [99, 3 << 32 | 0x0007_1f06, 1514]);
    }
}
