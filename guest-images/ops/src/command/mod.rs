//! The commands: a file for each group, and the table of all.

mod audit;
mod clock;
mod counters;
pub mod entry;
mod filter;
mod general;
mod lifecycle;
mod links;
mod logs;
mod registers;
#[cfg(any(test, feature = "testing"))]
mod testing;
mod trace;
mod vms;
mod waiting;

use self::entry::{Command, Commands};

/// Every command in the order of the help; the commands for tests are in a build for tests only.
pub static COMMANDS: Commands = &[
    SHELL,
    #[cfg(any(test, feature = "testing"))]
    testing::COMMANDS,
];

/// The commands that every build has.
const SHELL: &[&Command] = &[
    &vms::VMS,
    &registers::REGS,
    &registers::GET,
    &registers::SET,
    &registers::CLEAR,
    &registers::RULE,
    &filter::FILTER,
    &lifecycle::START,
    &lifecycle::PAUSE,
    &lifecycle::RESUME,
    &lifecycle::STOP,
    &lifecycle::RESTART,
    &lifecycle::RECREATE,
    &lifecycle::FORGET,
    &links::LINKS,
    &counters::STATS,
    &counters::REFUSED,
    &logs::LOGS,
    &trace::TRACE,
    &audit::AUDIT,
    &clock::TIME,
    &waiting::WAIT,
    &waiting::SLEEP,
    &general::ECHO,
    &general::EXIT,
    &general::POWER,
    &general::HELP,
];
