//! The control VM at its port: what it takes to ask for a register of another VM.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::controls::{REQUEST, TEST};
    use bench::guest::console::Console;
    use bench::guest::ports::Ports;
    use bench::guest::{gic, interrupt, measure};
    use bench::mark;

    const NAME: &str = "controls";
    /// Ticks until whoever is to sleep does.
    const WHILE: u64 = 500_000;
    /// The port of calls, which is the first one of a VM without cables.
    const CALLS: usize = 0;

    bench::main!(first, other);

    fn first(configuration: Configuration, entered: u64) {
        gic::start_distributor(&configuration);
        gic::start_cpu(&configuration, 0);
        if configuration.flags & flag::PARTNER != 0 {
            loop {
                interrupt::wait();
            }
        }
        let mut console = Console::new(&configuration);
        measure::introduce(&mut console, NAME, entered);
        let Some(mut ports) = Ports::find(1) else {
            console.text("bench controls: there is no port").end();
            return;
        };
        gic::enable_edge(&configuration, ports.interrupt);
        while !ports.is_open(CALLS) {
            interrupt::sleep(WHILE);
            ports.serve(|_, _, _| ());
        }
        let mut right = 0;
        for number in 0..configuration.count + 2 {
            if number == 2 {
                measure::end_test(mark::WARM_UP);
            }
            // An interrupt that is not acknowledged would be the last one.
            interrupt::sleep(WHILE);
            ports.serve(|_, _, _| ());
            measure::start_window();
            right += u32::from(ask(&mut ports));
            measure::end_window();
        }
        measure::end_test(TEST);
        console.text("calls right ").decimal(right.into()).end();
        measure::finish(&mut console, NAME);
    }

    fn other(_: Configuration, _: u64) {}

    /// Asks, and waits for the answer. Whether it is one, of the call's success.
    fn ask(ports: &mut Ports) -> bool {
        let (mut came, mut right) = (false, false);
        let sent = ports.send(CALLS, &REQUEST);
        while !came || ports.is_sending(CALLS) {
            interrupt::wait();
            ports.serve(|_, _, answer| {
                came = true;
                right = answer.len() == REQUEST.len() && answer.starts_with(&[0; 8]);
            });
        }
        sent && right
    }
}
