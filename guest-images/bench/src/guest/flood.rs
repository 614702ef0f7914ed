//! A neighbour that floods every kind of device that VMs can have between them, and the VM at the other ends, which takes all that
//! comes.

use crate::configuration::Configuration;
use crate::guest::console::Console;
use crate::guest::disk::Disk;
use crate::guest::frame::frame;
use crate::guest::nbd::Server;
use crate::guest::port::Port;
use crate::guest::ports::Ports;
use crate::guest::{gic, interrupt, wire};
use crate::sharing::{FRAME, NOTICE};
use crate::transfers::{DISK, SERVED};

/// The address of all.
const ALL: [u8; 6] = [0xff; 6];
/// Ticks before the window in which a flood begins.
const AHEAD: u64 = 100_000;
/// Bytes of the longest frame, and of what is written to the serial port at once, as much as Linux takes.
const LONGEST: usize = 64 << 10;
const BYTES: usize = 32 << 10;
/// Turns after which a flood says that it reaches everything, and how often it has done so by then.
const LOOKS: u32 = 100;
const ENOUGH: u32 = 20;
/// The port of the cable, which is every VM's first one.
const CABLE: usize = 0;
/// Queues of a device that are notified though there may be nothing.
const QUEUES: u32 = 6;

static MESSAGE: [u8; BYTES] = [0x5a; BYTES];

/// Has the devices do as much as they can, in an order that never comes again. A look for a device resets those before it: the
/// console is in front of the network, and that of the disks.
pub fn rage(configuration: &Configuration) -> ! {
    let mut disks = Disk::all();
    let mut disks = [disks.next(), disks.next()];
    let (mut port, mut ports) = (Port::find(), Ports::find(1));
    if let Some(port) = &mut port {
        port.prepare(LONGEST, ALL, [0; 2]);
    }
    wire::drive();
    let mut random = 1_u32;
    let mut console = Console::new(configuration);
    // Frames, messages, reads of either disk; and how often it began.
    let (mut done, mut turns, mut last) = ([0_u32; 4], 0, 0);
    loop {
        // Numerical Recipes' generator; its upper bits are good enough.
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (what, which) = (random >> 29, random >> 16 & 0xff);
        // Who is at the other ends has no time before the next frame: room is kept until shortly before the window.
        let now = frame().0;
        if now != last {
            // All of it has to move, more than there are buffers for.
            if turns == LOOKS && done.iter().all(|count| *count > ENOUGH) {
                console.text(NOTICE).end();
            }
            let ahead = u64::from(random >> 8) % AHEAD;
            while frame().1 < FRAME - ahead {}
            last = frame().0;
            turns += 1;
        }
        match (what, &mut port, &mut ports) {
            (0 | 1, Some(port), _) => {
                if port.has_room() {
                    port.send();
                    done[0] += 1;
                }
                port.serve(|_, _| ());
            }
            (2, _, Some(ports)) => {
                done[1] += u32::from(ports.send(CABLE, &MESSAGE));
                ports.serve(|_, _, _| ());
            }
            (3, Some(port), _) => port.notify(which % QUEUES),
            (4, _, Some(ports)) => ports.notify(which % QUEUES),
            (5, ..) => wire::set(which & 1 != 0),
            _ => {
                if let Some(disk) = disks.get_mut(which as usize & 1).and_then(Option::as_mut) {
                    done[2 + (which as usize & 1)] += u32::from(disk.go_on(DISK));
                }
            }
        }
    }
}

/// Serves the disk, and takes frames, bytes and edges.
pub fn take(configuration: &Configuration) -> ! {
    let (mut port, mut ports) = (Port::find(), Ports::find(2));
    wire::listen();
    for line in [port.as_ref().map(|port| port.interrupt), ports.as_ref().map(|ports| ports.interrupt)] {
        line.into_iter().chain([wire::INTERRUPT]).for_each(|line| gic::enable_edge(configuration, line));
    }
    let served = ports.as_mut().and_then(|ports| Some((ports.named(SERVED)?, ports)));
    let mut server = served.map(|(served, ports)| Server::begin(ports, served));
    loop {
        if let Some(port) = &mut port {
            port.serve(|_, _| ());
        }
        if let Some(ports) = &mut ports {
            ports.serve(|ports, from, bytes| {
                if let Some(server) = server.as_mut().filter(|_| from != CABLE) {
                    server.hear(ports, bytes);
                }
            });
        }
        wire::serve();
        interrupt::wait();
    }
}
