//! What follows of a core's registers and of EL3's answers.

use portcullis_abi::firmware::{
    WORKAROUND_2_NOT_REQUIRED, WORKAROUND_AVAILABLE, WORKAROUND_NOT_AVAILABLE, WORKAROUND_NOT_REQUIRED,
};
use portcullis_abi::function::{ARCH_WORKAROUND_1, ARCH_WORKAROUND_3};
use portcullis_arch::hardening::Hardening;
use portcullis_board::Firmware;

use super::answers::{self, Answer, Answers};
use super::identity::Identity;
use super::levels::Levels;
use super::parts::{self, Known};

/// Whether what a guest has trained says where an indirect branch of EL2, or of another guest, is predicted to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// No: CSV2.
    Apart,
    /// No: the core is known.
    NotAffected,
    /// No: EL3 says so.
    FirmwareSays,
    /// Not behind a call of this workaround at EL3, with which every exit begins: it invalidates what was learnt.
    Call(u32),
    /// Yes.
    Exposed,
}

/// Whether the branches that a guest has taken choose among the targets that EL2's own have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// No: CSV2_3.
    Apart,
    /// No: ECBHB.
    Hidden,
    /// No: the core is known.
    NotAffected,
    /// No: EL3 says so of a core whose history is EL3's to clear.
    FirmwareSays,
    /// Not behind the call of this workaround, with which every exit begins.
    Call(u32),
    /// Not behind CLRBHB, with which every exit begins.
    Clear,
    /// Not behind a loop of so many iterations, with which every exit begins.
    Loop(u8),
    /// Yes.
    Exposed,
}

/// Whether a load that overtakes a store shows what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// No: the core is known.
    NotAffected,
    /// As PSTATE.SSBS says, which is a guest's own, and EL2 has it clear.
    Bit,
    /// No: EL3 says that the core is not affected, or keeps it from that.
    FirmwareSays,
    /// Not since EL3 was called, once and for good.
    SwitchedOn,
    /// Yes.
    Exposed,
}

/// What keeps two vCPUs on one core from steering each other's branches when it changes from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtChange {
    /// The core itself does.
    Nothing,
    /// What the last exit began with has.
    AtExit,
    /// CFP RCTX does.
    Restrict,
    /// Nothing does.
    Exposed,
}

/// What holds on one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The name of the core, if it is known.
    pub name: Option<&'static str>,
    /// CVE-2017-5715, Spectre variant 2.
    pub targets: Targets,
    /// CVE-2022-23960, Spectre-BHB.
    pub history: History,
    /// CVE-2018-3639, Spectre variant 4.
    pub stores: Stores,
    /// CVE-2017-5754, Meltdown, does not concern it.
    pub tables: bool,
    /// CFP RCTX is there.
    can_restrict: bool,
}

impl Protection {
    /// Works out what holds on a core with these registers, where EL3 answers this.
    pub fn of(core: &Identity, el3: &Answers) -> Self {
        let part = parts::find(core.midr);
        let known = part.map(|part| part.known);
        let targets = targets(core, el3, known);
        Self {
            name: part.map(|part| part.name),
            targets,
            history: history(core, el3, known, targets),
            stores: stores(core, el3, known),
            tables: core.csv3() != 0
                || matches!(
                    known,
                    Some(Known::InOrder | Known::Loop { tables: true, .. } | Known::Firmware { tables: true })
                ),
            can_restrict: core.can_restrict(),
        }
    }

    /// What holds on the core on which this runs, for which EL3 does what it is to do once.
    pub fn here(firmware: Option<&dyn Firmware>) -> Self {
        let answers = firmware.map_or_else(Answers::default, Answers::ask);
        let protection = Self::of(&Identity::here(), &answers);
        if let (Stores::SwitchedOn, Some(firmware)) = (protection.stores, firmware) {
            answers::switch_on(firmware);
        }
        protection
    }

    /// What every exit from a guest begins with. What invalidates all that was learnt leaves nothing for the history to choose
    /// from.
    pub const fn at_exit(&self) -> Hardening {
        match (self.targets, self.history) {
            (Targets::Call(function), _) | (_, History::Call(function)) => Hardening::Call(function),
            (_, History::Clear) => Hardening::Clear,
            (_, History::Loop(count)) => Hardening::Loop(count),
            _ => Hardening::None,
        }
    }

    /// What keeps vCPUs that share the core apart.
    pub const fn at_change(&self) -> AtChange {
        match self.targets {
            Targets::Apart | Targets::NotAffected | Targets::FirmwareSays => AtChange::Nothing,
            Targets::Call(_) => AtChange::AtExit,
            Targets::Exposed if self.can_restrict => AtChange::Restrict,
            Targets::Exposed => AtChange::Exposed,
        }
    }

    /// Whether CVE-2017-5715 does not concern the core: what a guest reads of CSV2 is not 0 then.
    pub const fn keeps_targets(&self) -> bool {
        matches!(self.targets, Targets::Apart | Targets::NotAffected | Targets::FirmwareSays)
    }

    /// Whether the core needs nothing, and there is nothing to say of it.
    pub const fn needs_nothing(&self) -> bool {
        self.keeps_targets()
            && matches!(self.at_exit(), Hardening::None)
            && !matches!(self.history, History::Exposed)
            && !matches!(self.stores, Stores::SwitchedOn | Stores::Exposed)
    }

    /// The levels of the workaround registers that are true here.
    ///
    /// A guest's call of a workaround begins with what every exit does. WORKAROUND_3 is against both (DEN0028, section 7): where
    /// targets need EL3, it is there if EL3 has it, and the loop alone is not enough.
    pub const fn levels(&self) -> Levels {
        Levels {
            workaround_1: match self.targets {
                Targets::Apart | Targets::NotAffected | Targets::FirmwareSays => WORKAROUND_NOT_REQUIRED,
                Targets::Call(_) => WORKAROUND_AVAILABLE,
                Targets::Exposed => WORKAROUND_NOT_AVAILABLE,
            },
            workaround_2: match self.stores {
                Stores::NotAffected | Stores::FirmwareSays | Stores::SwitchedOn => WORKAROUND_2_NOT_REQUIRED,
                Stores::Bit | Stores::Exposed => WORKAROUND_NOT_AVAILABLE,
            },
            workaround_3: match (self.targets, self.history) {
                (Targets::Exposed, _) | (_, History::Exposed) => WORKAROUND_NOT_AVAILABLE,
                (Targets::Call(function), _) | (_, History::Call(function)) => match function {
                    ARCH_WORKAROUND_3 => WORKAROUND_AVAILABLE,
                    _ => WORKAROUND_NOT_AVAILABLE,
                },
                (_, History::Clear | History::Loop(_)) => WORKAROUND_AVAILABLE,
                (_, History::Apart | History::Hidden | History::NotAffected | History::FirmwareSays) => {
                    WORKAROUND_NOT_REQUIRED
                }
            },
        }
    }
}

fn targets(core: &Identity, el3: &Answers, known: Option<Known>) -> Targets {
    if core.csv2() != 0 {
        return Targets::Apart;
    }
    match (known, el3.workaround_1, el3.workaround_3) {
        (Some(Known::InOrder), ..) => Targets::NotAffected,
        (_, Answer::NotNeeded, _) => Targets::FirmwareSays,
        // WORKAROUND_3 does what WORKAROUND_1 does, and more.
        (.., Answer::Needed) => Targets::Call(ARCH_WORKAROUND_3),
        (_, Answer::Needed, _) => Targets::Call(ARCH_WORKAROUND_1),
        _ => Targets::Exposed,
    }
}

/// What EL3 answers of WORKAROUND_3 is about its own call: TF-A does not need one on cores that are to use the loop. So "not
/// needed" means "not affected" only where the history is EL3's to clear.
fn history(core: &Identity, el3: &Answers, known: Option<Known>, targets: Targets) -> History {
    if core.csv2() >= 3 {
        return History::Apart;
    }
    if core.hides_history() {
        return History::Hidden;
    }
    match (known, targets, el3.workaround_3) {
        (Some(Known::InOrder), ..) => History::NotAffected,
        (_, Targets::Call(function), _) => History::Call(function),
        _ if core.can_clear_history() => History::Clear,
        (Some(Known::Loop { count, .. }), ..) => History::Loop(count),
        (.., Answer::Needed) => History::Call(ARCH_WORKAROUND_3),
        (Some(Known::Firmware { .. }), _, Answer::NotNeeded) => History::FirmwareSays,
        _ => History::Exposed,
    }
}

fn stores(core: &Identity, el3: &Answers, known: Option<Known>) -> Stores {
    match (known, el3.workaround_2) {
        (Some(Known::InOrder), _) => Stores::NotAffected,
        _ if core.has_ssbs() => Stores::Bit,
        (_, Answer::NotNeeded) => Stores::FirmwareSays,
        (_, Answer::Needed) => Stores::SwitchedOn,
        (_, Answer::Unknown) => Stores::Exposed,
    }
}
