//! What a guest must not do. Where its manifest has the hypervisor stop the VM, the line before is the last one; where the
//! guest gets what the architecture says, a case reports it.

use core::arch::asm;

use conformance::profile::{Access, Profile};
use guest_runtime::exception::{Fault, probe};
use guest_runtime::{console, mmio};
use portcullis_abi::map::GICD;

use crate::guest::report;

/// Neither RAM nor device in the guest's map.
const HOLE: u64 = 0x2000_0000;
/// Executable for stage 1, and beyond any RAM.
const BEYOND: u64 = 0xc000_0000;
/// Exception classes (Arm ARM D24.2.40): unknown instruction, instruction and data abort without a change of level.
const UNKNOWN: u64 = 0x00;
const INSTRUCTION_ABORT: u64 = 0x21;
const DATA_ABORT: u64 = 0x25;

/// Loads from, or stores to, where nothing is.
pub fn abort(profile: &Profile) {
    let address = if profile.address == 0 { HOLE } else { profile.address };
    console::line(format_args!("mode abort: {:?} access at {address:#x}", profile.access));
    let result = probe(|| match profile.access {
        Access::Store => mmio::write32(address, 0x5a5a_5a5a),
        _ => drop(mmio::read32(address)),
    });
    survived("abort", DATA_ABORT, result);
}

/// Executes where nothing is.
pub fn jump(profile: &Profile) {
    let address = if profile.address == 0 { BEYOND } else { profile.address };
    console::line(format_args!("mode jump: {address:#x}"));
    let result = probe(|| {
        // SAFETY: the callee does not exist; the probe returns to after the branch.
        unsafe { asm!("blr {}", in(reg) address, clobber_abi("C")) }
    });
    survived("jump", INSTRUCTION_ABORT, result);
}

/// Accesses the distributor by instructions whose syndrome does not describe them. To emulate them would be right too.
pub fn malformed_mmio(profile: &Profile) {
    console::line(format_args!("mode mmio: {:?} access to the GIC distributor", profile.access));
    let expected = (mmio::read32(GICD), mmio::read32(GICD + 4));
    let mut got = expected;
    let result = probe(|| {
        let (first, second): (u32, u32);
        // SAFETY: reads two registers without side effects.
        unsafe {
            match profile.access {
                Access::WriteBack => asm!(
                    "ldr {:w}, [{at}], #4", "ldr {:w}, [{at}]",
                    out(reg) first, out(reg) second, at = inout(reg) GICD => _, options(nostack)
                ),
                Access::Exclusive => asm!(
                    "ldxr {:w}, [{at}]", "clrex", "ldr {:w}, [{at}, #4]",
                    out(reg) first, out(reg) second, at = in(reg) GICD, options(nostack)
                ),
                _ => asm!(
                    "ldp {:w}, {:w}, [{at}]", out(reg) first, out(reg) second, at = in(reg) GICD, options(nostack)
                ),
            }
        }
        got = (first, second);
    });
    match result {
        Ok(()) => report::equal(format_args!("mmio/emulated"), expected, got),
        Err(_) => survived("mmio", DATA_ABORT, result),
    }
}

/// The guest is still there: right if it got the exception.
fn survived(name: &str, class: u64, result: Result<(), Fault>) {
    let fits = result.is_err_and(|fault| fault.class() == class);
    report::holds(format_args!("{name}/exception at EL1"), fits, "the VM to stop, or an abort", &result);
}

macro_rules! undefined {
    ($name:literal, $($instruction:literal),+) => {{
        let result = probe(|| {
            // SAFETY: the instruction is expected not to execute; if it does, it touches nothing that is in use here.
            unsafe { asm!($($instruction),+, out("x9") _, options(nostack)) }
        });
        let fits = result.is_err_and(|fault| fault.class() == UNKNOWN);
        report::holds(format_args!("sysreg/{} undefined", $name), fits, "an exception of class 0", &result);
    }};
}

/// System registers that do not exist, and those of features that the identification registers do not show.
pub fn system_register() {
    // SAFETY: lets EL1 use vectors and matrices as far as EL1 decides, so that it is EL2 that refuses; nothing uses
    // them.
    unsafe { asm!("msr cpacr_el1, {}", "isb", in(reg) 0b11u64 << 24 | 0b11 << 20 | 0b11 << 16, options(nostack)) };
    undefined!("read of an implementation defined register", "mrs x9, s3_0_c15_c0_0");
    undefined!("write of an implementation defined register", "mov x9, xzr", "msr s3_0_c15_c0_0, x9");
    undefined!("implementation defined register of EL0", "mrs x9, s3_3_c15_c0_0");
    undefined!("implementation defined instruction", "mov x9, xzr", "sys #0, c11, c0, #0, x9");
    undefined!("PMCR_EL0", "mrs x9, pmcr_el0");
    undefined!("PMCCNTR_EL0", "mrs x9, pmccntr_el0");
    undefined!("ZCR_EL1", "mrs x9, s3_0_c1_c2_0");
    undefined!("SMCR_EL1", "mrs x9, s3_0_c1_c2_6");
    undefined!("GCR_EL1", "mrs x9, s3_0_c1_c0_6");
    undefined!("HCR_EL2", "mrs x9, hcr_el2");
    undefined!("VBAR_EL3", "mrs x9, s3_6_c12_c0_0");
}
