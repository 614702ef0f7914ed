//! Which way a call goes: refused, to EL3, or to a function of ours.

use crate::filter::Ranges;
use crate::function::Function;
use crate::function_id::FunctionId;
use crate::identifiers::Action;
use crate::offer::is_offered;
use crate::profile::Profile;
use crate::table;

/// Where the door lets a call through to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nowhere.
    Refuse,
    /// To EL3.
    Forward,
    /// To a function of ours that this VM is offered.
    Function(&'static Function),
}

/// One caller's view of the gate.
pub struct Door<'a> {
    /// The VM's policy.
    pub profile: Profile,
    /// The VM's range filter.
    pub filter: Option<&'a dyn Ranges>,
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
        match table::find(id) {
            Some(function) if is_offered(function, self.profile) => Route::Function(function),
            _ => Route::Refuse,
        }
    }
}
