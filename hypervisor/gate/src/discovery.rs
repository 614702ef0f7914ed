//! What a guest is told about its own door.
//!
//! Every answer comes from [`Door::route`], by which the calls themselves are decided, so none can differ from what the
//! call would do.

use portcullis_abi::{firmware, result};

use crate::function::{Function, Need, Query, Reply};
use crate::function_id::FunctionId;
use crate::register::Register;
use crate::route::{Door, Route};
use crate::table;
use crate::verdict::{Return, Service, Verdict};

/// Functions with a bit in one of the vendor's feature words.
const WORD: u16 = 64;

impl Door<'_> {
    /// The answer of a discovery call of one service: 0, or the function's flags, if it knows the function and the function can
    /// be called. About a workaround `SMCCC_ARCH_FEATURES` tells the level instead (DEN0028 section 7.3).
    pub fn features(&self, query: Query, asked: FunctionId) -> i64 {
        match table::find(asked).filter(|function| function.queries.contain(query)) {
            Some(&Function { need: Need::Level(register), .. }) => {
                workaround_features(register, self.profile.register(register))
            }
            Some(function) if self.route(asked) != Route::Refuse => match function.reply {
                Reply::Serve(Service::Psci(function, _)) => function.features(),
                _ => 0,
            },
            _ => result::NOT_SUPPORTED,
        }
    }

    /// `TRNG_FEATURES` (DEN0098 section 2.3): who serves a function also says whether it exists, so a question about one
    /// that goes to EL3 goes there too.
    pub fn trng_features(&self, asked: FunctionId) -> Verdict {
        match self.route(asked) {
            Route::Forward => Verdict::Forward,
            _ => Verdict::Answer(Return::code(self.features(Query::Trng, asked))),
        }
    }

    /// The vendor feature call: a bit per function that can be called, functions 0 to 63 in x0, 64 to 127 in x2.
    pub fn vendor_features(&self) -> Return {
        let word = |word: u16| {
            let numbers = table::known_to(Query::Vendor).filter_map(|function| {
                let id = FunctionId(function.id);
                (id.number() / WORD == word && self.route(id) != Route::Refuse).then_some(id.number() % WORD)
            });
            numbers.fold(0, |bits, number| bits | 1 << number)
        };
        Return([word(0), 0, word(1), 0])
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
