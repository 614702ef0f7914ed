//! Two guests, of which one has two disks, one of them served by the other, and both a serial cable: what it takes to move bytes.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::guest::console::Console;
    use bench::guest::disk::Disk;
    use bench::guest::nbd::Server;
    use bench::guest::ports::Ports;
    use bench::guest::{gic, interrupt, measure};
    use bench::transfers::{MESSAGE, SERVED, Transfer};

    const NAME: &str = "transfers";
    /// Ticks until whoever is to sleep does.
    const WHILE: u64 = 500_000;
    /// The port of the cable, which is every VM's first one.
    const CABLE: usize = 0;

    static MESSAGES: [u8; MESSAGE] = [0x5a; MESSAGE];

    bench::main!(first, other);

    fn first(configuration: Configuration, entered: u64) {
        gic::start_distributor(&configuration);
        gic::start_cpu(&configuration, 0);
        if configuration.flags & flag::PARTNER != 0 {
            serve(&configuration);
        }
        let mut console = Console::new(&configuration);
        measure::introduce(&mut console, NAME, entered);
        // A look for a device resets those before it: a console is in front of disks.
        let mut disks = Disk::all();
        let (image, served, ports) = (disks.next(), disks.next(), Ports::find(1));
        let (Some(mut image), Some(mut served), Some(mut ports)) = (image, served, ports) else {
            console.text("bench transfers: two disks and a serial port are missing").end();
            return;
        };
        for line in [image.interrupt, served.interrupt, ports.interrupt] {
            gic::enable_edge(&configuration, line);
        }
        while !ports.is_open(CABLE) {
            interrupt::sleep(WHILE);
            ports.serve(|_, _, _| ());
        }
        // An interrupt that is not acknowledged would be the last one.
        interrupt::sleep(WHILE);
        ports.serve(|_, _, _| ());
        for transfer in Transfer::ALL {
            test(&configuration, &mut console, transfer, &mut || match transfer {
                Transfer::Image | Transfer::LongImage => image.read(transfer.bytes()),
                Transfer::Served | Transfer::LongServed => served.read(transfer.bytes()),
                Transfer::Serial => send(&mut ports),
            });
        }
        measure::finish(&mut console, NAME);
    }

    fn other(_: Configuration, _: u64) {}

    /// Has bytes move again and again, each time in a window, which ends here with a disk's, and at the other VM with a message.
    fn test(configuration: &Configuration, console: &mut Console, transfer: Transfer, go: &mut dyn FnMut() -> bool) {
        let right = measure::repeat(transfer as u64, configuration.count, |_| {
            interrupt::sleep(WHILE);
            measure::start_window();
            let done = go();
            if transfer != Transfer::Serial {
                measure::end_window();
            }
            interrupt::sleep(WHILE);
            done && (transfer == Transfer::Serial || Disk::take(transfer.bytes()))
        });
        console.text("transfer ").text(transfer.name()).text(" right ").decimal(right.into()).end();
    }

    /// Sends a message, and returns when the device has taken it.
    fn send(ports: &mut Ports) -> bool {
        let sent = ports.send(CABLE, &MESSAGES);
        while ports.is_sending(CABLE) {
            interrupt::wait();
            ports.serve(|_, _, _| ());
        }
        sent
    }

    /// Serves the disk, and ends windows with messages that came as a whole.
    fn serve(configuration: &Configuration) -> ! {
        let Some(mut ports) = Ports::find(2) else {
            loop {
                interrupt::wait();
            }
        };
        gic::enable_edge(configuration, ports.interrupt);
        let served = ports.named(SERVED);
        let mut server = served.map(|port| Server::begin(&mut ports, port));
        let mut came = 0;
        loop {
            ports.serve(|ports, port, bytes| {
                if port == CABLE {
                    came += bytes.len();
                    if came >= MESSAGE {
                        came = 0;
                        measure::end_window();
                    }
                } else if let Some(server) = &mut server {
                    server.hear(ports, bytes);
                }
            });
            interrupt::wait();
        }
    }
}
