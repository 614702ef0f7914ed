//! Every system register that an encoding can name, whether anybody has thought of it or not: one that EL1 can reach and that keeps
//! what is written to it is in the tables, whose registers are filled and looked for by others, or has its reason why not.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::transmute;

use guest_runtime::exception;

use super::known::{self, Known};
use super::tables;
use crate::guest::report;

/// Registers of one op0, op1 and CRn: all CRm and op2.
const GROUP: usize = 128;
/// Words of the two functions of a register.
const WORDS: usize = 6;

/// MRS X0 and MSR of X0, without the register; ISB SY; RET.
const MRS: u32 = 0xd520_0000;
const MSR: u32 = 0xd500_0000;
const ISB: u32 = 0xd503_3fdf;
const RET: u32 = 0xd65f_03c0;

/// Two functions for each register of a group, made anew for each.
#[repr(C, align(4096))]
struct Code(UnsafeCell<[[u32; WORDS]; GROUP]>);

// SAFETY: only the vCPU that walks uses it.
unsafe impl Sync for Code {}

static CODE: Code = Code(UnsafeCell::new([[0; WORDS]; GROUP]));

/// What a walk has seen.
#[derive(Default)]
struct Seen {
    looked: u32,
    read: u32,
    kept: u32,
}

/// Goes through all of them. To be called on one vCPU at a time, when nothing that a register may do matters any more.
pub fn run() {
    let mut seen = Seen::default();
    for group in 0..2 << 7 {
        let first = known::encode(2 + (group >> 7), group >> 4 & 7, group & 0xf, 0, 0);
        write(first);
        for number in 0..GROUP {
            let register = first + (number as u32) * (1 << 5);
            look(register, number, &mut seen);
        }
    }
    report::equal(format_args!("leak/walk registers looked at"), 1 << 15, seen.looked);
    // A guest of whatever CPU reads its ID registers, and has more than fifty of its own.
    report::holds(format_args!("leak/walk registers that can be read"), seen.read > 80, "more than 80", &seen.read);
    report::holds(format_args!("leak/walk registers that are known"), seen.kept > 40, "more than 40", &seen.kept);
}

/// Makes the functions of the group whose first register this is.
fn write(first: u32) {
    let code = CODE.0.get();
    // SAFETY: one vCPU writes it, and nobody executes it meanwhile; the map has it as memory that can be written and executed.
    unsafe {
        for (number, words) in (*code).iter_mut().enumerate() {
            let register = first + ((number as u32) << 5);
            *words = [ISB, MRS | register, RET, MSR | register, ISB, RET];
        }
        // Arm ARM, B2.4.4: what was written is what is fetched. No cache has shorter lines.
        let start = code as usize;
        for at in (start..start + size_of::<Code>()).step_by(16) {
            asm!("dc cvau, {}", in(reg) at, options(nostack, preserves_flags));
        }
        asm!("dsb ish", options(nostack, preserves_flags));
        for at in (start..start + size_of::<Code>()).step_by(16) {
            asm!("ic ivau, {}", in(reg) at, options(nostack, preserves_flags));
        }
        asm!("dsb ish", "isb", options(nostack, preserves_flags));
    }
}

/// Calls one of the functions of register `number` of the group; what it returns, or nothing if EL1 has no such register.
fn call(number: usize, word: usize, value: u64) -> Option<u64> {
    let address = CODE.0.get() as usize + (number * WORDS + word) * 4;
    // SAFETY: a function was written there. What a register does that is not known is what this is here to find out.
    let function = unsafe { transmute::<usize, extern "C" fn(u64) -> u64>(address) };
    exception::probe(|| function(value)).ok()
}

fn look(register: u32, number: usize, seen: &mut Seen) {
    let read = || call(number, 0, 0);
    let write = |value: u64| call(number, 3, value).is_some();
    seen.looked += 1;
    match known::of(register) {
        None => {
            let before = read();
            seen.read += u32::from(before.is_some());
            match before {
                Some(before) => {
                    let keeps = write(!before) && read() != Some(before);
                    if keeps {
                        write(before);
                    }
                    tell(register, keeps, "can be read and keeps what is written, and nobody saves it");
                }
                None => tell(register, write(0), "can be written, and nobody knows what becomes of that"),
            }
        }
        Some(Known::Excused(_)) => seen.kept += 1,
        Some(Known::Slot(name)) => {
            seen.kept += 1;
            let is_there = read().is_some();
            seen.read += u32::from(is_there);
            let has_slot = tables::present().into_iter().flatten().any(|slot| slot.name == name);
            tell(register, is_there && !has_slot, "can be read, and no slot fills it");
        }
        Some(Known::Pair(crm)) => {
            let is_there = read().is_some();
            seen.kept += u32::from(is_there);
            let of = if register >> 5 & 0b10 == 0 { tables::breakpoints() } else { tables::watchpoints() };
            tell(register, is_there && crm as usize >= of, "can be read, and the CPU has fewer of them");
        }
    }
}

/// Says that something is wrong with a register.
fn tell(register: u32, is_wrong: bool, what: &str) {
    if is_wrong {
        let field = |shift: u32, mask: u32| register >> shift & mask;
        let (op0, op1, crn, crm, op2) = (field(19, 3), field(16, 7), field(12, 0xf), field(8, 0xf), field(5, 7));
        report::fail(
            format_args!("leak/walk S{op0}_{op1}_C{crn}_C{crm}_{op2}"),
            &"trapped, switched or excused",
            &what,
        );
    }
}
