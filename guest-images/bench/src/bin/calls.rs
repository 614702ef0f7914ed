//! Measures firmware calls: batches of each call by HVC and by SMC. Prints what each returned and the ticks of the
//! shortest batch beyond those of the empty loop.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use core::arch::global_asm;

    use bench::calls::{CALLS, SMC};
    use bench::configuration::{Configuration, flag};
    use bench::guest::console::Console;
    use bench::guest::{measure, start};
    use bench::mark;

    global_asm!(include_str!("../calls.s"));

    unsafe extern "C" {
        fn loop_empty(rounds: u64, arguments: *const u64, results: *mut u64) -> u64;
        fn loop_hvc(rounds: u64, arguments: *const u64, results: *mut u64) -> u64;
        fn loop_smc(rounds: u64, arguments: *const u64, results: *mut u64) -> u64;
    }

    type Loop = unsafe extern "C" fn(u64, *const u64, *mut u64) -> u64;

    const NAME: &str = "calls";

    bench::main!(first, other);

    fn first(configuration: Configuration, entered: u64) {
        let mut console = Console::new(&configuration);
        if configuration.flags & flag::RESTART != 0 {
            console.text("bench ").text(NAME).text(": start to restart").end();
            restart(&configuration);
        }
        measure::introduce(&mut console, NAME, entered);
        if configuration.flags & flag::PATIENT != 0 {
            wait_for_time(&configuration);
        }
        for number in 1..u64::from(configuration.cores) {
            let result = start::cpu_on(&configuration, number);
            if result != 0 {
                console.text("bench calls: vCPU ").decimal(number).text(" not started: ").hexadecimal(result).end();
            }
        }
        let (_, empty) = batches(&configuration, loop_empty, &[0; 4]);
        for (conduit, function, skipped, offset) in
            [("hvc", loop_hvc as Loop, flag::NO_HVC, 0), ("smc", loop_smc as Loop, flag::NO_SMC, SMC)]
        {
            if configuration.flags & skipped != 0 {
                continue;
            }
            for (number, call) in CALLS.iter().enumerate() {
                if configuration.tests >> number & 1 == 0 {
                    continue;
                }
                console.text("call ").text(conduit).text(" ").text(call.name);
                measure::clear_exceptions();
                run(function, 1, &call.arguments());
                measure::end_test(mark::WARM_UP);
                let (count, syndrome) = measure::exceptions();
                if count != 0 {
                    console.text(" exception=").hexadecimal(syndrome).end();
                    continue;
                }
                let (results, ticks) = batches(&configuration, function, &call.arguments());
                measure::end_test((number + offset) as u64);
                console.text(" x0=").hexadecimal(results[0]).text(" x1=").hexadecimal(results[1]);
                console.text(" ticks=").decimal(ticks.saturating_sub(empty)).end();
            }
        }
        measure::finish(&mut console, NAME);
    }

    /// Waits until the PTP call is answered, or for so long that it never will be.
    fn wait_for_time(configuration: &Configuration) {
        const PTP: [u64; 4] = [0x8600_0001, 0, 0, 0];
        const NOT_SUPPORTED: u64 = u64::MAX;
        const SECONDS: u64 = 20;
        let begun = measure::count();
        while run(loop_hvc, 1, &PTP).0[0] == NOT_SUPPORTED {
            if measure::count().wrapping_sub(begun) > SECONDS * measure::frequency() {
                return;
            }
            if configuration.flags & flag::IDLE != 0 {
                measure::wait();
            }
        }
    }

    /// The other vCPUs call as well for as long as the first one measures.
    fn other(configuration: Configuration, _: u64) {
        loop {
            for call in &CALLS {
                run(loop_hvc, configuration.count, &call.arguments());
            }
        }
    }

    /// The results of the last call and the ticks of the shortest batch.
    fn batches(configuration: &Configuration, function: Loop, arguments: &[u64; 4]) -> ([u64; 4], u64) {
        let mut shortest = ([0; 4], u64::MAX);
        for _ in 0..configuration.batches {
            let (results, ticks) = run(function, configuration.count, arguments);
            shortest = (results, shortest.1.min(ticks));
        }
        shortest
    }

    fn run(function: Loop, count: u32, arguments: &[u64; 4]) -> ([u64; 4], u64) {
        let mut results = [0; 4];
        // SAFETY: the loops read four words and write four words; no measured call writes to this guest's memory.
        let ticks = unsafe { function(u64::from(count), arguments.as_ptr(), results.as_mut_ptr()) };
        (results, ticks)
    }

    /// Opens a window that the anchor of the new start closes, and resets the VM.
    fn restart(configuration: &Configuration) {
        // SAFETY: the instruction has no effect.
        unsafe { core::arch::asm!("sub xzr, xzr, xzr, lsl #1") };
        start::psci(configuration, [0x8400_0009, 0, 0, 0]);
    }
}
