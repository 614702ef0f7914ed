//! A vCPU that a trace follows comes to EL2, and goes on or leaves its core.

use core::sync::atomic::Ordering;

use portcullis_abi::manage::{TRACE_EXIT_CALLED, TRACE_READ, TRACE_SET};
use portcullis_arch::account::{EXITS, Exit};
use portcullis_arch::{timer, vectors::Next};
use portcullis_gate::{self as gate, Service};
use portcullis_trace::{Event, Leave, Subject, Verdict};
use portcullis_vgic::Left;

use crate::cpu::gic::VirtualControl;
use crate::machine::Machine;
use crate::trace::Tracer;
use crate::vm::Vcpu;
use crate::vm::off_core::OffCore;
use crate::vm::power::PowerState;
use crate::with_interface;

/// What the vCPU has come for.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// A physical interrupt.
    Interrupt,
    /// An exception with this syndrome (ESR_EL2).
    Exception {
        /// See above.
        syndrome: u64,
    },
    /// A firmware call.
    Call {
        /// What became of it.
        verdict: Verdict,
        /// By SMC.
        smc: bool,
        /// Its identifier.
        function: u32,
    },
}

/// See the module. What it is to be compared with in the end.
pub struct Visit {
    vcpu: &'static Vcpu,
    what: What,
    tracer: &'static Tracer,
    start: u64,
    exits: [u64; EXITS],
    left: Left,
}

/// Exits that are counted for interrupts; all others are for exceptions.
const INTERRUPTS: usize = Exit::Interrupt as usize + 1;

const fn subject(vcpu: &Vcpu) -> Subject {
    Subject { vm: vcpu.vm.index, vcpu: vcpu.index }
}

fn exits(vcpu: &Vcpu) -> [u64; EXITS] {
    vcpu.account().exits.each_ref().map(|count| count.load(Ordering::Relaxed))
}

impl Visit {
    /// `vcpu` has come to EL2 for `what`, on this core, its own. If it was not known to be there it is noted since when it is.
    #[inline(never)]
    pub fn begin(vcpu: &'static Vcpu, what: What) -> Option<Self> {
        let start = timer::count_relaxed();
        let trace = &Machine::get().trace;
        let (tracer, of) = (trace.tracer(vcpu.core)?, subject(vcpu));
        if !tracer.has(of) {
            let (entered, since) = (vcpu.times.running_since(), trace.since());
            tracer.note(entered.max(since), of, Event::Enter);
            if entered >= since {
                vcpu.vm.vgic.presented(vcpu.index, |intid| tracer.note(entered, of, Event::Interrupt { intid }));
            }
        }
        Some(Self {
            vcpu,
            what,
            tracer,
            start,
            exits: exits(vcpu),
            left: with_interface!(G => vcpu.vm.vgic.left(vcpu.index, &G::here())),
        })
    }

    /// The vCPU goes on, or leaves the core: notes what has come of it.
    #[inline(never)]
    pub fn end(self, next: Next) {
        let Self { vcpu, what, tracer, start, .. } = self;
        let (now, of) = (timer::count(), subject(vcpu));
        let note = |event: Event| tracer.note(now, of, event);
        if !matches!(what, What::Call { .. }) && vcpu.vm.links.is_some() {
            Machine::get().take_copies(vcpu.vm.index, |link, bytes| note(Event::Copy { link, bytes }));
        }
        if next != Next::Leave {
            let tell = |intid| note(Event::Interrupt { intid });
            with_interface!(G => vcpu.vm.vgic.given(vcpu.index, &self.left, &G::here(), tell));
        }
        let span = now.saturating_sub(start);
        note(match what {
            What::Call { verdict, smc, function } => Event::Call { verdict, smc, span, function },
            What::Interrupt => Event::Exit { cause: self.cause(0..INTERRUPTS), span, syndrome: 0 },
            What::Exception { syndrome } => Event::Exit { cause: self.cause(INTERRUPTS..EXITS), span, syndrome },
        });
        if next == Next::Leave {
            note(Event::Leave(why(vcpu)));
        }
    }

    /// Which of these causes was counted meanwhile.
    fn cause(&self, causes: core::ops::Range<usize>) -> u64 {
        let counts = self.exits.into_iter().zip(exits(self.vcpu)).enumerate();
        let mut counted = counts.filter(|(cause, (before, now))| before != now && causes.contains(cause));
        counted.next().map_or(TRACE_EXIT_CALLED, |(cause, _)| cause as u64)
    }
}

/// Why `vcpu` has left its core.
fn why(vcpu: &Vcpu) -> Leave {
    match vcpu.power() {
        PowerState::Suspended | PowerState::WakePending => Leave::Suspended,
        PowerState::Off | PowerState::LoadPending | PowerState::OnPending => Leave::Off,
        PowerState::On if vcpu.vm.state().must_leave() => Leave::Off,
        PowerState::On if vcpu.vm.state().is_held() => Leave::Paused,
        PowerState::On if vcpu.off_core().is_some_and(OffCore::is_waiting) => Leave::Waits,
        PowerState::On => Leave::Turn,
    }
}

/// Serves an SError by `serve`, which came while the guest of `vcpu` ran.
pub fn system_error(vcpu: &'static Vcpu, syndrome: u64, serve: fn(&'static Vcpu, u64) -> Next) -> Next {
    let visit = Visit::begin(vcpu, What::Exception { syndrome });
    let next = serve(vcpu, syndrome);
    visit.into_iter().for_each(|visit| visit.end(next));
    next
}

/// A call of `function` that was decided so is about to be served. None: what reads the trace is not noted, as that would have no
/// end.
pub fn begin_call(vcpu: &'static Vcpu, function: u32, smc: bool, verdict: &gate::Verdict) -> Option<Visit> {
    let verdict = match verdict {
        gate::Verdict::Serve(Service::Management(TRACE_SET..=TRACE_READ)) => return None,
        gate::Verdict::Answer(_) | gate::Verdict::Serve(_) => Verdict::Answered,
        gate::Verdict::Deny => Verdict::Refused,
        gate::Verdict::Forward => Verdict::Forwarded,
    };
    Visit::begin(vcpu, What::Call { verdict, smc, function })
}
