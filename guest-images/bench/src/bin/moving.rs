//! A guest that saves and restores others, and those that it does this with.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::guest::console::Console;
    use bench::guest::manage::{WHILE, call, wait_for};
    use bench::guest::{gic, interrupt, measure};
    use bench::mark;
    use bench::moving::{MANAGER, PIECE, Step, VMS};
    use portcullis_abi::manage::{self, PHASE_CREATED, PHASE_PAUSED, PHASE_RUNNING, PHASE_STOPPED, TRANSFER_DONE};
    use portcullis_abi::map::RAM;

    const NAME: &str = "moving";
    const MIB: u64 = 1 << 20;

    bench::main!(first, other);

    fn first(configuration: Configuration, entered: u64) {
        gic::start_distributor(&configuration);
        gic::start_cpu(&configuration, 0);
        if configuration.flags & flag::PARTNER != 0 {
            partner(configuration.tests);
        }
        let mut console = Console::new(&configuration);
        measure::introduce(&mut console, NAME, entered);
        let all = (0..VMS.len()).try_for_each(measured);
        match all {
            Some(()) => measure::finish(&mut console, NAME),
            None => console.text("bench moving: a call was refused, or a VM did not come where it should").end(),
        }
    }

    fn other(_: Configuration, _: u64) {}

    /// Fills so many MiB of its RAM, the last ones, and waits.
    fn partner(filled: u64) -> ! {
        let size = VMS.iter().find(|(_, of)| u64::from(*of) == filled && filled > 0).map_or(0, |(size, _)| *size);
        let end = RAM + u64::from(size) * MIB;
        let mut at = end.wrapping_sub(filled * MIB);
        while filled > 0 && at < end {
            guest_mmio::write64(at, at.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            at += 8;
        }
        loop {
            interrupt::wait();
        }
    }

    /// Every step with one VM. None: something went wrong.
    fn measured(vm: usize) -> Option<()> {
        let number = vm as u64 + 1;
        wait_for(number, PHASE_RUNNING)?;
        // Until it has filled what it fills.
        interrupt::sleep(20 * WHILE);
        call(manage::PAUSE, [number, 0])?;
        wait_for(number, PHASE_PAUSED)?;
        let mut length = run(Step::Save, number, 0)?;
        measure::end_test(mark::WARM_UP);
        for step in [Step::Save, Step::SavePieces, Step::Restore, Step::RestorePieces] {
            if !step.is_save() {
                call(manage::STOP, [number, 0])?;
                wait_for(number, PHASE_STOPPED)?;
                call(manage::RECREATE, [number, 0])?;
                wait_for(number, PHASE_CREATED)?;
            }
            length = run(step, number, length)?;
            measure::end_test(step.test(vm) as u64);
        }
        Some(())
    }

    /// Saves or restores the VM as a whole, and returns the bytes of its stream.
    fn run(step: Step, vm: u64, length: u64) -> Option<u64> {
        let begin = if step.is_save() { manage::SAVE } else { manage::RESTORE };
        let mut done = 0;
        measure::start_window();
        call(begin, [vm, 0])?;
        loop {
            if step.is_of_pieces() {
                measure::end_window();
                measure::start_window();
            }
            let room = if step.is_save() { PIECE as u64 } else { (length - done).min(PIECE as u64) };
            let [bytes, progress] = call(manage::TRANSFER, [RAM + u64::from(MANAGER / 2) * MIB + done, room])?;
            done += bytes;
            if progress == TRANSFER_DONE {
                measure::end_window();
                return Some(done);
            }
        }
    }
}
