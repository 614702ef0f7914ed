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
mod passthrough;
mod power;
mod raspberry_pi;
mod sharing;
mod speculation;
mod watchdog;

use self::case::Case;

/// Every test in QEMU.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let all = [
        guests::CASES,
        described::CASES,
        damaged::CASES,
        management::CASES,
        linux::CASES,
        boards::CASES,
        boot_loader::CASES,
        console::CASES,
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
