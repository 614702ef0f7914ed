//! The commands for tests: of the hypervisor from its control VM, and of other VMs from there.

mod again;
mod call;
mod check;
mod cycle;
mod disturbed;
mod fuzz;
mod moving;
mod peers;
mod selftest;

use super::entry::Command;

/// Every command for tests in the order of the help.
pub const COMMANDS: &[&Command] = &[
    &check::EXPECT,
    &check::CHECK,
    &disturbed::DISTURBED,
    &call::CALL,
    &selftest::SELFTEST,
    &peers::PEERS,
    &fuzz::FUZZ,
    &cycle::CYCLE,
    &moving::MOVE,
    &again::MOVES,
    &moving::KEEP,
    &moving::TAKE,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::entry::TESTING;

    /// A build without these commands says of each of them where it is.
    #[test]
    fn every_command_is_known_by_name_to_every_build() {
        assert!(COMMANDS.iter().map(|command| command.name).eq(TESTING));
    }
}
