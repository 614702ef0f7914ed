//! The control VM: what it takes to ask for a register of another VM by a port, to be told of what has happened, and to be followed
//! by a trace.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::controls::{Control, REQUEST};
    use bench::guest::console::Console;
    use bench::guest::manage::{call, hvc, wait_for};
    use bench::guest::ports::Ports;
    use bench::guest::{gic, interrupt, measure};
    use portcullis_abi::function::{PSCI_VERSION, PSCI_VERSION_1_3};
    use portcullis_abi::manage::*;

    const NAME: &str = "controls";
    /// Ticks until whoever is to sleep does.
    const WHILE: u64 = 500_000;
    /// The ports of calls and of events, which are the first ones of a VM without cables.
    const CALLS: usize = 0;
    const EVENTS: usize = 1;
    /// The VM itself, and the other one.
    const SELF: u64 = 0;
    const OTHER: u64 = 1;
    /// A function that nobody has, and how often it is called: more often than goes without being told.
    const UNKNOWN: u32 = 0x8400_00ff;
    const REFUSED: u64 = 2 * EVENT_REFUSALS_RATE;

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
        let test = Control::ALL.into_iter().find(|control| configuration.tests == 1 << *control as u64);
        let Some(test) = test else { return };
        let port = if test.reads_events() { EVENTS } else { CALLS };
        let Some(mut ports) = Ports::find(port + 1) else {
            console.text("bench controls: there is no port").end();
            return;
        };
        gic::enable_edge(&configuration, ports.interrupt);
        while !ports.is_open(port) {
            interrupt::sleep(WHILE);
            ports.serve(|_, _, _| ());
        }
        if test == Control::Traced {
            _ = call(TRACE_SET, [1, 1 << SELF]);
        }
        let right = measure::repeat(test as u64, configuration.count, |_| {
            // An interrupt that is not acknowledged would be the last one.
            interrupt::sleep(WHILE);
            ports.serve(|_, _, _| ());
            match test {
                Control::Get => is_answered(&mut ports),
                Control::Pause => is_told_of_pause(&mut ports),
                Control::Told | Control::Untold => comes_to_rest(&mut ports, test.reads_events()),
                Control::Refusals => is_told_of_refusals(&mut ports),
                Control::Traced => is_followed(),
            }
        });
        console.text("controls right ").decimal(right.into()).end();
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
    fn is_told_of_pause(ports: &mut Ports) -> bool {
        measure::start_window();
        let paused = call(PAUSE, [OTHER, 0]);
        interrupt::wake();
        measure::end_window();
        interrupt::take();
        let told = is_told(ports, EVENT_PHASE, OTHER, is_pause);
        paused.is_some() && told && goes_on().is_some()
    }

    /// Pauses the other VM in a window, and spins in it until all that comes of that is over, up to an interrupt that is pending.
    /// Whether an event says so, as `reads_events` has it.
    fn comes_to_rest(ports: &mut Ports, reads_events: bool) -> bool {
        let end = measure::count() + WHILE;
        measure::start_window();
        let paused = call(PAUSE, [OTHER, 0]);
        while measure::count() < end {
            interrupt::yield_core();
        }
        measure::end_window();
        let told = is_told(ports, EVENT_PHASE, OTHER, is_pause);
        paused.is_some() && told == reads_events && goes_on().is_some()
    }

    /// Whether an event says that a VM that ran is paused.
    fn is_pause(value: u64) -> bool {
        value & 0xffff == PHASE_RUNNING | PHASE_PAUSED << 8
    }

    /// Has the other VM run again.
    fn goes_on() -> Option<()> {
        call(RESUME, [OTHER, 0])?;
        wait_for(OTHER, PHASE_RUNNING)
    }

    /// Has calls refused, and sleeps in a window until the event's interrupt. Whether the event says so.
    fn is_told_of_refusals(ports: &mut Ports) -> bool {
        (0..REFUSED).for_each(|_| _ = hvc(UNKNOWN, [0; 2]));
        measure::start_window();
        interrupt::wake();
        measure::end_window();
        interrupt::take();
        is_told(ports, EVENT_REFUSALS, SELF, |value| value > EVENT_REFUSALS_RATE)
    }

    /// Makes a call in a window. Whether it was answered, and the trace has something.
    fn is_followed() -> bool {
        measure::start_window();
        let [version, ..] = hvc(PSCI_VERSION, [0; 2]);
        measure::end_window();
        version == u64::from(PSCI_VERSION_1_3) && call(TRACE_READ, [0, 0]).is_some()
    }

    /// Whether an event of this kind, about this VM, has come, whose value is right.
    fn is_told(ports: &mut Ports, kind: u64, vm: u64, is_right: fn(u64) -> bool) -> bool {
        let mut told = false;
        ports.serve(|_, _, record| {
            let word = |number: usize| record.as_chunks().0.get(number).map(|bytes| u64::from_le_bytes(*bytes));
            let (Some(head), Some(subject), Some(value)) = (word(0), word(2), word(3)) else { return };
            let is_it = (head >> 16 & 0xffff, subject & 0xff) == (kind, vm) && is_right(value);
            told |= record.len() as u64 == EVENT_SIZE && is_it;
        });
        told
    }
}
