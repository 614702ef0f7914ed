//! Port 0 of a console against the driver of `virtio-drivers`, which does not know of others.

use portcullis_links::serial::{Flow, Pair, Progress, QUEUES, Side, identity};
use portcullis_virtio::mmio::{Effect, Transport};
use portcullis_virtio::{Budget, Chain, Queue};
use virtio_drivers::device::console::VirtIOConsole;

use crate::peer::{Arena, Backend, Peer};

/// A port whose two queues are connected with each other.
struct Loop {
    pair: Pair,
    queues: [Option<Queue>; 2],
}

impl Backend<QUEUES> for Loop {
    fn act(&mut self, effect: Effect, transport: &mut Transport<QUEUES>, memory: &mut Arena) {
        match effect {
            Effect::DriverOk => {
                let queue = |number| {
                    let layout = transport.layout(number);
                    layout.map(|layout| Queue::new(layout, transport.features(), memory).unwrap())
                };
                self.queues = [queue(0), queue(1)];
            }
            Effect::Notify(0 | 1) => {
                let [Some(receive), Some(transmit)] = &mut self.queues else { return };
                let (mut from, mut to, mut other) = (Chain::new(), Chain::new(), *memory);
                let shown = self.pair.session(Side::B);
                let mut source = Flow { queue: transmit, memory, chain: &mut from };
                let mut target = Flow { queue: receive, memory: &mut other, chain: &mut to };
                let budget = &mut Budget::new();
                let done = self.pair.work(Side::A, shown, &mut source, Some(&mut target), budget).unwrap();
                assert!(matches!(done, Progress::Idle(_)));
                let wanted = [source.queue.publish(source.memory), target.queue.publish(target.memory)];
                if wanted.contains(&Ok(true)) {
                    transport.used();
                }
                source.queue.listen(source.memory).unwrap();
                target.queue.listen(target.memory).unwrap();
            }
            Effect::Failed(queue, fault) => panic!("{queue:?} {fault}"),
            _ => {}
        }
    }

    fn config(&self) -> Vec<u8> {
        vec![0; 12]
    }
}

#[test]
fn characters_come_back() {
    let mut pair = Pair::new();
    pair.open(Side::A);
    pair.open(Side::B);
    let peer = Peer::new(Transport::new(identity(1)), Loop { pair, queues: [None, None] });
    let mut console = VirtIOConsole::<Arena, _>::new(peer).unwrap();
    assert_eq!(console.recv(true).unwrap(), None);
    for round in 0..500_u32 {
        let text: Vec<u8> = (0..=round % 90).map(|i| (i * round) as u8).collect();
        console.send_bytes(&text).unwrap();
        console.ack_interrupt().unwrap();
        let mut back = Vec::new();
        while let Some(byte) = console.recv(true).unwrap() {
            back.push(byte);
            console.ack_interrupt().unwrap();
        }
        assert_eq!(back, text, "round {round}");
    }
}
