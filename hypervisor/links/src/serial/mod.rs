//! Serial ports: virtio-console with several ports (virtio 1.2, section 5.3), which its driver shows by their names.
//!
//! A [`Console`] is the device of one VM: what its driver is told of each port is a state of that port and no queue of
//! messages. A [`Pair`] connects two ports, with flow control both ways; a [`ServerEnd`] is the end that EL2 itself has of a
//! port.

mod console;
mod counters;
mod message;
mod pair;
mod port;
mod server_end;

pub use console::{
    CONTROL_RECEIVE, CONTROL_TRANSMIT, Console, Event, PORTS, Purpose, QUEUE_SIZE, QUEUES, identity, queues,
};
pub use counters::Counters;
pub use message::{Message, NAME};
pub use pair::{Before, Broken, Flow, Pair, Progress, Side, Wait};
pub use port::Port;
pub use server_end::{Change, ServerEnd};
