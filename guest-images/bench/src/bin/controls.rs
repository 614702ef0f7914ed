//! The control VM at its ports: what it takes to ask for a register of another VM, and to be told of what has happened to it.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::controls::{EVENT, REQUEST, TEST};
    use bench::guest::console::Console;
    use bench::guest::manage::{call, wait_for};
    use bench::guest::ports::Ports;
    use bench::guest::{gic, interrupt, measure};
    use bench::mark;
    use portcullis_abi::manage::{EVENT_PHASE, EVENT_SIZE, PAUSE, PHASE_PAUSED, PHASE_RUNNING, RESUME};

    const NAME: &str = "controls";
    /// Ticks until whoever is to sleep does.
    const WHILE: u64 = 500_000;
    /// The ports of calls and of events, which are the first ones of a VM without cables.
    const CALLS: usize = 0;
    const EVENTS: usize = 1;
    /// The other VM.
    const OTHER: u64 = 1;

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
        let (test, port) = if configuration.tests >> EVENT & 1 != 0 { (EVENT, EVENTS) } else { (TEST, CALLS) };
        let Some(mut ports) = Ports::find(port + 1) else {
            console.text("bench controls: there is no port").end();
            return;
        };
        gic::enable_edge(&configuration, ports.interrupt);
        while !ports.is_open(port) {
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
            right += u32::from(if test == EVENT { is_told(&mut ports) } else { is_answered(&mut ports) });
        }
        measure::end_test(test);
        console.text("right ").decimal(right.into()).end();
        measure::finish(&mut console, NAME);
    }

    fn other(_: Configuration, _: u64) {}

    /// Asks in a window, and waits for the answer. Whether it is one, of the call's success.
    fn is_answered(ports: &mut Ports) -> bool {
        measure::start_window();
        let (mut came, mut right) = (false, false);
        let sent = ports.send(CALLS, &REQUEST);
        while !came || ports.is_sending(CALLS) {
            interrupt::wait();
            ports.serve(|_, _, answer| {
                came = true;
                right = answer.len() == REQUEST.len() && answer.starts_with(&[0; 8]);
            });
        }
        measure::end_window();
        sent && right
    }

    /// Pauses the other VM in a window, up to the vector of the event's interrupt. Whether the event says so. The other VM goes on
    /// behind that.
    fn is_told(ports: &mut Ports) -> bool {
        measure::start_window();
        let paused = call(PAUSE, [OTHER, 0]);
        interrupt::wake();
        measure::end_window();
        interrupt::take();
        let mut told = false;
        ports.serve(|_, _, record| told |= is_pause(record));
        let goes_on = call(RESUME, [OTHER, 0]).and_then(|_| wait_for(OTHER, PHASE_RUNNING));
        paused.is_some() && told && goes_on.is_some()
    }

    /// Whether a record is that of the other VM's being paused.
    fn is_pause(record: &[u8]) -> bool {
        let word = |number: usize| record.as_chunks().0.get(number).map(|bytes| u64::from_le_bytes(*bytes));
        let (Some(head), Some(subject), Some(value)) = (word(0), word(2), word(3)) else { return false };
        record.len() as u64 == EVENT_SIZE
            && (head >> 16 & 0xffff, subject & 0xff) == (EVENT_PHASE, OTHER)
            && value & 0xffff == PHASE_RUNNING | PHASE_PAUSED << 8
    }
}
