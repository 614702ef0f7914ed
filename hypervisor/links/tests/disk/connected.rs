//! A VM with a served disk, and its server.

use portcullis_links::disk::{Flow, Geometry, Served};
use portcullis_links::nbd::Broken;
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::{Budget, Chain, Fault, Features, Queue};

use crate::bed::{DATA, Vm, pattern};
use crate::server::{Manner, Server};

pub const SIZE: usize = 256 << 10;
pub const TIMEOUT: u64 = 1000;

/// The server's VM, in whose buffers bytes go to and fro.
pub struct Port {
    pub ram: Ram,
    pub driver: Driver,
    pub queue: Queue,
    pub chain: Chain,
}

impl Port {
    pub fn new() -> Self {
        let (ram, driver) = (Ram::new(1 << 20), Driver::new(START, 32));
        let features = Features { indirect: true, event_index: false };
        let queue = Queue::new(driver.layout, features, &ram).unwrap();
        Self { ram, driver, queue, chain: Chain::new() }
    }
}

pub struct Bed {
    pub vm: Vm,
    pub disk: Served,
    pub port: Port,
    pub server: Server,
    pub now: u64,
}

impl Bed {
    pub fn new(manner: Manner) -> Self {
        let geometry = Geometry::new("d", SIZE as u64, 512, false).unwrap();
        let mut disk = Served::new(geometry, &manner.export, TIMEOUT).unwrap();
        disk.open();
        let store = pattern(SIZE);
        Self { vm: Vm::new(), disk, port: Port::new(), server: Server::new(manner, store), now: 0 }
    }

    /// One piece of work: requests are taken, `room` bytes go to the server, and `amount` come from it.
    pub fn piece(&mut self, room: u32, amount: usize) -> Result<Result<bool, Broken>, Fault> {
        let Self { vm, disk, port, server, now } = self;
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        let mut moved = false;
        disk.take(&mut flow, *now, &mut Budget::new())?;
        if room > 0 {
            let head = port.driver.give(&mut port.ram, &[(DATA, room)], 0);
            assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
            let mut budget = Budget::new();
            budget.chain(&port.chain);
            let sent = disk.send(Some(&mut flow), &mut port.chain.writer(), &mut port.ram, &mut budget)?;
            port.queue.put(&mut port.ram, head, sent).unwrap();
            server.hear(port.ram.at(DATA, sent as usize));
            moved |= sent > 0;
        }
        let bytes: Vec<u8> = (0..amount).map_while(|_| server.out.pop_front()).collect();
        if !bytes.is_empty() {
            port.ram.put(DATA, &bytes);
            let head = port.driver.give(&mut port.ram, &[(DATA, bytes.len() as u32)], 1);
            assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
            let mut reader = port.chain.reader();
            let mut judged = Ok(());
            while reader.left() > 0 && judged.is_ok() {
                judged = disk.receive(Some(&mut flow), &mut reader, &mut port.ram, &mut Budget::new())?;
            }
            port.queue.put(&mut port.ram, head, 0).unwrap();
            if let Err(broken) = judged {
                return Ok(Err(broken));
            }
            moved = true;
        }
        vm.queue.publish(&mut vm.ram).unwrap();
        Ok(Ok(moved))
    }

    /// Works until nothing moves, with replies in the order that they came in.
    pub fn settle(&mut self) {
        loop {
            let moved = self.piece(4096, 4096).unwrap().unwrap();
            let replies: Vec<u8> = self.server.replies.drain(..).flatten().collect();
            if !moved && replies.is_empty() {
                return;
            }
            self.server.out.extend(replies);
        }
    }

    /// The two ends agree, and nothing is done of any request.
    pub fn shake(&mut self) {
        let Self { vm, disk, port, server, .. } = self;
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        while disk.client().export().is_none() {
            let bytes: Vec<u8> = server.out.drain(..).collect();
            port.ram.put(DATA, &bytes);
            port.driver.give(&mut port.ram, &[(DATA, bytes.len() as u32)], 1);
            assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
            port.queue.put(&mut port.ram, port.chain.head(), 0).unwrap();
            disk.receive(Some(&mut flow), &mut port.chain.reader(), &mut port.ram, &mut Budget::new())
                .unwrap()
                .unwrap();
            if disk.client().export().is_none() {
                let head = port.driver.give(&mut port.ram, &[(DATA, 4096)], 0);
                assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
                let to = &mut port.chain.writer();
                let sent = disk.send(Some(&mut flow), to, &mut port.ram, &mut Budget::new()).unwrap();
                port.queue.put(&mut port.ram, head, sent).unwrap();
                server.hear(port.ram.at(DATA, sent as usize));
            }
        }
        port.queue.publish(&mut port.ram).unwrap();
    }

    pub fn expire(&mut self) -> bool {
        let Self { vm, disk, now, .. } = self;
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        let cut = disk.expire(&mut flow, *now, &mut Budget::new()).unwrap();
        vm.queue.publish(&mut vm.ram).unwrap();
        cut
    }

    pub fn reconnect(&mut self) {
        self.disk.close();
        self.server.greet();
        self.disk.open();
    }
}
