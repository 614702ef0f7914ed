//! Stops the board's watchdogs: whichever of them a boot loader has left running, nobody here would tell it that all is well.

use portcullis_arch::probe;

use crate::drivers::watchdog::Found;
use crate::facts::watchdogs::{WATCHDOGS, Watchdog, Watchdogs};

/// Stops those that a boot loader has left running. A line says so, and another one which could not be stopped.
///
/// # Safety
///
/// Their registers must be mapped as device memory, if there is a device, and used by nothing else; the calling core must not
/// have an anchor yet.
pub unsafe fn stop(watchdogs: &Watchdogs) {
    // SAFETY: passed on to the caller.
    unsafe { stop_each(watchdogs, report) };
    if watchdogs.more != 0 {
        log::warn!(
            "the device tree has {} more watchdogs than the {WATCHDOGS} that there is room for: these are left alone, and one that \
             runs will reset the machine; have the boot loader not start it, or disable its node",
            watchdogs.more
        );
    }
}

/// Says what was found of a watchdog; none: nothing answers where it is.
fn report(watchdog: &Watchdog, found: Option<Found>) {
    let (name, address) = (watchdog.driver.name, watchdog.registers.start);
    match found {
        Some(Found::Idle) => {}
        Some(Found::Stopped) => log::info!("{name} at {address:#x} {}", Found::Stopped),
        Some(Found::Runs) => log::warn!("{name} at {address:#x} {}", Found::Runs),
        None => log::warn!("{name} at {address:#x}, of the device tree, does not answer: whether it runs is not known"),
    }
}

/// Stops each of them, and tells of each what was found.
///
/// # Safety
///
/// As for [`stop`].
unsafe fn stop_each(watchdogs: &Watchdogs, mut told: impl FnMut(&Watchdog, Option<Found>)) {
    for watchdog in watchdogs.iter() {
        let Some(stop) = watchdog.driver.watchdog() else { continue };
        let address = watchdog.registers.start;
        // SAFETY: passed on to the caller; the first register of none of these changes when it is read. One that is there may
        // be the Secure world's alone: nobody answers then.
        let found = match address.is_multiple_of(4) && unsafe { probe::answers(address) } {
            // SAFETY: passed on to the caller; there it is.
            true => unsafe { stop.stop(watchdog.registers) },
            false => None,
        };
        told(watchdog, found);
    }
}

#[cfg(test)]
mod tests {
    use portcullis_board::Range;

    use super::*;
    use crate::drivers::{sbsa_watchdog, sp805};

    /// Registers of an SP805 (DDI 0270, chapter 3): WdogControl is the third one. In memory, WdogLock is so, too.
    #[repr(C, align(4096))]
    struct Sp805([u32; 1024]);

    impl Sp805 {
        fn new(control: u32) -> Box<Self> {
            let mut block = Box::new(Self([0; 1024]));
            block.0[2] = control;
            block
        }

        fn registers(&mut self) -> Range {
            Range::sized(self.0.as_mut_ptr() as u64, size_of::<Self>() as u64)
        }
    }

    fn sp805(registers: Range) -> Watchdog {
        Watchdog { driver: &sp805::DRIVER, registers }
    }

    #[test]
    fn each_one_of_a_kind_is_stopped() {
        let mut blocks = [0b11, 0, 0b01, 0b11].map(Sp805::new);
        let mut watchdogs = Watchdogs::default();
        for block in &mut blocks {
            watchdogs.note(sp805(block.registers()));
        }
        let mut found = Vec::new();
        // SAFETY: the registers are blocks of memory, and this test's own.
        unsafe { stop_each(&watchdogs, |_, one| found.push(one)) };
        assert_eq!(found, [Found::Stopped, Found::Idle, Found::Stopped, Found::Stopped].map(Some));
        assert!(blocks.iter().all(|block| block.0[2] & 0b11 == 0));
        // The second time there is nothing left to be done.
        found.clear();
        // SAFETY: as above.
        unsafe { stop_each(&watchdogs, |_, one| found.push(one)) };
        assert_eq!(found, [Some(Found::Idle); 4]);
    }

    #[test]
    fn one_that_does_not_answer_keeps_no_other_one_running() {
        let mut block = Sp805::new(0b11);
        let mut watchdogs = Watchdogs::default();
        // On the host nothing answers at address 0 alone.
        watchdogs.note(Watchdog { driver: &sbsa_watchdog::DRIVER, registers: Range::sized(0, 0x1000) });
        watchdogs.note(sp805(Range::sized(block.registers().start + 2, 0x1000)));
        watchdogs.note(sp805(block.registers()));
        let mut found = Vec::new();
        // SAFETY: as above; of the first two nothing is read.
        unsafe { stop_each(&watchdogs, |watchdog, one| found.push((watchdog.driver.name, one))) };
        let (sp805, generic) = (sp805::DRIVER.name, sbsa_watchdog::DRIVER.name);
        assert_eq!(found, [(generic, None), (sp805, None), (sp805, Some(Found::Stopped))]);
    }
}
