//! One file for each device that EL2 itself drives, and what drivers share.

pub mod bcm2835_aux_uart;
pub mod bcm2835_pm;
pub mod bcm2835_timer;
pub mod cadence_uart;
pub mod cadence_watchdog;
pub mod edge;
pub mod gicd;
pub mod gicr;
pub mod gicv2;
pub mod gicv3;
pub mod imx_uart;
pub mod line;
pub mod meson_uart;
pub mod meson_watchdog;
pub mod mtk_sysirq;
pub mod ns16550;
pub mod pl011;
pub mod pl031;
pub mod psci;
pub mod rate;
pub mod redistributors;
pub mod rndrrs;
pub mod rng200;
pub mod sbsa_watchdog;
pub mod seconds;
pub mod seize;
pub mod sp805;
pub mod spin_table;
pub mod sunxi_watchdog;
pub mod watchdog;
pub mod zynqmp_rtc;

use crate::driver::Driver;

/// The drivers that are picked by what the device tree lists. A console that nothing names is that of the foremost of them that the
/// board has.
pub const DRIVERS: [&Driver; 18] = [
    &pl011::DRIVER,
    &bcm2835_aux_uart::DRIVER,
    &cadence_uart::DRIVER,
    &ns16550::PLAIN,
    &ns16550::WORDS,
    &ns16550::TI,
    &imx_uart::DRIVER,
    &meson_uart::DRIVER,
    &pl031::DRIVER,
    &zynqmp_rtc::DRIVER,
    &rng200::DRIVER,
    &bcm2835_pm::DRIVER,
    &bcm2835_timer::DRIVER,
    &sbsa_watchdog::DRIVER,
    &sp805::DRIVER,
    &cadence_watchdog::DRIVER,
    &meson_watchdog::DRIVER,
    &sunxi_watchdog::DRIVER,
];

/// How many of them drive something else than consoles and watchdogs.
pub const OTHERS: usize = {
    let (mut count, mut rest) = (0, DRIVERS.as_slice());
    while let [driver, others @ ..] = rest {
        count += (!driver.is_serial() && driver.watchdog().is_none()) as usize;
        rest = others;
    }
    count
};

/// Which lengths the names in the list have, a bit for each: most nodes of a board are nobody's, and are known by that at once.
const LENGTHS: u64 = {
    let (mut lengths, mut rest) = (0, DRIVERS.as_slice());
    while let [driver, others @ ..] = rest {
        let mut names = driver.compatible;
        while let [name, more @ ..] = names {
            lengths |= 1 << name.len();
            names = more;
        }
        rest = others;
    }
    lengths
};

/// The driver of nodes with this `compatible` string.
pub fn find(compatible: &[u8]) -> Option<&'static Driver> {
    let length = 1u64.checked_shl(compatible.len() as u32)?;
    if LENGTHS & length == 0 { None } else { DRIVERS.into_iter().find(|driver| driver.drives(compatible)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_one_driver() {
        for (index, driver) in DRIVERS.iter().enumerate() {
            assert!(!driver.compatible.is_empty(), "{driver:?}");
            for compatible in driver.compatible {
                assert_eq!(find(compatible), Some(*driver));
                let others = DRIVERS.iter().skip(index + 1);
                assert!(others.into_iter().all(|other| !other.drives(compatible) && other.name != driver.name));
            }
        }
        assert_eq!(find(b"arm,pl01"), None);
    }
}
