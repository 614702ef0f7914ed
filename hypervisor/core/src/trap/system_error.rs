//! SErrors: what becomes of one, and in whose name.
//!
//! An SError is asynchronous, so whose access it was is not known for sure. One that comes while a guest runs is taken for that
//! guest's, as EL2 touches few devices. One that a guest's last stores have caused may come when EL2 runs already, which masks it:
//! wherever a core changes over, and before it waits, it is taken in the name of the vCPU that was there. What is pending before
//! the first entry of a vCPU is nobody's.

use core::fmt;

use portcullis_arch::optional::Features;
use portcullis_arch::{account::Exit, barrier, system_error, timer, vectors::Next};

use super::fault;
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::serial::SERIAL;
use crate::vm::fault_report::FaultReport;
use crate::vm::{Vcpu, failure::Reason};

/// ESR_ELx.ISS.IDS: the rest of the syndrome is the implementation's own (Arm ARM, D19.2.37, "ISS encoding for an SError
/// exception").
const IDS: u64 = 1 << 24;
/// ESR_ELx.ISS.DFSC.
const DFSC: u64 = 0x3f;
/// [`DFSC`]: an asynchronous SError, of which AET tells how bad it is. Only a core with FEAT_RAS says that.
const ASYNCHRONOUS: u64 = 0b01_0001;
/// ESR_ELx.ISS.AET, bits 12:10: the state of the core after the error.
const AET_SHIFT: u32 = 10;
/// AET: unrecoverable state.
const UNRECOVERABLE: u64 = 0b001;
/// AET: restartable state.
const RESTARTABLE: u64 = 0b010;
/// AET: recoverable state.
const RECOVERABLE: u64 = 0b011;
/// AET: corrected.
const CORRECTED: u64 = 0b110;

/// SErrors that are taken one after the other. If there is one more, they do not end.
const MOST: u32 = 16;

/// What becomes of an SError.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is counted: nothing is lost.
    Continue,
    /// Whose it is cannot go on.
    Stop,
    /// It may have gone anywhere, and nobody can go on.
    End,
}

/// What becomes of an SError with this syndrome (ESR_EL2).
pub const fn fate(syndrome: u64) -> Fate {
    if syndrome & IDS != 0 || syndrome & DFSC != ASYNCHRONOUS {
        // Not told how bad it is, as on all cores without FEAT_RAS.
        return Fate::Stop;
    }
    match syndrome >> AET_SHIFT & 0b111 {
        CORRECTED | RESTARTABLE => Fate::Continue,
        RECOVERABLE | UNRECOVERABLE => Fate::Stop,
        // Uncontainable, or a value that is yet to be defined.
        _ => Fate::End,
    }
}

/// An SError came while the guest of `vcpu` ran.
pub fn while_running(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    match fate(syndrome) {
        Fate::Continue => {
            vcpu.account().exit(Exit::SystemError);
            vcpu.before_resume_on_any()
        }
        Fate::Stop => fault::stop(vcpu, Reason::SError, syndrome),
        Fate::End => end(Why::Uncontained, Some(vcpu), syndrome),
    }
}

impl Vcpu {
    /// Takes the SErrors that are pending on this core, on which it was until now, in its name.
    #[cold]
    #[inline(never)]
    pub fn take_errors(&self, features: &Features) {
        take(Some(self), features);
    }

    /// Waits for what this core, on which it is or was until now, has stored, and takes the SErrors that are pending then in its
    /// name.
    pub fn drain_errors(&self) {
        drain(Some(self));
    }
}

impl Core {
    /// Waits for what this core has stored, and takes the SErrors that are pending then in the name of `vcpu`, which is the last
    /// one that was here, or of nobody.
    pub fn drain_errors(&self, vcpu: Option<&Vcpu>) {
        drain(vcpu);
    }
}

fn drain(vcpu: Option<&Vcpu>) {
    barrier::dsb_sy();
    barrier::isb();
    let features = Features::here();
    if system_error::is_pending(&features) {
        take(vcpu, &features);
    }
}

#[cold]
#[inline(never)]
fn take(vcpu: Option<&Vcpu>, features: &Features) {
    for _ in 0..MOST {
        let Some(syndrome) = system_error::take(features) else { return };
        charge(vcpu, syndrome);
    }
    if let Some(syndrome) = system_error::take(features) {
        end(Why::Endless, vcpu, syndrome);
    }
}

/// An SError was taken in the name of `vcpu`, which was on this core until now, or of nobody.
fn charge(vcpu: Option<&Vcpu>, syndrome: u64) {
    match (fate(syndrome), vcpu) {
        (Fate::Continue, Some(vcpu)) => vcpu.account().exit(Exit::SystemError),
        (Fate::Stop, Some(vcpu)) => fault::stop_behind(vcpu, syndrome),
        (Fate::Continue | Fate::Stop, None) => report_unowned(syndrome),
        (Fate::End, vcpu) => end(Why::Uncontained, vcpu, syndrome),
    }
}

/// Says that there was an SError of nobody's, once a second at the most.
fn report_unowned(syndrome: u64) {
    static REPORT: FaultReport = FaultReport::new();
    if let Some(unsaid) = REPORT.is_due(timer::count_relaxed(), timer::frequency()) {
        log::warn!("an SError that no VM has caused for sure: syndrome {syndrome:#010x}{unsaid}");
    }
}

/// Why nobody can go on.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// The error may have gone anywhere.
    Uncontained,
    /// One follows the other.
    Endless,
}

/// The machine ends, before it is used any further.
#[cold]
fn end(why: Why, vcpu: Option<&Vcpu>, syndrome: u64) -> ! {
    let machine = Machine::get();
    machine.halt_others();
    SERIAL.log_urgently(format_args!("{}", LastLine { why, vcpu, syndrome }));
    machine.board.power.power_off()
}

/// The machine's last line.
struct LastLine<'a> {
    why: Why,
    vcpu: Option<&'a Vcpu>,
    syndrome: u64,
}

impl fmt::Display for LastLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Uncontained => "the hardware cannot contain an error",
            Why::Endless => "one follows the other without an end",
        };
        write!(f, "SError: {why}: syndrome {:#010x}", self.syndrome)?;
        if let Some(vcpu) = self.vcpu {
            write!(f, ", on the core of {} vcpu {}", vcpu.vm.name(), vcpu.index)?;
        }
        write!(f, "; the machine ends")
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use portcullis_abi::manage::{COUNTER, COUNTER_EXITS, PHASE_RUNNING, START};
    use portcullis_arch::fake;

    use super::*;
    use crate::manage::tests::bench::{A, Bench};
    use crate::vm::state::Phase;

    /// ESR_EL2 of an SError: EC 0x2f and IL.
    const CLASS: u64 = 0xbe00_0000;

    const fn asynchronous(aet: u64) -> u64 {
        CLASS | aet << AET_SHIFT | ASYNCHRONOUS
    }

    #[test]
    fn a_syndrome_says_how_far_an_error_reaches() {
        let fates =
            [Fate::End, Fate::Stop, Fate::Continue, Fate::Stop, Fate::End, Fate::End, Fate::Continue, Fate::End];
        for (aet, expected) in (0..).zip(fates) {
            assert_eq!(fate(asynchronous(aet)), expected, "{aet:#b}");
            // EA and IESB say nothing of that.
            assert_eq!(fate(asynchronous(aet) | 1 << 9 | 1 << 13), expected, "{aet:#b}");
            // Without a status, or with one of the implementation's own, AET is something else.
            assert_eq!(fate(CLASS | aet << AET_SHIFT), Fate::Stop, "{aet:#b}");
            assert_eq!(fate(asynchronous(aet) | IDS), Fate::Stop, "{aet:#b}");
        }
        // As Cortex-A72 reports a decode error of a store: ISV, and its own code.
        assert_eq!(fate(0xbf00_0000), Fate::Stop);
    }

    fn running(bench: &Bench) -> &'static Vcpu {
        bench.ok(START, [A, 0, 0]);
        bench.settle(A);
        let vcpu = bench.vcpu(A, 0);
        assert_eq!(bench.state(A).0, PHASE_RUNNING);
        vcpu
    }

    fn counted(bench: &Bench) -> u64 {
        let [count, ..] = bench.ok(COUNTER, [A, COUNTER_EXITS, Exit::SystemError as u64]);
        count
    }

    #[test]
    fn a_corrected_error_is_counted_and_the_vm_runs_on() {
        let bench = Bench::new();
        let vcpu = running(&bench);
        for n in 1..=3 {
            charge(Some(vcpu), asynchronous(CORRECTED));
            assert_eq!(counted(&bench), n);
        }
        assert_eq!(while_running(vcpu, asynchronous(RESTARTABLE)), Next::Resume);
        assert_eq!(counted(&bench), 4);
        assert_eq!(vcpu.vm.phase(), Phase::Running);
        assert!(vcpu.vm.failure().is_none());
    }

    #[test]
    fn an_error_ends_the_vm_that_leaves_and_no_other() {
        let bench = Bench::new();
        let vcpu = running(&bench);
        vcpu.context.elr.set(0x1234);
        charge(Some(vcpu), CLASS);
        let failure = vcpu.vm.failure().unwrap();
        assert_eq!((failure.reason, failure.vcpu), (Reason::SError, 0));
        assert_eq!(u64::from(failure.syndrome), CLASS);
        bench.settle(A);
        assert_eq!(vcpu.vm.phase(), Phase::Failed);
        let others = Machine::get().vms.iter().filter(|vm| !core::ptr::eq(*vm, vcpu.vm));
        assert!(others.into_iter().all(|vm| vm.failure().is_none()));
    }

    #[test]
    fn one_that_is_pending_is_taken_in_the_window() {
        let bench = Bench::new();
        let vcpu = running(&bench);
        // As a Cortex-A72, without FEAT_RAS, reports a decode error of a store; one that is corrected comes with it.
        fake::raise_error(asynchronous(CORRECTED));
        fake::raise_error(0xbf00_0000);
        vcpu.drain_errors();
        assert_eq!(counted(&bench), 1);
        let failure = vcpu.vm.failure().unwrap();
        assert_eq!((failure.reason, u64::from(failure.syndrome)), (Reason::SError, 0xbf00_0000));
        assert!(!system_error::is_pending(&Features::here()));
    }

    #[test]
    fn errors_that_do_not_end_are_the_machines_end() {
        let bench = Bench::new();
        let vcpu = running(&bench);
        (0..MOST).for_each(|_| fake::raise_error(asynchronous(CORRECTED)));
        vcpu.drain_errors();
        assert_eq!(counted(&bench), u64::from(MOST));
        (0..=MOST).for_each(|_| fake::raise_error(asynchronous(CORRECTED)));
        let ended = catch_unwind(AssertUnwindSafe(|| vcpu.drain_errors())).unwrap_err();
        assert_eq!(ended.downcast_ref::<&str>(), Some(&"the machine was switched off"));
    }

    #[test]
    fn what_is_nobodys_ends_nobody() {
        let _bench = Bench::new();
        for syndrome in [CLASS, asynchronous(CORRECTED), asynchronous(UNRECOVERABLE)] {
            charge(None, syndrome);
        }
        assert!(Machine::get().vms.iter().all(|vm| vm.failure().is_none()));
    }

    #[test]
    fn an_error_that_is_not_contained_ends_the_machine() {
        let bench = Bench::new();
        let vcpu = running(&bench);
        for vcpu in [None, Some(vcpu)] {
            let ended = catch_unwind(AssertUnwindSafe(|| charge(vcpu, asynchronous(0)))).unwrap_err();
            assert_eq!(ended.downcast_ref::<&str>(), Some(&"the machine was switched off"));
        }
        let line = LastLine { why: Why::Uncontained, vcpu: Some(vcpu), syndrome: asynchronous(0) }.to_string();
        let expected = "SError: the hardware cannot contain an error: syndrome 0xbe000011, on the core of a vcpu 0; the machine ends";
        assert_eq!(line, expected);
        let line = LastLine { why: Why::Endless, vcpu: None, syndrome: CLASS }.to_string();
        assert_eq!(line, "SError: one follows the other without an end: syndrome 0xbe000000; the machine ends");
    }
}
