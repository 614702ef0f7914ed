//! What a VM is offered: the gate itself.

use portcullis_abi::firmware;
use portcullis_abi::function::PSCI_VERSION_1_0;

use crate::function::{Function, Need};
use crate::function_id::FunctionId;
use crate::layout;
use crate::profile::Profile;
use crate::register::Register;
use crate::table;

/// Whether a VM with this profile is offered the function.
pub const fn is_offered(function: &Function, profile: Profile) -> bool {
    match function.need {
        Need::Nothing => true,
        Need::Psci(version) => profile.psci_version() >= version,
        Need::Bit(register, bit) => profile.register(register) & bit != 0,
        // Discovery says that WORKAROUND_2 is missing or not required. Either is negative: there is no such call.
        Need::Level(Register::Workaround2) => false,
        Need::Level(register) => profile.register(register) != 0,
        Need::Suspend => profile.psci_version() >= PSCI_VERSION_1_0 && profile.may_suspend(),
        Need::Soc => profile.is_told_soc(),
        Need::Control => profile.is_control(),
    }
}

/// The least that a VM's profile must hold for `function` to be offered: bits, a PSCI version, workaround levels, and
/// nothing else of the word; `None` for a function that does not exist. For a VM that is watched to learn what it needs.
pub fn requirement(function: FunctionId) -> Option<Profile> {
    let none = Profile(0);
    table::find(function).filter(|_| function.is_well_formed()).map(|function| match function.need {
        Need::Nothing => none,
        Need::Psci(version) => none.with(Register::PsciVersion, version.into()),
        Need::Bit(register, bit) => none.with(register, bit),
        Need::Level(register) => none.with(register, firmware::WORKAROUND_AVAILABLE),
        Need::Suspend => none.with(Register::PsciVersion, PSCI_VERSION_1_0.into()).with_suspend(),
        Need::Soc => none.with_soc(),
        Need::Control => Profile(1 << layout::CONTROL_BIT),
    })
}
