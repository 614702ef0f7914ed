//! Management calls: how the control VM configures, starts, stops and watches the other VMs.
//!
//! They are SMC64 fast calls of the Vendor-specific Hypervisor owner, by either conduit that the caller has, and only the
//! control VM has them: to every other VM they do not exist. x0 holds the function identifier and x1 to x3 its arguments;
//! x0 returns a status (zero, or one of the negative numbers below) and x1 to x3 values, which are zero where a call has
//! none and whenever it fails, [`VERSION`] excepted. "VM" is a number below that of [`MACHINE`]; the control VM may name
//! itself. A list is read one item a call, by index from 0 up, until the status is [`NO_ITEM`].
//!
//! No call waits: what takes long (loading, scrubbing) is done on a core of the VM that is meant, and [`VM_STATE`] shows it
//! as being in progress. A call that finds the VM between two states changes nothing and returns [`BUSY`].

mod event;
mod link;
mod moving;
mod status;
mod trace;
mod transfer;

pub use self::event::*;
pub use self::link::*;
pub use self::moving::*;
pub use self::status::*;
pub use self::trace::*;
pub use self::transfer::*;

/// First function identifier of the management calls.
pub const BASE: u32 = 0xc600_1000;
/// Function identifiers from [`BASE`] on that are management calls, whether they have a meaning yet or not.
pub const COUNT: u32 = 0x1000;

/// Version of this interface: major number in bits 31:16, minor in 15:0. The minor one grows with each addition, the major
/// one when something that existed changes.
pub const ABI_VERSION: u32 = 0x1_0004;

// Calls on the machine.

/// `VERSION(x1 = ABI_VERSION that the caller was built for)`: x1 = the hypervisor's version, x2 = `CAN_*` bits.
/// [`WRONG_VERSION`] if the major numbers differ or the caller's minor one is the larger; x1 and x2 are given all the same.
pub const VERSION: u32 = BASE;
/// `MACHINE()`: x1 = number of VMs, x2 = bytes of memory that are free for VMs and the hypervisor, x3 = the caller's VM in
/// bits 7:0, the number of cores in bits 15:8.
pub const MACHINE: u32 = BASE + 1;
/// `POWER_OFF()`: switches the machine off, whatever runs. Does not return.
pub const POWER_OFF: u32 = BASE + 2;

// Calls that show a VM.

/// `VM_NAME(x1 = VM)`: x1, x2 = its name: 16 bytes, the first one in bits 7:0 of x1, padded with zeros.
pub const VM_NAME: u32 = BASE + 0x10;
/// `VM_STATE(x1 = VM)`: x1 = a `PHASE_*` in bits 7:0, a `PROGRESS_*` in bits 15:8, `STATE_*` bits above them; x2 = number of
/// vCPUs in bits 7:0, a bit per vCPU that is not off in bits 15:8, restarts since creation (asked for by the guest, by a
/// manager or by the policy) in bits 63:32; x3 = bytes of memory.
pub const VM_STATE: u32 = BASE + 0x11;
/// `VM_FAILURE(x1 = VM)`: why it last failed: x1 = a `FAILURE_*` in bits 7:0 (zero: it has not), the vCPU in bits 15:8, bits
/// 31:0 of the syndrome (ESR_EL2) in bits 63:32; x2 = the guest's program counter; x3 = the address it faulted at, zero if
/// there is none. Kept until the VM is recreated.
pub const VM_FAILURE: u32 = BASE + 0x12;
/// `VM_VCPU(x1 = VM, x2 = index)`: x1 = the physical core of the vCPU; x2 = 1 if it is not off; x3, since version 1.2, a
/// `VCPU_*`: what it is doing. [`NO_ITEM`] past the last.
pub const VM_VCPU: u32 = BASE + 0x13;
/// `VM_VCPU_TIMES(x1 = VM, x2 = index)`: since its VM was started: x1 = nanoseconds for which the vCPU ran, x2 = nanoseconds
/// stolen from it: it was ready to run and did not; x3 = how often its core changed over to it from another vCPU. On a core of
/// its own it runs also while it waits for an interrupt. [`NO_ITEM`] past the last. Since version 1.2.
pub const VM_VCPU_TIMES: u32 = BASE + 0x14;

// Firmware registers. Checks in this order: UNKNOWN_VM, UNKNOWN_REGISTER, UNSUPPORTED, FROZEN.

/// `REGISTER_LIST(x1 = VM, x2 = index)`: x1 = identifier, x2 = value, x3 = what is supported: the mask of a bitmap register,
/// otherwise the largest value. [`NO_ITEM`] past the last.
pub const REGISTER_LIST: u32 = BASE + 0x20;
/// `REGISTER_GET(x1 = VM, x2 = identifier)`: x1 = value.
pub const REGISTER_GET: u32 = BASE + 0x21;
/// `REGISTER_SET(x1 = VM, x2 = identifier, x3 = value)`. By the rule [`RULE_CLEAR`] the first one since creation clears every
/// bitmap register first. The same value may be written again after the start.
pub const REGISTER_SET: u32 = BASE + 0x22;
/// `REGISTER_CLEAR(x1 = VM)`: clears every bitmap register; counts as the first write.
pub const REGISTER_CLEAR: u32 = BASE + 0x23;
/// `RULE_SET(x1 = VM, x2 = RULE_*)`: chooses what the first write does. [`FROZEN`] after the start, unless it is the same.
pub const RULE_SET: u32 = BASE + 0x24;
/// `RULE_GET(x1 = VM)`: x1 = `RULE_*`, x2 = 1 if the first write has happened.
pub const RULE_GET: u32 = BASE + 0x25;

// Range filter. Checks in this order: UNKNOWN_VM, BUSY, RESERVED, EMPTY, WRAPS, BAD_ARGUMENT, FORWARD_REFUSED, NO_FIRMWARE,
// FROZEN, OVERLAPS, FULL.

/// `FILTER_ADD(x1 = VM, x2 = first function identifier in bits 31:0 and their number in bits 63:32, x3 = FILTER_*)`. Bits
/// 63:8 of x3 are reserved: [`RESERVED`] if one is set.
pub const FILTER_ADD: u32 = BASE + 0x30;
/// `FILTER_LIST(x1 = VM, x2 = index)`: x1 = first function identifier in bits 31:0 and their number in bits 63:32, x2 =
/// `FILTER_*`. In ascending order. [`NO_ITEM`] past the last.
pub const FILTER_LIST: u32 = BASE + 0x31;

// Lifecycle. BAD_STATE if the phase is none that the call starts from, BUSY if something is in progress.

/// `START(x1 = VM)`: from created. The registers freeze now; the images are loaded on the VM's first core.
pub const START: u32 = BASE + 0x40;
/// `PAUSE(x1 = VM)`: from running. Its vCPUs stand still from their next exit on. Not on the caller's own VM.
pub const PAUSE: u32 = BASE + 0x41;
/// `RESUME(x1 = VM, x2 = RESUME_*)`: from paused; by [`RESUME_GIVEN_AWAY`] from given away, too. x2 counts since version 1.4.
pub const RESUME: u32 = BASE + 0x42;
/// `STOP(x1 = VM)`: from running or paused: takes its vCPUs off their cores, without asking the guest.
pub const STOP: u32 = BASE + 0x43;
/// `RESTART(x1 = VM)`: from running, paused, stopped or failed: again from its images, with the registers it had.
pub const RESTART: u32 = BASE + 0x44;
/// `RECREATE(x1 = VM)`: from stopped or failed (from created too: defaults again): memory scrubbed, registers at their
/// defaults and writable, filter empty, counters, refusals, audit and failure forgotten. What the manifest says of its
/// registers is not applied again.
pub const RECREATE: u32 = BASE + 0x45;

// Counters.

/// `COUNTER(x1 = VM, x2 = COUNTER_*, x3 = index)`: x1 = the count since creation, over all its vCPUs. The index is a
/// `SERVICE_*`, a `CONDUIT_*` or an `EXIT_*`, as the group says; [`NO_ITEM`] past the last.
pub const COUNTER: u32 = BASE + 0x50;
/// `REFUSED(x1 = VM, x2 = index, 0 is the newest)`: one of the last 64 refused calls: x1 = function identifier in bits 31:0,
/// bit 32 set for an SMC, the vCPU in bits 47:40; x2 = the physical counter (CNTPCT_EL0) then; x3 = calls refused since
/// creation. [`NO_ITEM`] past the last.
pub const REFUSED: u32 = BASE + 0x51;

// Audit.

/// `AUDIT_SET(x1 = VM, x2 = 0 or 1)`: created VMs only: from its start on the VM has everything that the board supports,
/// whatever its registers say, which read as they were set; each first use is noted. Ranges of its filter that are refused do
/// not count then, ranges that are forwarded do. [`FROZEN`] after the start.
pub const AUDIT_SET: u32 = BASE + 0x60;
/// `AUDIT_LIST(x1 = VM, x2 = index)`: a function that the VM has called, in the order of first use: x1 = identifier in bits
/// 31:0, bit 32 set if by SMC, bit 33 set if it was refused even so, bit 34 (since version 1.1) if a range of the VM's filter
/// handed it to EL3; x2 = the physical counter then; x3 = functions that were not noted because the list was full.
/// [`NO_ITEM`] past the last.
pub const AUDIT_LIST: u32 = BASE + 0x61;
/// `AUDIT_REGISTER(x1 = VM, x2 = identifier)`: x1 = the smallest value of the register that would have let the VM run as it
/// did.
pub const AUDIT_REGISTER: u32 = BASE + 0x62;
/// `AUDIT_RANGES(x1 = VM)`: x1 = the ranges of the filter by which EL3 was reached, a bit each by the index that
/// [`FILTER_LIST`] gives it. Since version 1.1.
pub const AUDIT_RANGES: u32 = BASE + 0x63;

// Wall clock.

/// `CLOCK_SET(x1 = nanoseconds since 1970-01-01 UTC, x2 = the caller's virtual counter (CNTVCT_EL0) at that moment)`.
/// [`NOT_PERMITTED`] on a board that has a real-time clock, whose time counts. PTP is supported from then on, which VMs that
/// are still in the phase created see in their registers' masks.
pub const CLOCK_SET: u32 = BASE + 0x70;
/// `CLOCK_GET()`: x1 = nanoseconds since 1970-01-01 UTC, x2 = the caller's virtual counter at that moment, x3 = `CLOCK_*`:
/// where the time comes from. x1 is zero if it comes from nowhere.
pub const CLOCK_GET: u32 = BASE + 0x71;
/// `SYSTEM_COUNTER()`: x1 = the physical counter (CNTPCT_EL0) now, by which moments are told elsewhere, x2 = the caller's virtual
/// counter (CNTVCT_EL0) now, x3 = ticks of both in a second (CNTFRQ_EL0): for who cannot read them, as a program of Linux. Since
/// version 1.4.
pub const SYSTEM_COUNTER: u32 = BASE + 0x72;

// Links between VMs. Since version 1.4.

/// `LINK(x1 = index)`: a link between VMs: x1, x2 = its name, as for [`VM_NAME`]; x3 = a `LINK_*` in bits 7:0, how many ends it
/// has in bits 15:8. [`NO_ITEM`] past the last.
pub const LINK: u32 = BASE + 0x80;
/// `LINK_END(x1 = link, x2 = index)`: an end of a link: x1 = its VM in bits 7:0, bit 8 set if it is up (a network: another VM of it
/// runs; a serial port: its VM does; a wire: its level is high; a disk: always); x2, of a network the address, the first byte
/// in bits 7:0, of a wire the line, with bit 8 set for who drives it, of a disk the bytes of it, else zero; x3 = the INTID of
/// its interrupt, zero if it has none of its own. [`NO_ITEM`] if there is no such link or end.
pub const LINK_END: u32 = BASE + 0x81;
/// `LINK_COUNTER(x1 = link, x2 = end, x3 = index)`: x1 = what was counted at that end since its VM was created. The index is
/// that of a name in [`NETWORK_COUNTERS`], [`SERIAL_COUNTERS`], [`DISK_COUNTERS`] or [`WIRE_COUNTERS`], as the link's kind
/// says. [`NO_ITEM`] if there is no such link or end, and past the last.
pub const LINK_COUNTER: u32 = BASE + 0x82;

// What VMs write.

/// `LOG(x1 = VM, x2 = position)`: what its guest has written to its console, from the byte at that position on, or from the oldest
/// one that is kept: x1 = the position behind what is returned in bits 55:0, how many bytes that is, up to 16, in bits 63:56;
/// x2, x3 = the bytes, the first one in bits 7:0 of x2. Positions count from 0 since the VM was created. [`NO_ITEM`] if there is
/// nothing from there on. Since version 1.4.
pub const LOG: u32 = BASE + 0xa0;
/// Bytes of a VM's console that are kept, the last ones.
pub const LOG_KEPT: u64 = 8192;

// What cores do.

/// `TRACE_SET(x1 = 1 on or 0 off, x2 = VMs, a bit each by their numbers; of off, zero)`: every core that runs a vCPU of theirs
/// notes what that does, from its next exit on. [`BAD_STATE`] if it is so already, [`BUSY`] while cores have yet to follow the last
/// switch, [`NO_MEMORY`] if there is none for the records. Since version 1.4.
pub const TRACE_SET: u32 = BASE + 0xb0;
/// `TRACE_STATE()`: x1 = [`TRACE_ON`], the number of cores in bits 15:8, and the cores that have yet to follow the last switch,
/// a bit each, in bits 63:32; x2 = the VMs of the trace that is on, or was last; x3 = CNTPCT when it was switched on. Since version
/// 1.4.
pub const TRACE_STATE: u32 = BASE + 0xb1;
/// `TRACE_READ(x1 = core, x2 = position)`: x1, x2, x3 = what the core has noted as the record with that number, counted from 0 on
/// since the trace was switched on: a `TRACE_*` says which kind. [`NO_ITEM`] if there is no such core, or no such record yet. A
/// record that is overwritten is [`TRACE_LOST`]. Since version 1.4.
pub const TRACE_READ: u32 = BASE + 0xb2;

/// Every call with its name, in the order of their identifiers.
pub const ALL: [(&str, u32); 46] = [
    ("VERSION", VERSION),
    ("MACHINE", MACHINE),
    ("POWER_OFF", POWER_OFF),
    ("VM_NAME", VM_NAME),
    ("VM_STATE", VM_STATE),
    ("VM_FAILURE", VM_FAILURE),
    ("VM_VCPU", VM_VCPU),
    ("VM_VCPU_TIMES", VM_VCPU_TIMES),
    ("REGISTER_LIST", REGISTER_LIST),
    ("REGISTER_GET", REGISTER_GET),
    ("REGISTER_SET", REGISTER_SET),
    ("REGISTER_CLEAR", REGISTER_CLEAR),
    ("RULE_SET", RULE_SET),
    ("RULE_GET", RULE_GET),
    ("FILTER_ADD", FILTER_ADD),
    ("FILTER_LIST", FILTER_LIST),
    ("START", START),
    ("PAUSE", PAUSE),
    ("RESUME", RESUME),
    ("STOP", STOP),
    ("RESTART", RESTART),
    ("RECREATE", RECREATE),
    ("COUNTER", COUNTER),
    ("REFUSED", REFUSED),
    ("AUDIT_SET", AUDIT_SET),
    ("AUDIT_LIST", AUDIT_LIST),
    ("AUDIT_REGISTER", AUDIT_REGISTER),
    ("AUDIT_RANGES", AUDIT_RANGES),
    ("CLOCK_SET", CLOCK_SET),
    ("CLOCK_GET", CLOCK_GET),
    ("SYSTEM_COUNTER", SYSTEM_COUNTER),
    ("LINK", LINK),
    ("LINK_END", LINK_END),
    ("LINK_COUNTER", LINK_COUNTER),
    ("SAVE", SAVE),
    ("RESTORE", RESTORE),
    ("TRANSFER", TRANSFER),
    ("TRANSFER_END", TRANSFER_END),
    ("GIVE_AWAY", GIVE_AWAY),
    ("FORGET", FORGET),
    ("LOG", LOG),
    ("TRANSFER_STATE", TRANSFER_STATE),
    ("TRANSFER_REASON", TRANSFER_REASON),
    ("TRACE_SET", TRACE_SET),
    ("TRACE_STATE", TRACE_STATE),
    ("TRACE_READ", TRACE_READ),
];

/// [`VERSION`], x2: a range filter can forward to EL3.
pub const CAN_FORWARD: u64 = 1 << 0;
/// [`VERSION`], x2: the board has a real-time clock, so [`CLOCK_SET`] is not permitted.
pub const CAN_TELL_TIME: u64 = 1 << 1;

/// Phase: made, never started: its registers can be written.
pub const PHASE_CREATED: u64 = 0;
/// Phase: started.
pub const PHASE_RUNNING: u64 = 1;
/// Phase: started, its vCPUs stand still.
pub const PHASE_PAUSED: u64 = 2;
/// Phase: switched off by itself or by a manager.
pub const PHASE_STOPPED: u64 = 3;
/// Phase: stopped by the hypervisor for what it did; see [`VM_FAILURE`].
pub const PHASE_FAILED: u64 = 4;
/// Phase: its guest has suspended it (PSCI SYSTEM_SUSPEND), and an interrupt or RESUME wakes it. Since version 1.3.
pub const PHASE_SUSPENDED: u64 = 5;
/// Phase: paused, and goes on elsewhere ([`GIVE_AWAY`]): only FORGET and [`RESUME_GIVEN_AWAY`] end it. Since version 1.4.
pub const PHASE_GIVEN_AWAY: u64 = 6;
/// The phases' names, by number.
pub const PHASES: [&str; 7] = ["created", "running", "paused", "stopped", "failed", "suspended", "given-away"];

/// Nothing is in progress.
pub const PROGRESS_NONE: u64 = 0;
/// The images are being loaded.
pub const PROGRESS_LOADING: u64 = 1;
/// Its vCPUs are on their way to a halt.
pub const PROGRESS_PAUSING: u64 = 2;
/// Its vCPUs are leaving their cores for good.
pub const PROGRESS_STOPPING: u64 = 3;
/// Its vCPUs are leaving their cores to start again.
pub const PROGRESS_RESTARTING: u64 = 4;
/// Its memory is being scrubbed; then it is created.
pub const PROGRESS_SCRUBBING: u64 = 5;
/// It is being saved. Since version 1.4.
pub const PROGRESS_SAVING: u64 = 6;
/// It is being restored. Since version 1.4.
pub const PROGRESS_RESTORING: u64 = 7;

/// The names of what is in progress, by number.
pub const PROGRESSES: [&str; 8] =
    ["", "loading", "pausing", "stopping", "restarting", "scrubbing", "saving", "restoring"];

/// [`VM_STATE`], x1: this is the control VM.
pub const STATE_CONTROL: u64 = 1 << 16;
/// [`VM_STATE`], x1: the firmware registers are frozen.
pub const STATE_FROZEN: u64 = 1 << 17;
/// [`VM_STATE`], x1: the VM is, or will be, audited.
pub const STATE_AUDIT: u64 = 1 << 18;
/// [`VM_STATE`], x1: the VM starts again by itself when it fails, as often as the manifest says.
pub const STATE_RESTARTS: u64 = 1 << 19;

/// The vCPU is off.
pub const VCPU_OFF: u64 = 0;
/// The vCPU is on its core.
pub const VCPU_RUNNING: u64 = 1;
/// The vCPU would run, but its core runs another one.
pub const VCPU_READY: u64 = 2;
/// The vCPU waits for an interrupt, and its core is free for others.
pub const VCPU_WAITING: u64 = 3;
/// The vCPU stands still, with its VM.
pub const VCPU_PAUSED: u64 = 4;
/// What a vCPU does in one word, by number.
pub const VCPUS: [&str; 5] = ["off", "running", "ready", "waiting", "paused"];

/// No failure.
pub const FAILURE_NONE: u64 = 0;
/// An instruction fetch from where there is no memory.
pub const FAILURE_FETCH: u64 = 1;
/// A load or store to where there is nothing.
pub const FAILURE_ACCESS: u64 = 2;
/// A load or store to a device by an instruction that cannot be emulated.
pub const FAILURE_INSTRUCTION: u64 = 3;
/// An exception that this machine has no answer to.
pub const FAILURE_EXCEPTION: u64 = 4;
/// Its images could not be loaded.
pub const FAILURE_LOAD: u64 = 5;
/// An SError, reported by the hardware.
pub const FAILURE_SERROR: u64 = 6;
/// An abort at the first instruction of the guest's own exception vector, again. The syndrome and pc of the failure are
/// those of the exception that led there, and the address is the vector's.
pub const FAILURE_VECTOR: u64 = 7;
/// Nobody has petted its watchdog in time. The vCPU and the pc of the failure are those of the core whose timer said so, the pc
/// is 0 if that vCPU was off.
pub const FAILURE_WATCHDOG: u64 = 8;
/// The reasons in words, by number.
pub const FAILURES: [&str; 9] = [
    "none",
    "instruction fetch outside memory",
    "access outside memory and devices",
    "device access that cannot be emulated",
    "unexpected exception",
    "images cannot be loaded",
    "system error",
    "abort at the guest's own exception vector",
    "watchdog",
];

/// The first write clears every bitmap register first: the default.
pub const RULE_CLEAR: u64 = 0;
/// The first write leaves the other registers as they are.
pub const RULE_KEEP: u64 = 1;

/// Filter: as without the range.
pub const FILTER_HANDLE: u64 = 0;
/// Filter: refused.
pub const FILTER_DENY: u64 = 1;
/// Filter: to EL3.
pub const FILTER_FORWARD: u64 = 2;
/// The filter actions' names, by number.
pub const FILTERS: [&str; 3] = ["handle", "deny", "forward"];

/// Counter group: calls by HVC that were answered, by service.
pub const COUNTER_ANSWERED_HVC: u64 = 0;
/// Counter group: calls by SMC that were answered, by service.
pub const COUNTER_ANSWERED_SMC: u64 = 1;
/// Counter group: calls by HVC that were refused, by service.
pub const COUNTER_DENIED_HVC: u64 = 2;
/// Counter group: calls by SMC that were refused, by service.
pub const COUNTER_DENIED_SMC: u64 = 3;
/// Counter group: calls that went to EL3, by conduit.
pub const COUNTER_FORWARDED: u64 = 4;
/// Counter group: exits other than by a call, by cause.
pub const COUNTER_EXITS: u64 = 5;
/// The services that are counted, by index.
pub const SERVICES: [&str; 9] =
    ["arch", "psci", "trng", "pv-time", "vendor", "ptp", "management", "unknown", "watchdog"];
/// The conduits, by index.
pub const CONDUITS: [&str; 2] = ["hvc", "smc"];
/// The causes of exits, by index.
pub const EXITS: [&str; 12] = [
    "timer",
    "interrupt",
    "sgi",
    "gic",
    "uart",
    "id-register",
    "undefined",
    "wait",
    "debug",
    "abort",
    "device",
    "serror",
];
/// Refused calls that are remembered of each VM.
pub const REFUSALS: u64 = 64;

/// [`CLOCK_GET`], x3: the time is not known.
pub const CLOCK_UNKNOWN: u64 = 0;
/// [`CLOCK_GET`], x3: the time is that of the board's real-time clock.
pub const CLOCK_BOARD: u64 = 1;
/// [`CLOCK_GET`], x3: the time was set by [`CLOCK_SET`], or told by EFI firmware when it started the machine; the call may set it.
pub const CLOCK_CALL: u64 = 2;
