//! What cores have noted of VMs while a trace was on.

use core::fmt;

use portcullis_abi::manage::*;

use crate::calls::{Calls, Failure};
use crate::function;
use crate::management::Machine;
use crate::names::name;
use crate::problem::{Problem, Wrong};
use crate::report::conduit;
use crate::status::Status;

/// How a trace stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether one is on.
    pub on: bool,
    /// Number of cores.
    pub cores: u64,
    /// Cores that have yet to follow the last switch, a bit each.
    pub behind: u64,
    /// The VMs of the one that is on, or was last, a bit each.
    pub vms: u64,
    /// CNTPCT_EL0 when it was switched on.
    pub since: u64,
}

impl Standing {
    /// Whether it follows the VM with this number, or did.
    pub fn has(&self, vm: u64) -> bool {
        bit(vm).is_some_and(|bit| self.vms & bit != 0)
    }
}

/// The bit of a VM among those that a trace follows. None: no VM has this number.
pub fn bit(vm: u64) -> Option<u64> {
    1_u64.checked_shl(u32::try_from(vm).ok()?)
}

/// All VMs but the one that asks, a bit each: what it does to read a trace would be most of what it reads.
pub fn others(machine: &Machine) -> u64 {
    (0..machine.vms).filter(|vm| *vm != machine.own).filter_map(bit).fold(0, |vms, bit| vms | bit)
}

/// Nanoseconds that these ticks of a counter take, of which a second has `frequency`; none that does not count takes any time.
pub fn nanoseconds(ticks: u64, frequency: u64) -> u128 {
    (u128::from(ticks) * 1_000_000_000).checked_div(frequency.into()).unwrap_or(0)
}

/// Reads how it stands.
///
/// # Errors
/// Those of a call.
pub fn standing<C: Calls + ?Sized>(calls: &mut C) -> Result<Standing, C::Error> {
    let [state, vms, since] = calls.call(TRACE_STATE, [0; 3])?;
    Ok(Standing { on: state & TRACE_ON != 0, cores: state >> 8 & 0xff, behind: state >> 32, vms, since })
}

/// Switches a trace on for these VMs, a bit each, or off if there are none.
///
/// # Errors
/// It is so already, cores have yet to follow the last switch, or those of a call.
pub fn switch<C: Calls + ?Sized>(calls: &mut C, vms: u64) -> Result<(), Problem<C::Error>> {
    let on = vms != 0;
    let Err(error) = calls.call(TRACE_SET, [u64::from(on), vms, 0]) else { return Ok(()) };
    match error.status() {
        Some(status @ Status(BAD_STATE)) => {
            let text = if on { "a trace is on; `trace off` ends it" } else { "no trace is on" };
            Err(Problem::Refused(status, Wrong::new(format_args!("{text}"))))
        }
        Some(status @ Status(BUSY)) => {
            let text = format_args!("cores have yet to follow the last switch of the trace; ask again");
            Err(Problem::Refused(status, Wrong::new(text)))
        }
        _ => Err(Problem::Call(error)),
    }
}

/// What a core has noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// A `TRACE_*`, or a number that a later hypervisor has.
    pub kind: u64,
    /// CNTPCT_EL0 then: of an exit and of a call at its end.
    pub time: u64,
    /// The VM.
    pub vm: u64,
    /// Its vCPU.
    pub vcpu: u64,
    /// What the kind says.
    pub detail: u64,
    /// The same.
    pub value: u64,
    /// The same.
    pub more: u64,
}

/// What is at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// A record.
    Record(Record),
    /// So many records from there on were overwritten.
    Lost(u64),
    /// Nothing yet.
    Nothing,
}

/// Takes what TRACE_READ has answered apart.
pub const fn record([time, head, more]: [u64; 3]) -> Read {
    let kind = head & 0xff;
    if kind == TRACE_LOST {
        // Never none: who reads goes on behind them.
        return Read::Lost(if more == 0 { 1 } else { more });
    }
    let [vm, vcpu, detail] = [head >> 8 & 0xff, head >> 16 & 0xff, head >> 24 & 0xff];
    Read::Record(Record { kind, time, vm, vcpu, detail, value: head >> 32, more })
}

/// Reads what a core has noted at a position.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, core: u64, position: u64) -> Result<Read, C::Error> {
    match calls.call(TRACE_READ, [core, position, 0]) {
        Ok(values) => Ok(record(values)),
        Err(error) if error.status() == Some(Status(NO_ITEM)) => Ok(Read::Nothing),
        Err(error) => Err(error),
    }
}

impl Record {
    /// For how many ticks the hypervisor ran, of an exit and of a call.
    pub const fn span(&self) -> u64 {
        if matches!(self.kind, TRACE_EXIT | TRACE_CALL) { self.value } else { 0 }
    }

    /// What it was, in a word or two.
    pub fn title(&self) -> Title<'_> {
        Title(self)
    }

    /// The verdict of a call, and its conduit.
    pub fn verdict(&self) -> (&'static str, &'static str) {
        (name(&TRACE_VERDICTS, self.detail & !TRACE_SMC), conduit(self.detail & TRACE_SMC != 0))
    }

    /// Why a vCPU has left its core.
    pub fn why(&self) -> &'static str {
        name(&TRACE_LEAVES, self.detail)
    }
}

/// The title of a record.
pub struct Title<'a>(&'a Record);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(record) = self;
        match record.kind {
            TRACE_ENTER | TRACE_LEAVE => f.write_str(name(&TRACE_KINDS, record.kind)),
            TRACE_EXIT if record.detail == TRACE_EXIT_CALLED => f.write_str("exit called"),
            TRACE_EXIT => write!(f, "exit {}", name(&EXITS, record.detail)),
            // A function identifier has 32 bits.
            TRACE_CALL => match function::name(record.more as u32) {
                "" => write!(f, "call {:#x}", record.more),
                name => write!(f, "call {name}"),
            },
            TRACE_INTERRUPT => write!(f, "interrupt {}", record.value),
            TRACE_COPY => write!(f, "copy of {} bytes", record.more),
            kind => write!(f, "record {kind}"),
        }
    }
}

/// A record as a line of text.
pub struct Line<'a> {
    /// The record.
    pub record: &'a Record,
    /// The core that has noted it.
    pub core: u64,
    /// CNTPCT_EL0 from which its time is told.
    pub since: u64,
    /// Ticks of the counter in a second.
    pub frequency: u64,
    /// The name of the link, of a copy.
    pub link: &'a str,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { record, core, since, frequency, link } = *self;
        let time = nanoseconds(record.time.saturating_sub(since), frequency);
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000);
        write!(f, "{seconds:4}.{rest:09}  core {core}  vCPU {}  {}", record.vcpu, record.title())?;
        match record.kind {
            TRACE_LEAVE => write!(f, ": {}", record.why())?,
            TRACE_CALL => {
                let (verdict, conduit) = record.verdict();
                write!(f, " {verdict}, by {conduit}")?;
            }
            TRACE_EXIT if record.more != 0 => write!(f, ", syndrome {:#x}", record.more)?,
            TRACE_COPY => write!(f, " at {link}")?,
            _ => {}
        }
        if matches!(record.kind, TRACE_EXIT | TRACE_CALL) {
            write!(f, ", {} ns", nanoseconds(record.span(), frequency))?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: [u64; 3]) -> std::string::String {
        let Read::Record(record) = record(values) else { panic!("{values:x?}") };
        std::format!("{}", Line { record: &record, core: 2, since: 1000, frequency: 1_000_000, link: "lan" })
    }

    #[test]
    fn records_are_told_in_words() {
        let head = |kind: u64, detail: u64, value: u64| kind | 3 << 8 | 1 << 16 | detail << 24 | value << 32;
        let begin = "   0.500000000  core 2  vCPU 1  ";
        for (kind, detail, value, more, expected) in [
            (TRACE_ENTER, 0, 0, 0, "enter\n"),
            (TRACE_LEAVE, TRACE_LEAVE_WAITS, 0, 0, "leave: waits\n"),
            (TRACE_LEAVE, 77, 0, 0, "leave: ?\n"),
            (TRACE_EXIT, 4, 3, 0x9200_0047, "exit uart, syndrome 0x92000047, 3000 ns\n"),
            (TRACE_EXIT, TRACE_EXIT_CALLED, 1, 0, "exit called, 1000 ns\n"),
            (TRACE_EXIT, 99, 1, 0, "exit ?, 1000 ns\n"),
            (TRACE_CALL, TRACE_SMC, 2, 0x8400_0000, "call PSCI_VERSION answered, by smc, 2000 ns\n"),
            (TRACE_CALL, TRACE_REFUSED, 2, 0xc200_0077, "call 0xc2000077 refused, by hvc, 2000 ns\n"),
            (TRACE_INTERRUPT, 0, 27, 0, "interrupt 27\n"),
            (TRACE_COPY, 0, 0, 1514, "copy of 1514 bytes at lan\n"),
            (200, 0, 0, 0, "record 200\n"),
        ] {
            assert_eq!(line([501_000, head(kind, detail, value), more]), std::format!("{begin}{expected}"));
        }
        assert_eq!(record([0, TRACE_LOST, 5]), Read::Lost(5));
        assert_eq!(record([0, TRACE_LOST, 0]), Read::Lost(1), "who reads goes on");
    }

    #[test]
    fn vms_have_a_bit_each_and_ticks_a_time() {
        assert_eq!(
            [0, 31, 63, 64, 1 << 32, u64::MAX].map(bit),
            [Some(1), Some(1 << 31), Some(1 << 63), None, None, None]
        );
        let machine = |vms, own| Machine { vms, own, free: 0, cores: 4 };
        assert_eq!([others(&machine(3, 1)), others(&machine(1, 0)), others(&machine(32, 0))], [0b101, 0, 0xffff_fffe]);
        let standing = Standing { on: true, cores: 4, behind: 0, vms: 0b10, since: 0 };
        assert!(standing.has(1) && ![0, 2, 64, 65, u64::MAX].into_iter().any(|vm| standing.has(vm)));
        assert_eq!(
            [nanoseconds(3, 62_500_000), nanoseconds(u64::MAX, 1), nanoseconds(5, 0)],
            [48, u128::from(u64::MAX) * 1_000_000_000, 0]
        );
    }
}
