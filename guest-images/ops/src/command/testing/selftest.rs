//! `selftest`: the cases that other hypervisors of this interface test from the manager's side, on one VM, and what this
//! interface has beyond theirs.
//!
//! H1 to H6, F1 to F9 and G1 are the names of the cases. What the guest sees of them is its own to report.

use controls::management;
use controls::register::{REGISTERS, Register};
use controls::status::Status;
use portcullis_abi::{firmware, function, manage};

use crate::command::entry::{Command, Kind, usage};
use crate::command::waiting;
use crate::context::Context;
use crate::error::Error;

/// Microseconds that a change of the VM's phase may take.
const PATIENCE: u64 = 30_000_000;

/// The command.
pub static SELFTEST: Command = Command {
    name: "selftest",
    arguments: "VM",
    about: "cases on the registers, the filter and the lifecycle of a VM that is created and does not end by itself",
    kinds: &[Kind::Vm],
    count: (1, 1),
    run,
};

fn run(context: &mut Context, arguments: &[&str]) -> Result<(), Error> {
    let &[vm] = arguments else { return Err(usage(&SELFTEST)) };
    let vm = context.vm(vm)?;
    let phase = management::vm_state(context.manager, vm)?.phase_name();
    if phase != "created" {
        let title = context.title(vm);
        return Err(Error::wrong(format_args!("{title} is {phase}; selftest is for a VM that is created")));
    }
    let mut test = Test { supported: [0; REGISTERS.len()], vm, context };
    test.before_start()?;
    test.after_start()?;
    test.recreated()
}

/// The bitmap registers.
fn bitmaps() -> impl Iterator<Item = (usize, &'static Register)> {
    REGISTERS.iter().enumerate().filter(|(_, register)| register.bitmap)
}

struct Test<'a, 'b> {
    context: &'a mut Context<'b>,
    vm: u64,
    /// What each register supports.
    supported: [u64; REGISTERS.len()],
}

impl Test<'_, '_> {
    fn set(&mut self, id: u64, value: u64) -> Result<[u64; 3], Status> {
        self.context.call(manage::REGISTER_SET, [self.vm, id, value])
    }

    fn get(&mut self, id: u64) -> Result<u64, Status> {
        self.context.call(manage::REGISTER_GET, [self.vm, id, 0]).map(|[value, ..]| value)
    }

    fn bitmap_values(&mut self) -> Result<[u64; 4], Status> {
        let mut values = [0; 4];
        for (value, (_, register)) in values.iter_mut().zip(bitmaps()) {
            *value = self.get(register.id)?;
        }
        Ok(values)
    }

    /// What a created VM's bitmaps are: everything that is supported, but VENDOR_HYP_2 zero.
    fn defaults(&self) -> [u64; 4] {
        let [_, _, _, _, std, std_hyp, vendor, ..] = self.supported;
        [std, std_hyp, vendor, 0]
    }

    fn recreate(&mut self) -> Result<(), Error> {
        self.context.call_settled(manage::RECREATE, [self.vm, 0, 0])?;
        waiting::for_phase(self.context, self.vm, manage::PHASE_CREATED, PATIENCE)
    }

    fn before_start(&mut self) -> Result<(), Error> {
        self.recreate()?;
        self.list()?;
        let (expected, values) = (self.defaults(), self.bitmap_values()?);
        self.context.equal(format_args!("H1 new VM has its defaults"), expected, values);
        self.first_write()?;
        self.unknown()?;
        self.values()?;
        self.filter()?;
        for (word, call) in [("PAUSE", manage::PAUSE), ("RESUME", manage::RESUME), ("STOP", manage::STOP)] {
            let result = self.context.call(call, [self.vm, 0, 0]);
            self.context.status(format_args!("{word} of a created VM is BAD_STATE"), manage::BAD_STATE, result);
        }
        Ok(())
    }

    fn list(&mut self) -> Result<(), Error> {
        let mut ids = [0; REGISTERS.len()];
        let mut count = 0;
        let (manager, vm) = (&mut *self.context.manager, self.vm);
        let supported = &mut self.supported;
        management::each(
            |index| management::register_entry(manager, vm, index),
            |entry| {
                if let Some((id, limit)) = ids.get_mut(count).zip(supported.get_mut(count)) {
                    (*id, *limit) = (entry.id, entry.supported);
                }
                count += 1;
            },
        )?;
        self.context.equal(
            format_args!("G1 list has every register"),
            (firmware::ALL.len(), firmware::ALL),
            (count, ids),
        );
        Ok(())
    }

    fn first_write(&mut self) -> Result<(), Error> {
        let all = self.defaults();
        let _ = self.set(firmware::STD, all[0]);
        let values = self.bitmap_values()?;
        self.context.equal(format_args!("first write clears the others"), [all[0], 0, 0, 0], values);
        let _ = self.set(firmware::STD_HYP, all[1]);
        let values = self.bitmap_values()?;
        self.context.equal(format_args!("second write clears nothing"), [all[0], all[1], 0, 0], values);

        self.recreate()?;
        let result = self.context.call(manage::RULE_SET, [self.vm, manage::RULE_KEEP, 0]);
        self.context.status(format_args!("rule keep is accepted"), manage::SUCCESS, result);
        let _ = self.set(firmware::STD, 0);
        let values = self.bitmap_values()?;
        self.context.equal(format_args!("rule keep keeps the others"), [0, all[1], all[2], 0], values);

        self.recreate()?;
        let psci = self.get(firmware::PSCI_VERSION)?;
        let result = self.context.call(manage::REGISTER_CLEAR, [self.vm, 0, 0]);
        self.context.status(format_args!("clear all is accepted"), manage::SUCCESS, result);
        let values = (self.bitmap_values()?, self.get(firmware::PSCI_VERSION)?);
        self.context.equal(format_args!("clear all clears the bitmaps only"), ([0; 4], psci), values);
        let _ = self.set(firmware::VENDOR_HYP, all[2]);
        let _ = self.set(firmware::STD, all[0]);
        let values = self.bitmap_values()?;
        self.context.equal(format_args!("clear all is the first write"), [all[0], 0, all[2], 0], values);
        let result = self.context.call(manage::RULE_SET, [self.vm, 2, 0]);
        self.context.status(format_args!("unknown rule is BAD_ARGUMENT"), manage::BAD_ARGUMENT, result);
        self.recreate()
    }

    fn unknown(&mut self) -> Result<(), Error> {
        let before = self.bitmap_values()?;
        for (field, bit) in [("class", 60), ("size", 52), ("spare", 40), ("stray", 30), ("group", 18), ("index", 9)] {
            let result = self.set(firmware::STD ^ 1 << bit, 0);
            let name = format_args!("SET of an identifier with a wrong {field} is UNKNOWN_REGISTER");
            self.context.status(name, manage::UNKNOWN_REGISTER, result);
        }
        for vm in [management::machine(self.context.manager)?.vms, 0xff, 1 << 32, u64::MAX] {
            let result = self.context.call(manage::REGISTER_SET, [vm, firmware::STD, 0]);
            self.context.status(format_args!("SET on VM {vm:#x} is UNKNOWN_VM"), manage::UNKNOWN_VM, result);
        }
        let result = self.context.call(manage::BASE + manage::COUNT - 1, [self.vm, 0, 0]);
        self.context.status(format_args!("a call without meaning is UNKNOWN_CALL"), manage::UNKNOWN_CALL, result);
        let after = self.bitmap_values()?;
        self.context.equal(format_args!("none of these changed anything"), before, after);
        Ok(())
    }

    fn values(&mut self) -> Result<(), Error> {
        let limit = |test: &Self, index: usize| test.supported.get(index).copied().unwrap_or_default();
        for (index, register) in bitmaps() {
            let written = if register.id == firmware::VENDOR_HYP_2 { limit(self, index) } else { 0 };
            let result = self.set(register.id, written).and_then(|_| self.get(register.id));
            self.context.equal(format_args!("H2 SET {} to {written:#x}", register.name), Ok(written), result);
        }
        let result = self.set(firmware::VENDOR_HYP_2, 0);
        self.context.status(format_args!("H3 SET vendor-hyp-2 back to 0"), manage::SUCCESS, result);
        for (index, register) in bitmaps() {
            let beyond = 1 << (64 - limit(self, index).leading_zeros());
            let result = self.set(register.id, beyond);
            let name = format_args!("H4 SET {} to {beyond:#x} is UNSUPPORTED", register.name);
            self.context.status(name, manage::UNSUPPORTED, result);
        }
        for value in [1, 2] {
            let supported = value & !limit(self, 6) == 0;
            let expected = if supported { manage::SUCCESS } else { manage::UNSUPPORTED };
            let result = self.set(firmware::VENDOR_HYP, value);
            self.context.status(format_args!("mixed bitmap, vendor-hyp = {value:#x}"), expected, result);
        }
        for value in [0, 1, 0x3, 0x1_0004, 0x2_0000, u64::MAX] {
            let result = self.set(firmware::PSCI_VERSION, value);
            self.context.status(format_args!("PSCI {value:#x} is UNSUPPORTED"), manage::UNSUPPORTED, result);
        }
        for (value, name, expected) in [
            (0x1_0002, "1.2", manage::SUCCESS),
            (0x1_0001, "1.1", manage::SUCCESS),
            (0x1_0000, "1.0", manage::UNSUPPORTED),
            (0x1_0003, "1.3", manage::UNSUPPORTED),
            (0x1_0000_0001, "1.1 with a bit above", manage::UNSUPPORTED),
        ] {
            let result = self.set(firmware::SMCCC_VERSION, value);
            self.context.status(format_args!("SET of SMCCC {name}"), expected, result);
        }
        let result = self.get(firmware::SMCCC_VERSION);
        self.context.equal(format_args!("SMCCC is what was set last"), Ok(0x1_0001), result);
        let _ = self.set(firmware::VENDOR_HYP, 0);
        let values = self.bitmap_values()?;
        self.context.equal(format_args!("all bitmaps are 0"), [0; 4], values);
        Ok(())
    }

    fn add(&mut self, base: u32, count: u32, action: u64) -> Result<[u64; 3], Status> {
        self.context.call(manage::FILTER_ADD, [self.vm, u64::from(base) | u64::from(count) << 32, action])
    }

    fn filter(&mut self) -> Result<(), Error> {
        use manage::*;
        const PSCI: u32 = function::PSCI_VERSION;
        const CPU_ON: u32 = function::PSCI_CPU_ON | function::SMC64;
        let can_forward = self.context.call(VERSION, [u64::from(ABI_VERSION), 0, 0])?[1] & CAN_FORWARD != 0;
        for (name, base, count, action, expected) in [
            ("F1 reserved bits", PSCI, 1, FILTER_DENY | 0xff00, RESERVED),
            ("F2 no function", CPU_ON, 0, FILTER_DENY, EMPTY),
            ("F2 no function from 0", 0, 0, FILTER_DENY, EMPTY),
            ("F3 range that wraps", u32::MAX, u32::MAX, FILTER_DENY, WRAPS),
            ("F4 unknown action", CPU_ON, 1, 0xff, BAD_ARGUMENT),
            ("F5 a workaround call", function::ARCH_WORKAROUND_1, 1, FILTER_DENY, OVERLAPS),
            ("F6 the architecture's range", 0xc000_0000, 1, FILTER_DENY, OVERLAPS),
            ("F7 a range", CPU_ON, 1, FILTER_DENY, SUCCESS),
            ("F7 the same range again", CPU_ON, 1, FILTER_DENY, OVERLAPS),
            ("F8 PSCI_VERSION denied", PSCI, 1, FILTER_DENY, SUCCESS),
            ("F9 PSCI forwarded", function::PSCI_FEATURES, 1, FILTER_FORWARD, FORWARD_REFUSED),
        ] {
            let result = self.add(base, count, action);
            self.context.status(format_args!("{name}"), expected, result);
        }
        let result = self.add(0xc200_0000, 0x100, FILTER_FORWARD);
        let expected = if can_forward { SUCCESS } else { NO_FIRMWARE };
        self.context.status(format_args!("F9 a SiP range forwarded"), expected, result);
        self.recreate()?;
        for number in 0..32 {
            self.add(0x8200_0000 + 2 * number, 1, FILTER_DENY)?;
        }
        let result = self.add(0x8200_0100, 1, FILTER_DENY);
        self.context.status(format_args!("range 33 is FULL"), FULL, result);
        let [range, action, _] = self.context.call(FILTER_LIST, [self.vm, 31, 0])?;
        let listed = (range & 0xffff_ffff, range >> 32, action);
        self.context.equal(format_args!("ranges are listed"), (0x8200_003e, 1, FILTER_DENY), listed);
        self.recreate()?;
        let result = self.context.call(FILTER_LIST, [self.vm, 0, 0]);
        self.context.status(format_args!("recreate empties the filter"), NO_ITEM, result);
        let result = self.context.call(REGISTER_CLEAR, [self.vm, 0, 0]);
        self.context.status(format_args!("registers cleared before the start"), SUCCESS, result);
        Ok(())
    }

    fn after_start(&mut self) -> Result<(), Error> {
        let result = self.context.call(manage::START, [self.vm, 0, 0]);
        self.context.status(format_args!("START"), manage::SUCCESS, result);
        // From the call on, not only from the first instruction.
        let result = self.set(firmware::STD, 0);
        self.context.status(format_args!("same value at once after START"), manage::SUCCESS, result);
        waiting::for_phase(self.context, self.vm, manage::PHASE_RUNNING, PATIENCE)?;
        self.frozen()?;
        let result = self.context.call(manage::START, [self.vm, 0, 0]);
        self.context.status(format_args!("START of a running VM is BAD_STATE"), manage::BAD_STATE, result);
        let result = self.context.call(manage::RECREATE, [self.vm, 0, 0]);
        self.context.status(format_args!("RECREATE of a running VM is BAD_STATE"), manage::BAD_STATE, result);
        for (word, call, phase) in [
            ("PAUSE", manage::PAUSE, manage::PHASE_PAUSED),
            ("RESUME", manage::RESUME, manage::PHASE_RUNNING),
            ("RESTART", manage::RESTART, manage::PHASE_RUNNING),
            ("STOP", manage::STOP, manage::PHASE_STOPPED),
        ] {
            let result = self.context.call(call, [self.vm, 0, 0]);
            self.context.status(format_args!("{word}"), manage::SUCCESS, result);
            let result = waiting::for_phase(self.context, self.vm, phase, PATIENCE);
            let detail = result.as_ref().err();
            match detail {
                None => self.context.case(format_args!("{word} comes to pass"), None),
                Some(error) => self.context.case(format_args!("{word} comes to pass"), Some(format_args!("{error}"))),
            }
        }
        self.frozen()
    }

    /// H5 and H6: nothing changes after the start, also when the VM is stopped.
    fn frozen(&mut self) -> Result<(), Error> {
        let phase = management::vm_state(self.context.manager, self.vm)?.phase_name();
        let values = self.bitmap_values()?;
        self.context.equal(format_args!("H5 {phase}, values are as before"), [0; 4], values);
        for (index, register) in bitmaps() {
            let limit = self.supported.get(index).copied().unwrap_or_default();
            if limit != 0 {
                let result = self.set(register.id, limit);
                let name = format_args!("H6 {phase}, SET {} to {limit:#x} is FROZEN", register.name);
                self.context.status(name, manage::FROZEN, result);
            }
            let result = self.set(register.id, 0);
            self.context.status(format_args!("{phase}, same value of {}", register.name), manage::SUCCESS, result);
            let result = self.set(register.id, 1 << 63);
            let name = format_args!("{phase}, bad bit of {} is UNSUPPORTED", register.name);
            self.context.status(name, manage::UNSUPPORTED, result);
        }
        for (name, call, a, b) in [
            ("PSCI version", manage::REGISTER_SET, firmware::PSCI_VERSION, u64::from(function::PSCI_VERSION_1_0)),
            ("rule", manage::RULE_SET, manage::RULE_KEEP, 0),
            ("filter", manage::FILTER_ADD, 0x1_8200_0000, manage::FILTER_DENY),
            ("audit", manage::AUDIT_SET, 1, 0),
        ] {
            let result = self.context.call(call, [self.vm, a, b]);
            self.context.status(format_args!("{phase}, {name} is FROZEN"), manage::FROZEN, result);
        }
        Ok(())
    }

    fn recreated(&mut self) -> Result<(), Error> {
        self.recreate()?;
        let (expected, values) = (self.defaults(), self.bitmap_values()?);
        self.context.equal(format_args!("H1 recreated VM has its defaults"), expected, values);
        let result = self.context.call(manage::REFUSED, [self.vm, 0, 0]);
        self.context.status(format_args!("recreated VM was refused nothing"), manage::NO_ITEM, result);
        let result = self.set(firmware::STD, 0);
        self.context.status(format_args!("recreated VM is writable"), manage::SUCCESS, result);
        self.recreate()
    }
}
