//! Two drivers of `virtio-drivers` at one network.

use std::cell::RefCell;
use std::rc::Rc;

use portcullis_links::network::{Counters, Frame, Given, Mac, Port, QUEUES, RECEIVE, Stage, Switch, TRANSMIT, deliver};
use portcullis_virtio::mmio::{Effect, Transport};
use portcullis_virtio::{Budget, Chain, Queue};
use virtio_drivers::device::net::VirtIONetRaw;

use crate::peer::{Arena, Backend, Peer};

const MTU: u16 = 1500;

/// A port in use: its queues, and what its driver accepted.
#[derive(Default)]
struct Used {
    receive: Option<Queue>,
    transmit: Option<Queue>,
    features: u64,
}

/// What the ports share. Both drivers are in one memory.
struct Network {
    switch: Switch,
    ports: [Port; 2],
    counters: [Counters; 2],
    used: [Used; 2],
}

struct Plug {
    network: Rc<RefCell<Network>>,
    number: usize,
}

impl Backend<QUEUES> for Plug {
    fn act(&mut self, effect: Effect, transport: &mut Transport<QUEUES>, memory: &mut Arena) {
        let Network { switch, counters, used, .. } = &mut *self.network.borrow_mut();
        match effect {
            Effect::DriverOk => {
                let queue = |number| {
                    let layout = transport.layout(number);
                    layout.map(|layout| Queue::new(layout, transport.features(), memory).unwrap())
                };
                let features = transport.accepted();
                used[self.number] = Used { receive: queue(RECEIVE), transmit: queue(TRANSMIT), features };
            }
            Effect::Notify(TRANSMIT) => {
                let (mut chain, mut target) = (Chain::new(), Chain::new());
                let mut queue = used[self.number].transmit.take().unwrap();
                while queue.take(memory, &mut chain).unwrap() {
                    let mut stage = Stage::new();
                    let frame =
                        Frame::read(memory, &chain, &mut stage, used[self.number].features, MTU).unwrap().unwrap();
                    counters[self.number].send(frame.length());
                    let mut to = switch.route(self.number, &frame).unwrap();
                    while let Some(to) = to.pop() {
                        let features = used[to].features;
                        let queue = used[to].receive.as_mut().unwrap();
                        let budget = &mut Budget::new();
                        let given = deliver(&frame, memory, queue, &mut { *memory }, &mut target, features, budget);
                        assert_eq!(given, Ok(Given::Done));
                        queue.publish(memory).unwrap();
                        counters[to].receive(frame.length());
                    }
                    queue.put(memory, chain.head(), 0).unwrap();
                }
                queue.publish(memory).unwrap();
                queue.listen(memory).unwrap();
                used[self.number].transmit = Some(queue);
            }
            Effect::Failed(queue, fault) => panic!("{queue:?} {fault}"),
            Effect::None | Effect::Notify(_) | Effect::Raise | Effect::Stop(_) | Effect::Reset => {}
        }
    }

    fn config(&self) -> Vec<u8> {
        self.network.borrow().ports[self.number].config().to_vec()
    }
}

#[test]
fn frames_go_both_ways() {
    let macs = [Mac::derived("lan", "a"), Mac::derived("lan", "b")];
    let mut switch = Switch::new();
    macs.iter().for_each(|mac| assert!(switch.add(*mac, false).is_some()));
    let ports = macs.map(|mac| Port::new(mac, MTU));
    let network =
        Rc::new(RefCell::new(Network { switch, ports, counters: Default::default(), used: Default::default() }));
    let peers = [0, 1].map(|number| {
        let plug = Plug { network: Rc::clone(&network), number };
        Peer::new(Transport::new(Port::identity(true)), plug)
    });
    let mut nets = peers.each_ref().map(|peer| VirtIONetRaw::<Arena, _, 16>::new(peer.clone()).unwrap());
    for (net, mac) in nets.iter().zip(macs) {
        assert_eq!(net.mac_address(), mac.0);
    }
    for round in 0..400_usize {
        let (from, to) = (round % 2, 1 - round % 2);
        let payload: Vec<u8> = (0..46 + round * 3 % 1400).map(|i| (i * round) as u8).collect();
        let destination = if round % 7 == 0 { Mac::BROADCAST } else { macs[to] };
        let frame = [&destination.0[..], &macs[from].0, &[0x88, 0xb5], &payload].concat();
        let mut buffer = vec![0; 2048];
        // SAFETY: the buffer stays until the frame is complete, below.
        let token = unsafe { nets[to].receive_begin(&mut buffer) }.unwrap();
        nets[from].send(&frame).unwrap();
        assert_eq!(nets[to].poll_receive(), Some(token));
        // SAFETY: it is the buffer of this token.
        let (header, length) = unsafe { nets[to].receive_complete(token, &mut buffer) }.unwrap();
        assert_eq!(buffer[header..header + length], frame);
        assert!(nets[to].can_send());
    }
    let counters = network.borrow().counters;
    assert_eq!((counters[0].sent, counters[0].sent_bytes), (counters[1].received, counters[1].received_bytes));
    drop(nets);
    assert_eq!(Arena::pieces(), 0);
}
