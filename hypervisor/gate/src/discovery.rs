//! What a guest is told about its own door.
//!
//! Every answer comes from [`Door::route`], by which the calls themselves are decided, so none can differ from what the
//! call would do.

use portcullis_abi::{firmware, function, result};

use crate::decide::Route;
use crate::filter::{Action, Filter};
use crate::function::Function;
use crate::function_id::FunctionId;
use crate::profile::Profile;
use crate::register::Register;
use crate::verdict::{Return, Verdict};

/// The vendor functions that have a bit in the first word of the feature call.
const VENDOR_WORD: [(u32, u64); 2] =
    [(function::VENDOR_FEATURES, firmware::VENDOR_HYP_FUNC_FEAT), (function::VENDOR_PTP, firmware::VENDOR_HYP_PTP)];
/// The vendor functions that have a bit in the third word of the feature call.
const VENDOR_WORD_2: [(u32, u64); 2] = [
    (function::VENDOR_IMPL_VERSION, firmware::VENDOR_HYP_2_IMPL_VERSION),
    (function::VENDOR_IMPL_CPUS, firmware::VENDOR_HYP_2_IMPL_CPUS),
];

/// One caller's view of the gate.
pub struct Door<'a> {
    /// The VM's policy.
    pub profile: Profile,
    /// The VM's range filter.
    pub filter: Option<&'a Filter>,
    /// Whether the filter's ranges that are refused count.
    pub denies: bool,
    /// The caller is in AArch32 state, where the SMC64 convention does not exist (DEN0028).
    pub aarch32: bool,
}

impl Door<'_> {
    /// Where a call of `id` goes.
    pub fn route(&self, id: FunctionId) -> Route {
        if !id.is_well_formed() || (self.aarch32 && id.is_64()) {
            return Route::Refuse;
        }
        match self.filter.map_or(Action::Handle, |filter| filter.action(id)) {
            Action::Deny if self.denies => return Route::Refuse,
            Action::Forward => return Route::Forward,
            Action::Deny | Action::Handle => {}
        }
        match Function::of(id) {
            Some(function) if function.is_offered(self.profile) => Route::Function(function),
            _ => Route::Refuse,
        }
    }

    /// `SMCCC_ARCH_FEATURES` (DEN0028 section 7.3).
    pub fn arch_features(&self, asked: FunctionId) -> i64 {
        match Function::of(asked) {
            Some(Function::Workaround(register)) => workaround_features(register, self.profile.register(register)),
            Some(Function::SmcccVersion | Function::ArchFeatures | Function::PvTimeFeatures) => {
                self.features_of(asked, |_| true)
            }
            _ => result::NOT_SUPPORTED,
        }
    }

    /// `TRNG_FEATURES` (DEN0098 section 2.3): who serves a function also says whether it exists, so a question about one
    /// that goes to EL3 goes there too.
    pub fn trng_features(&self, asked: FunctionId) -> Verdict {
        match self.route(asked) {
            Route::Forward => Verdict::Forward,
            _ => Verdict::Answer(Return::code(self.features_of(asked, Function::is_trng))),
        }
    }

    /// The answer of a discovery call of one service: 0 if the function is one of `belongs` and can be called.
    pub fn features_of(&self, asked: FunctionId, belongs: impl Fn(Function) -> bool) -> i64 {
        let known = Function::of(asked).is_some_and(belongs);
        if known && self.route(asked) != Route::Refuse { 0 } else { result::NOT_SUPPORTED }
    }

    /// The vendor feature call: a bit per function that can be called, functions 0 to 63 in x0, 64 to 127 in x2.
    pub fn vendor_features(&self) -> Return {
        Return([self.vendor_word(&VENDOR_WORD), 0, self.vendor_word(&VENDOR_WORD_2), 0])
    }

    fn vendor_word(&self, functions: &[(u32, u64)]) -> u64 {
        let bit = |&(id, bit): &(u32, u64)| if self.route(FunctionId(id)) == Route::Refuse { 0 } else { bit };
        functions.iter().map(bit).fold(0, |word, bit| word | bit)
    }
}

/// What `SMCCC_ARCH_FEATURES` says about a workaround at this level.
const fn workaround_features(register: Register, level: u64) -> i64 {
    match (register, level) {
        (Register::Workaround2, firmware::WORKAROUND_2_NOT_REQUIRED) => result::SMCCC_NOT_REQUIRED,
        (Register::Workaround1 | Register::Workaround3, firmware::WORKAROUND_AVAILABLE) => 0,
        (Register::Workaround1 | Register::Workaround3, firmware::WORKAROUND_NOT_REQUIRED) => 1,
        _ => result::NOT_SUPPORTED,
    }
}
