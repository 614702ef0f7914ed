//! Rounds: every register gets a value, others have the core, and every register still has it.

use core::arch::asm;

use guest_runtime::{counter, cpu, gic, mmio, power, random::Random};
use portcullis_abi::function::PV_TIME_ST;
use portcullis_abi::map::{PV_TIME, PV_TIME_STRIDE, TIMER_VIRTUAL_INTID as TIMER};

use super::hold::{Registers, Wait};
use super::slot::Slot;
use super::{interface, tables};
use crate::guest::door::Door;
use crate::guest::report;

/// Most system registers that a CPU has in the tables.
const MOST: usize = 128;
/// Turns of the loop that is held at a time, and how often at the most until others had the core.
const TURNS: u64 = 10_000;
const TRIES: u32 = 100;
/// Microseconds until the timer ends a wait.
const NAP: u64 = 200;
/// Every so many rounds wait for an interrupt.
const WAITS: u64 = 3;

/// The first difference that was seen in one kind of registers: what was held, and what was left of it.
type Difference = Option<(u64, u64)>;

/// All that the rounds have seen.
struct Seen {
    system: [Difference; MOST],
    general: Difference,
    stack: Difference,
    flags: Difference,
    vector: Difference,
    control: Difference,
    active: Difference,
    timer: u64,
    switches: u64,
}

/// Opens floating point, which the program does not use otherwise.
pub fn open_floating_point() {
    // SAFETY: allows instructions that are otherwise undefined.
    unsafe { asm!("msr cpacr_el1, {}", "isb", in(reg) 0b11u64 << 20, options(nostack)) };
}

/// `rounds` rounds on this vCPU.
pub fn run(boot: u64, seed: u64, rounds: u64) {
    let vcpu = cpu::index();
    let mut random = Random::new(seed << 8 | boot << 4 | (vcpu as u64 + 1));
    let mut seen = Seen {
        system: [None; MOST],
        general: None,
        stack: None,
        flags: None,
        vector: None,
        control: None,
        active: None,
        timer: 0,
        switches: 0,
    };
    // It grows whenever others have the core.
    let _ = Door::new(power::conduit()).call(PV_TIME_ST.into(), [0; 3]);
    let tables = tables::present();
    let slots = || tables.iter().copied().flatten();
    interface::open();
    gic::enable(TIMER);
    gic::set_priority(TIMER, 0);
    let mut own = [0; MOST];
    own.iter_mut().zip(slots()).for_each(|(own, slot)| *own = (slot.read)());
    let mut holds = [0; MOST];
    holds.iter_mut().zip(slots().zip(own)).for_each(|(bits, (slot, own))| *bits = implemented(slot, own));
    for round in 0..rounds {
        one(round, &mut random, || slots().zip(own).zip(holds), &mut seen);
    }
    counter::set_control(0);
    gic::disable(TIMER);
    conclude(boot, vcpu, rounds, slots().zip(holds), &seen);
}

/// Which bits of the mask this CPU stores.
fn implemented(slot: &Slot, own: u64) -> u64 {
    (slot.write)(own | slot.mask);
    let ones = (slot.read)();
    (slot.write)(own & !slot.mask);
    let bits = (ones ^ (slot.read)()) & slot.mask;
    (slot.write)(own);
    bits
}

fn one<'a, I>(round: u64, random: &mut Random, slots: impl Fn() -> I, seen: &mut Seen)
where
    I: Iterator<Item = ((&'a Slot, u64), u64)>,
{
    let waits = round.is_multiple_of(WAITS);
    let active = if waits { None } else { activate(random) };
    let priority = interface::running_priority();
    if waits {
        counter::arm(counter::ticks(NAP), counter::CONTROL_ENABLE);
    }
    let mut held = [0; MOST];
    for (((slot, own), _), held) in slots().zip(&mut held) {
        *held = random.next() & slot.mask;
        if !(waits && slot.wakes) {
            (slot.write)(own & !slot.mask | *held);
        }
    }
    let switched = general(waits, round, random, seen);
    for ((((slot, own), bits), held), difference) in slots().zip(held).zip(&mut seen.system) {
        if waits && slot.wakes {
            continue;
        }
        let left = (slot.read)();
        note(difference, held & bits, left & bits);
        (slot.write)(own);
    }
    note(&mut seen.active, priority, interface::running_priority());
    seen.switches += u64::from(switched);
    if let Some(active) = active {
        gic::end(active);
    }
    if waits
        && gic::acknowledge().is_some_and(|interrupt| {
            counter::set_control(0);
            gic::end(interrupt);
            interrupt.intid == TIMER
        })
    {
        seen.timer += 1;
    }
}

/// Makes an SGI active.
fn activate(random: &mut Random) -> Option<gic::Acknowledged> {
    let sgi = random.below(16) as u32;
    gic::set_priority(sgi, (random.below(13) as u8 + 1) << 4);
    gic::enable(sgi);
    gic::send(sgi, 1 << cpu::index());
    let mut taken = None;
    counter::wait_until(1_000_000, || {
        taken = gic::acknowledge();
        taken.is_some()
    });
    taken
}

/// Holds general and floating point registers until others have had the core, or the timer has fired. Says whether they have.
fn general(waits: bool, round: u64, random: &mut Random, seen: &mut Seen) -> bool {
    let stolen = || mmio::read64(PV_TIME + cpu::index() as u64 * PV_TIME_STRIDE + 8);
    let before = stolen();
    let mut registers = Registers::filled(|_| random.next());
    for _ in 0..TRIES {
        let wait = match (waits, round % 2) {
            (true, _) => Wait::Interrupt,
            (false, 0) => Wait::First(TURNS),
            (false, _) => Wait::Last(TURNS),
        };
        let left = registers.hold(wait);
        let pairs = registers.x.iter().zip(left.x);
        pairs.for_each(|(&held, left)| note(&mut seen.general, held, left));
        note(&mut seen.stack, registers.sp, left.sp);
        note(&mut seen.flags, registers.flags, left.flags);
        for (held, left) in registers.v.iter().zip(left.v) {
            note(&mut seen.vector, (held >> 64) as u64, (left >> 64) as u64);
            note(&mut seen.vector, *held as u64, left as u64);
        }
        note(&mut seen.control, registers.fpcr << 32 | registers.fpsr, left.fpcr << 32 | left.fpsr);
        let over = if waits { counter::control() & counter::CONTROL_STATUS != 0 } else { stolen() != before };
        if over {
            break;
        }
    }
    stolen() != before
}

fn note(difference: &mut Difference, held: u64, left: u64) {
    if held != left && difference.is_none() {
        *difference = Some((held, left));
    }
}

fn conclude<'a>(boot: u64, vcpu: usize, rounds: u64, slots: impl Iterator<Item = (&'a Slot, u64)>, seen: &Seen) {
    let case = |what: &str, difference: Difference| {
        report::equal(format_args!("leak/boot {boot} vCPU {vcpu} kept {what}"), None, difference);
    };
    case("general registers", seen.general);
    case("stack pointer", seen.stack);
    case("flags", seen.flags);
    case("V registers", seen.vector);
    case("FPCR and FPSR", seen.control);
    case("priority of what is active", seen.active);
    for ((slot, bits), difference) in slots.zip(seen.system) {
        // A register that stores nothing is none to lose.
        if bits != 0 {
            case(slot.name, difference);
        }
    }
    let name = format_args!("leak/boot {boot} vCPU {vcpu} timer fired while others had the core");
    report::equal(name, rounds.div_ceil(WAITS), seen.timer);
    let name = format_args!("leak/boot {boot} vCPU {vcpu} others had the core");
    report::holds(name, seen.switches * 2 >= rounds, "in half of the rounds or more", &seen.switches);
}
