//! What a driver is told of its ports.

use portcullis_links::serial::{Console, Event, PORTS, Port, Purpose, QUEUES, identity, queues};
use portcullis_virtio::Fault;

use crate::bed::Line;

const ADD: u16 = 1;
const READY: u16 = 3;
const OPEN: u16 = 6;
const NAME: u16 = 7;

struct Bed {
    console: Console,
    to: Line,
    from: Line,
}

fn message(port: u32, event: u16, value: u16) -> Vec<u8> {
    [&port.to_le_bytes()[..], &event.to_le_bytes(), &value.to_le_bytes()].concat()
}

impl Bed {
    fn new() -> Self {
        let ports = ["portcullis", "a", "disk.b"].map(|name| Port::new(name).unwrap());
        Self { console: Console::new(ports.into_iter()), to: Line::new(), from: Line::new() }
    }

    fn say(&mut self, port: u32, event: u16, value: u16) -> Event {
        self.from.send(&message(port, event, value));
        let Line { queue, ram, chain, .. } = &mut self.from;
        let event = self.console.hear(queue, ram, chain).unwrap().unwrap();
        assert_eq!(self.console.hear(queue, ram, chain), Ok(None));
        assert_eq!(self.from.back(), 1);
        event
    }

    /// What the driver is told, if it has room for so many messages.
    fn told(&mut self, room: usize) -> Vec<Vec<u8>> {
        (0..room).for_each(|_| self.to.room(64));
        let Line { queue, ram, chain, .. } = &mut self.to;
        self.console.tell(queue, ram, chain).unwrap();
        std::iter::from_fn(|| self.to.got()).collect()
    }

    /// A device with all of its ports set up.
    fn set_up() -> Self {
        let mut bed = Self::new();
        bed.say(0, 0, 1);
        assert_eq!(bed.told(3).len(), 3);
        (0..3).for_each(|port| assert_eq!(bed.say(port, READY, 1), Event::Ready(port as usize)));
        assert_eq!(bed.told(3).len(), 3);
        assert!(!bed.console.has_news());
        bed
    }
}

#[test]
fn ports_are_added_and_named() {
    let mut bed = Bed::new();
    assert_eq!(bed.told(2), [[0_u8; 0]; 0], "not before the driver knows ports");
    assert_eq!(bed.say(0, 0, 0), Event::None);
    assert!(!bed.console.has_news());
    assert_eq!(bed.say(0, 0, 1), Event::None);
    assert!(bed.console.has_news());
    // Two buffers are there: what has no room stays to be said.
    assert_eq!(bed.told(0), [message(0, ADD, 0), message(1, ADD, 0)]);
    assert_eq!(bed.told(4), [message(2, ADD, 0)]);
    assert_eq!(bed.say(1, READY, 0), Event::None, "it could not");
    assert_eq!(bed.say(1, READY, 1), Event::Ready(1));
    assert_eq!(bed.say(1, READY, 1), Event::None);
    assert_eq!(bed.told(0), [[&message(1, NAME, 1)[..], b"a"].concat()]);
    bed.say(0, READY, 1);
    assert_eq!(bed.told(0), [[&message(0, NAME, 1)[..], b"portcullis"].concat()]);
}

#[test]
fn the_other_end_opens_and_closes() {
    let mut bed = Bed::set_up();
    let mut set = |session| {
        bed.console.set_other(1, session);
        bed.told(2)
    };
    assert_eq!(set(Some(1)), [message(1, OPEN, 1)]);
    assert_eq!(set(Some(1)), [[0; 0]; 0]);
    assert_eq!(set(Some(2)), [message(1, OPEN, 0), message(1, OPEN, 1)], "an end is told between two sessions");
    assert_eq!(set(None), [message(1, OPEN, 0)]);
    assert_eq!(set(None), [[0; 0]; 0]);
    // What changes back before it was told is not told.
    bed.console.set_other(1, Some(9));
    assert!(bed.console.has_news());
    bed.console.set_other(1, None);
    assert!(!bed.console.has_news());
    assert_eq!(bed.console.ports[1].shown(), None);
}

#[test]
fn programs_open_and_close() {
    let mut bed = Bed::set_up();
    assert_eq!(bed.say(2, OPEN, 1), Event::Opened(2));
    assert_eq!(bed.say(2, OPEN, 1), Event::None);
    assert!(bed.console.ports[2].is_open() && !bed.console.ports[1].is_open());
    assert_eq!(bed.say(2, OPEN, 0), Event::Closed(2));
    assert_eq!(bed.say(2, OPEN, 0), Event::None);
    // What means nothing: other ports, other messages, values that are none.
    for (port, event, value) in [
        (3, OPEN, 1),
        (u32::MAX, OPEN, 1),
        (3, READY, 1),
        (0, ADD, 0),
        (0, NAME, 1),
        (0, 5, 0),
        (0, 99, 1),
        (0, OPEN, 7),
    ] {
        assert_eq!(bed.say(port, event, value), Event::None, "{port} {event} {value}");
    }
    let mut fresh = Bed::new();
    assert_eq!((fresh.say(1, READY, 1), fresh.say(1, OPEN, 1)), (Event::None, Event::None), "nobody has added it");
}

#[test]
fn a_driver_that_begins_anew_is_told_everything_again() {
    let mut bed = Bed::set_up();
    bed.say(1, OPEN, 1);
    bed.console.set_other(1, Some(4));
    assert_eq!(bed.told(1).len(), 1);
    bed.console.reset();
    assert!(!bed.console.ports[1].is_open() && !bed.console.has_news());
    bed.say(0, 0, 1);
    assert_eq!(bed.told(3), [0, 1, 2].map(|port| message(port, ADD, 0)));
    bed.say(1, READY, 1);
    let named = [&message(1, NAME, 1)[..], b"a"].concat();
    assert_eq!(bed.told(3), [named, message(1, OPEN, 1)]);
}

/// A driver that does not know of ports has the first one as its console.
#[test]
fn a_driver_without_ports_has_the_first_one_open() {
    let mut bed = Bed::new();
    bed.console.set_other(0, Some(3));
    assert_eq!(bed.console.begin(2), Event::None, "VIRTIO_CONSOLE_F_MULTIPORT");
    assert!(!bed.console.ports[0].is_open());
    assert_eq!(bed.console.begin(0), Event::Opened(0));
    assert_eq!((bed.console.ports[0].is_open(), bed.console.ports[0].shown()), (true, Some(3)));
    bed.console.set_other(0, Some(4));
    assert_eq!((bed.console.ports[0].shown(), bed.console.has_news()), (Some(4), false));
    assert!(!bed.console.ports[1].is_open());
    bed.console.reset();
    assert!(!bed.console.ports[0].is_open());
    bed.console.set_other(0, Some(5));
    assert_eq!(bed.console.ports[0].shown(), None);
}

#[test]
fn half_a_message_and_half_a_buffer_are_faults() {
    let mut bed = Bed::new();
    bed.from.send(&[0; 7]);
    let Line { queue, ram, chain, .. } = &mut bed.from;
    let short = Fault::Short { what: "a message", length: 7, least: 8 };
    assert_eq!(bed.console.hear(queue, ram, chain), Err(short));
    let mut bed = Bed::new();
    bed.say(0, 0, 1);
    bed.to.room(7);
    let Line { queue, ram, chain, .. } = &mut bed.to;
    let narrow = Fault::Narrow { what: "a message", length: 7, least: 8 };
    assert_eq!(bed.console.tell(queue, ram, chain), Err(narrow));
}

#[test]
fn queues_and_configuration_are_as_drivers_look_for_them() {
    assert_eq!([0, 1, 2, 30].map(queues), [(0, 1), (4, 5), (6, 7), (62, 63)]);
    assert_eq!(Bed::new().console.config(), [0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    let numbers = |ports| identity(ports).queues.iter().filter(|size| **size == 32).count();
    assert_eq!([0, 1, 3, PORTS, 99].map(numbers), [4, 4, 8, QUEUES, QUEUES]);
    assert_eq!((identity(1).device, identity(1).features & 2), (3, 2));
    for port in 0..PORTS {
        let (receive, transmit) = queues(port as u16);
        assert_eq!([receive, transmit].map(Purpose::of), [Purpose::Receive(port), Purpose::Transmit(port)]);
    }
    assert_eq!([2, 3].map(Purpose::of), [Purpose::Tell, Purpose::Hear]);
    assert!(Port::new(&"x".repeat(33)).is_none());
    assert_eq!(Port::new("disk.x").unwrap().name(), "disk.x");
}
