//! The tests in QEMU, by what they are about.

mod boards;
mod boot_loader;
pub mod case;
mod console;
mod damaged;
mod described;
mod firmware;
mod guests;
mod links;
mod linux;
mod loaders;
mod management;
mod moving;
mod package;
mod passthrough;
mod power;
mod raspberry_pi;
mod sharing;
mod speculation;
mod tf_a;
mod watchdog;

use self::case::Case;
use crate::board::Board;

/// The tests of the machines in the README's matrix.
pub const MATRIX: [&str; 14] = [
    "conformance",
    "linux",
    "tf-a-conformance",
    "tf-a-linux",
    "conformance-gicv2",
    "linux-gicv2",
    "raspi4b-conformance",
    "raspi4b-linux",
    "raspi4b-tf-a-conformance",
    "raspi4b-tf-a-linux",
    "zcu102-conformance",
    "zcu102-linux",
    "versal-conformance",
    "versal-linux",
];

/// Whether the test with this name is of a board, or of a machine that is not as others are.
pub fn is_of_board(name: &str) -> bool {
    let other = |case: &&Case| case.board != Board::QemuVirt || boards::CASES.iter().any(|one| one.name == case.name);
    all().filter(other).any(|case| case.name == name)
}

/// Every test in QEMU.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let all = [
        guests::CASES,
        described::CASES,
        damaged::CASES,
        management::CASES,
        moving::CASES,
        package::CASES,
        linux::CASES,
        boards::CASES,
        boot_loader::CASES,
        console::CASES,
        tf_a::CASES,
        firmware::CASES,
        loaders::CASES,
        loaders::EFI_CASES,
        raspberry_pi::CASES,
        passthrough::CASES,
        power::CASES,
        sharing::CASES,
        speculation::CASES,
        watchdog::CASES,
        links::CASES,
    ];
    all.into_iter().flatten()
}

#[cfg(test)]
mod tests;
