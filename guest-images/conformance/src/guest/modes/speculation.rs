//! What the guest is told about speculation: levels of the workarounds, ID registers that agree, calls that do nothing else.

use conformance::model::WORKAROUNDS;
use conformance::profile::Profile;
use guest_runtime::console;
use guest_runtime::power::Conduit;
use portcullis_abi::function::{ARCH_FEATURES, ARCH_WORKAROUND_2};
use portcullis_abi::result::SMCCC_NOT_REQUIRED;

use crate::guest::door::{Door, REFUSED, code};
use crate::guest::report;

/// Levels as SMCCC_ARCH_FEATURES gives them, and fields of ID_AA64PFR0_EL1 and ID_AA64PFR1_EL1, a line that a test reads; then
/// calls of what there is.
pub fn run(profile: &Profile) {
    let [csv2, csv3] = [56, 60].map(|shift| features_0() >> shift & 0xf);
    let ssbs = features_1() >> 4 & 0xf;
    for conduit in [Conduit::Hvc, Conduit::Smc] {
        let door = Door::new(conduit);
        let levels =
            WORKAROUNDS.map(|function| door.call(ARCH_FEATURES.into(), [function.into(), 0, 0]).x[0].cast_signed());
        let [first, second, third] = levels;
        let name = door.name();
        console::line(format_args!(
            "speculation by {name}: workarounds {first} {second} {third}, CSV2 {csv2}, CSV3 {csv3}, SSBS {ssbs}"
        ));
        report::equal(
            format_args!("{name}/speculation/CSV2 says that WORKAROUND_1 is not needed"),
            first == 1,
            csv2 != 0,
        );
        let known = [SMCCC_NOT_REQUIRED, REFUSED[0].cast_signed()].contains(&second);
        report::holds(format_args!("{name}/speculation/WORKAROUND_2"), known, "-1 or -2", &second);
        report::holds(
            format_args!("{name}/speculation/WORKAROUND_3"),
            third <= first,
            "not above WORKAROUND_1",
            &third,
        );
        for (function, level) in
            WORKAROUNDS.into_iter().zip(levels).filter(|(function, _)| *function != ARCH_WORKAROUND_2)
        {
            let expected = if level < 0 { REFUSED } else { code(0) };
            let wrong = (0..profile.calls).map(|_| door.call(function.into(), [0; 3]));
            let wrong = wrong.filter(|answer| answer.x != expected || answer.changed.is_some()).count();
            report::equal(format_args!("{name}/speculation/calls of {function:#x} that went wrong"), 0, wrong);
        }
    }
}

fn features_0() -> u64 {
    let value: u64;
    // SAFETY: it reads an ID register.
    unsafe { core::arch::asm!("mrs {}, id_aa64pfr0_el1", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

fn features_1() -> u64 {
    let value: u64;
    // SAFETY: it reads an ID register.
    unsafe { core::arch::asm!("mrs {}, id_aa64pfr1_el1", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}
