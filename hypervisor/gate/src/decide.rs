//! From a call to its verdict.

use portcullis_abi::function;

use crate::call::Call;
use crate::filter::Ranges;
use crate::function::{Function, Reply};
use crate::function_id::FunctionId;
use crate::profile::Profile;
use crate::route::{Door, Route};
use crate::verdict::{Return, Service, Verdict};

/// What becomes of `call` in a VM with this profile and range filter.
///
/// The order: a conduit that is closed or an immediate that is not zero is refused; then an identifier that SMCCC 1.1
/// does not define or, from AArch32 state, one of the SMC64 convention; then the filter; then the firmware registers.
/// The path has no loop but the search in the filter, at most 32 ranges long, and changes nothing.
pub fn decide(profile: Profile, filter: Option<&dyn Ranges>, call: &Call) -> Verdict {
    pass(Door { profile, filter, denies: true, aarch32: call.aarch32 }, call)
}

/// As [`decide`] for a VM that is watched to learn what it needs: ranges of the filter that are refused count for nothing,
/// ranges that go to EL3 still do, since nobody else has their answer.
pub fn decide_watched(profile: Profile, filter: Option<&dyn Ranges>, call: &Call) -> Verdict {
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
        Route::Function(function) => reply(function, &door, call),
    }
}

/// The function that a discovery call asks about: an identifier, 32 bits wide whatever the caller's convention.
fn asked(call: &Call) -> FunctionId {
    let [_, x1, ..] = call.x;
    FunctionId::from_x0(x1)
}

/// What a function that is offered answers, as far as the profile and the filter say it.
fn reply(function: &Function, door: &Door<'_>, call: &Call) -> Verdict {
    Verdict::Answer(match function.reply {
        Reply::Serve(service) => return Verdict::Serve(service),
        Reply::Manage => return Verdict::Serve(Service::Management(call.function().0)),
        Reply::Words(words) => Return::words(words),
        Reply::Register(register) => Return::value(door.profile.register(register)),
        Reply::Features(query) => Return::code(door.features(query, asked(call))),
        Reply::VendorWords => door.vendor_features(),
    })
}
