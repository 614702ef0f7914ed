//! From a call to its verdict.

use portcullis_abi::{function, result};

use crate::call::Call;
use crate::discovery::Door;
use crate::filter::Filter;
use crate::function::Function;
use crate::function_id::FunctionId;
use crate::profile::Profile;
use crate::register::Register;
use crate::verdict::{Return, Verdict};

/// What becomes of `call` in a VM with this profile and range filter.
///
/// The order: a conduit that is closed or an immediate that is not zero is refused; then an identifier that SMCCC 1.1
/// does not define or, from AArch32 state, one of the SMC64 convention; then the filter; then the firmware registers.
/// The path has no loop but the search in the filter, at most 32 ranges long, and changes nothing.
pub fn decide(profile: Profile, filter: Option<&Filter>, call: &Call) -> Verdict {
    pass(Door { profile, filter, denies: true, aarch32: call.aarch32 }, call)
}

/// As [`decide`] for a VM that is watched to learn what it needs: ranges of the filter that are refused count for nothing,
/// ranges that go to EL3 still do, since nobody else has their answer.
pub fn decide_watched(profile: Profile, filter: Option<&Filter>, call: &Call) -> Verdict {
    pass(Door { profile, filter, denies: false, aarch32: call.aarch32 }, call)
}

fn pass(door: Door<'_>, call: &Call) -> Verdict {
    let profile = door.profile;
    if !profile.conduits().contains(call.conduit) || call.immediate != 0 {
        return Verdict::Deny;
    }
    let route = door.route(call.function());
    if call.function() == FunctionId(function::TRNG_FEATURES) && route != Route::Refuse {
        return door.trng_features(asked(call));
    }
    match route {
        Route::Refuse => Verdict::Deny,
        Route::Forward => Verdict::Forward,
        Route::Function(Function::Served(service)) => Verdict::Serve(service),
        Route::Function(function) => Verdict::Answer(answer(function, &door, call)),
    }
}

/// The least that a VM's profile must hold for `function` to be offered; `None` for a function that does not exist. For a
/// VM that is watched to learn what it needs.
pub fn requirement(function: FunctionId) -> Option<Profile> {
    Function::of(function).filter(|_| function.is_well_formed()).map(Function::requirement)
}

/// Where the door lets a call through to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nowhere.
    Refuse,
    /// To EL3.
    Forward,
    /// To a function of ours that this VM is offered.
    Function(Function),
}

/// The function that a discovery call asks about: an identifier, 32 bits wide whatever the caller's convention.
fn asked(call: &Call) -> FunctionId {
    let [_, x1, ..] = call.x;
    FunctionId::from_x0(x1)
}

/// The answer of a function that needs no more than the profile and the filter.
fn answer(function: Function, door: &Door<'_>, call: &Call) -> Return {
    let asked = asked(call);
    match function {
        Function::SmcccVersion => Return::value(function::SMCCC_VERSION_1_1.into()),
        Function::ArchFeatures => Return::code(door.arch_features(asked)),
        Function::Workaround(_) => Return::SUCCESS,
        Function::PsciVersion => Return::value(door.profile.register(Register::PsciVersion)),
        Function::PsciFeatures => Return::code(door.features_of(asked, Function::is_psci)),
        Function::MigrateInfoType => Return::code(result::PSCI_MIGRATION_NOT_REQUIRED),
        Function::TrngVersion => Return::value(function::TRNG_VERSION_1_0.into()),
        Function::PvTimeFeatures => Return::code(door.features_of(asked, Function::is_pv_time)),
        Function::VendorUid => Return::words(function::VENDOR_UID_WORDS),
        Function::VendorFeatures => door.vendor_features(),
        // Both were decided before.
        Function::TrngFeatures | Function::Served(_) => Return::NOT_SUPPORTED,
    }
}
