//! What a core's speculation lets a guest learn, and what is done about it: by its ID registers and by what EL3 answers.
//!
//! Three things are looked at, each by itself: where indirect branches are predicted to go ([`Targets`], CVE-2017-5715), what the
//! history of branches makes of that ([`History`], CVE-2022-23960), and loads that overtake stores ([`Stores`], CVE-2018-3639).
//! [`Protection`] has all of them of one core, and what follows: the levels of the workaround registers, what exits from guests
//! begin with, what a change of vCPUs begins with, and what guests read of CSV2 and CSV3. It is numbers in, a decision out.
//!
//! Sources: Arm, "Cache Speculation Side-channels" and "Spectre-BHB: Speculative Target Reuse Attacks" with its table of loops;
//! SMCCC (DEN0028), section 7, for what EL3 answers; Arm ARM for the ID registers. Which cores are affected where these do not name
//! them is as Linux 7.3 has it (arch/arm64/kernel/proton-pack.c).

mod answers;
mod identity;
mod levels;
mod parts;
mod policy;
#[cfg(test)]
mod tests;
mod words;

pub use self::answers::{Answer, Answers};
pub use self::identity::Identity;
pub use self::levels::Levels;
pub use self::policy::{AtChange, History, Protection, Stores, Targets};
