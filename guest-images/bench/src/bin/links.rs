//! Two guests at a network and at a wire: one measures what it takes to reach the other.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::guest::console::Console;
    use bench::guest::port::{Port, SAYS};
    use bench::guest::{gic, interrupt, measure, wire};
    use bench::links::Work;

    const NAME: &str = "links";
    /// The address of all.
    const ALL: [u8; 6] = [0xff; 6];
    /// What a frame says that is answered, and is no work's.
    const HELLO: u8 = 0xff;
    /// What its answer says, and any other's.
    const ANSWER: u8 = 0xfe;
    /// Ticks until the other guest has done what it was asked for, and sleeps.
    const WHILE: u64 = 500_000;
    /// Times that the other guest is called before it is given up.
    const CALLS: usize = 200;

    bench::main!(first, other);

    fn first(configuration: Configuration, entered: u64) {
        gic::start_distributor(&configuration);
        gic::start_cpu(&configuration, 0);
        let port = Port::find();
        if let Some(port) = &port {
            gic::enable_edge(&configuration, port.interrupt);
        }
        gic::enable_edge(&configuration, wire::INTERRUPT);
        if configuration.flags & flag::PARTNER != 0 {
            wire::listen();
            partner(port, configuration.tests != 0);
        }
        let mut console = Console::new(&configuration);
        measure::introduce(&mut console, NAME, entered);
        match port.map(|mut port| (meet(&mut port), port)) {
            Some((Some(peer), mut port)) => {
                wire::drive();
                for work in Work::ALL {
                    test(&configuration, &mut console, &mut port, peer, work);
                }
                measure::finish(&mut console, NAME);
            }
            Some((None, _)) => console.text("bench links: nobody answers").end(),
            None => console.text("bench links: there is no network").end(),
        }
    }

    fn other(_: Configuration, _: u64) {}

    /// Finds the other guest.
    fn meet(port: &mut Port) -> Option<[u8; 6]> {
        (0..CALLS).find_map(|_| ask(port, ALL, HELLO))
    }

    /// Says something to the other guest, and returns who answers.
    fn ask(port: &mut Port, to: [u8; 6], what: u8) -> Option<[u8; 6]> {
        let mut from = None;
        port.prepare(Work::Ping.bytes(), to, [what, 1]);
        port.send();
        let end = measure::count() + WHILE;
        while measure::count() < end {
            interrupt::sleep(WHILE / 10);
            port.serve(|_, frame| {
                let [_, _, _, _, _, _, a, b, c, d, e, f, ..] = frame;
                from = Some([a, b, c, d, e, f]);
            });
        }
        from
    }

    /// Has some work done again and again, each time in a window.
    fn test(configuration: &Configuration, console: &mut Console, port: &mut Port, peer: [u8; 6], work: Work) {
        if configuration.tests >> work as u8 & 1 == 0 {
            return;
        }
        // What is to come is said first.
        let ready = ask(port, peer, work as u8).is_some();
        port.prepare(work.bytes(), peer, [work as u8, 0]);
        measure::repeat(work as u64, configuration.count, |number| {
            interrupt::sleep(WHILE);
            // An interrupt that came for what was served by then was taken asleep: without this there would be no further edge.
            port.serve(|_, _| {});
            if work.is_wire() {
                measure::start_window();
                wire::set(number % 2 == 0);
            } else {
                exchange(port, work);
            }
            interrupt::sleep(WHILE);
            true
        });
        console.text("work ").text(work.name()).text(if ready { " done" } else { " was not understood" }).end();
    }

    /// Sends what a window has. It ends when the other guest has it, or here, when that has answered.
    fn exchange(port: &mut Port, work: Work) {
        measure::start_window();
        (0..work.units()).for_each(|_| port.send());
        let mut answered = !work.is_answered();
        while port.is_sending() || !answered {
            interrupt::wait();
            port.serve(|_, _| answered = true);
        }
        if work.is_answered() {
            measure::end_window();
        }
    }

    /// Takes frames and edges, and ends windows with them. One that does not answer is one more at the network.
    fn partner(port: Option<Port>, answers: bool) -> ! {
        let Some(mut port) = port else {
            loop {
                interrupt::wait();
            }
        };
        let (mut work, mut came) = (Work::Frame, 0);
        loop {
            interrupt::wake();
            if work == Work::WireVector {
                measure::end_window();
            }
            interrupt::take();
            if work.is_wire() && wire::serve() && work == Work::WireHandler {
                measure::end_window();
            }
            port.serve(|port, frame| {
                let [.., what, asks] = frame;
                if !answers {
                    return;
                }
                if asks != 0 {
                    (work, came) = (Work::of(what).unwrap_or(Work::Frame), 0);
                    return answer(port, &frame);
                }
                came += 1;
                if came % work.units() == 0 {
                    if work.is_answered() {
                        answer(port, &frame);
                    } else {
                        measure::end_window();
                    }
                }
            });
        }
    }

    /// Answers who has sent a frame.
    fn answer(port: &mut Port, frame: &[u8; SAYS]) {
        let [_, _, _, _, _, _, a, b, c, d, e, f, ..] = *frame;
        port.prepare(Work::Ping.bytes(), [a, b, c, d, e, f], [ANSWER, 0]);
        port.send();
    }
}
