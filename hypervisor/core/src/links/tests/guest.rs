//! A guest with a virtio driver.

use core::ops::Range;

use portcullis_abi::map::{VIRTIO, VIRTIO_SIZE};
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_links::network::Mac;
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::mmio::registers::*;

use crate::links::network::{Network, NetworkConfig, PortConfig};
use crate::tests::guest;
use crate::tests::rig::{MEMORY, Rig, x};

/// Where drivers have their rings, behind what was loaded.
const RINGS: u64 = START + 0x10_0000;
/// Bytes of a queue's rings.
const RING: u64 = 0x4000;
/// Where they have their buffers.
const BUFFERS: u64 = START + 0x14_0000;
/// Bytes of each.
const BUFFER: u64 = 0x1000;

/// VIRTIO_F_INDIRECT_DESC.
const INDIRECT: u64 = 1 << 28;

/// Marsaglia's xorshift64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Where a driver has its rings, and its buffers by queue, from the start of RAM on.
pub struct Area {
    pub rings: u64,
    pub buffers: u64,
    /// Bytes of a buffer, and how many of them a queue has: as many chains later a buffer is used again.
    pub length: u64,
    pub count: u64,
}

/// A driver of a device with a few queues.
pub struct Guest {
    vm: usize,
    core: usize,
    slot: usize,
    ram: Ram,
    pub queues: Vec<Driver>,
    /// Buffers that were given: of all queues, or of each if it has an area.
    given: Vec<u64>,
    area: Option<Area>,
    /// Every other chain is given by a table.
    by_table: bool,
}

/// The address of port `number`.
pub fn mac(number: usize) -> [u8; 6] {
    [2, 0, 0, 0, 0, number as u8]
}

/// A network of the first VMs, each of which has it in slot 3.
pub fn network(vms: usize) -> Network {
    let port = |vm| PortConfig { vm, slot: 3, mac: Mac(mac(vm)), bridge: false, rate: None };
    let ports: Vec<PortConfig> = (0..vms).map(port).collect();
    Network::new(NetworkConfig { name: "lan", mtu: 1500, segmentation: true }, &ports)
}

/// Lets turns on core `core` end until VM `vm` has it.
pub fn until_its(rig: &Rig, core: usize, vm: usize) {
    for _ in 0..40 {
        if rig.loaded(core) == Some((vm, 0)) && rig.is_in_guest(core) {
            return;
        }
        rig.advance(5_000);
        rig.interrupt(core, EL2_TIMER_INTID);
    }
    panic!("VM {vm} never had its turn: {:?}", rig.loaded(core));
}

impl Guest {
    /// The driver in VM `vm`, whose vCPU is on core `core`, of the device in slot `slot`.
    pub fn new(vm: usize, core: usize, slot: usize) -> Self {
        Self {
            vm,
            core,
            slot,
            ram: Ram::new(MEMORY as usize),
            queues: Vec::new(),
            given: vec![0],
            area: None,
            by_table: false,
        }
    }

    /// The same beside others of its VM.
    pub fn within(self, area: Area) -> Self {
        Self { area: Some(area), ..self }
    }

    /// Has each of so many queues have its own buffers, as many as there is room for, unless it is known where they are.
    pub fn spread(&mut self, queues: usize) {
        let (rings, buffers) = (RINGS - START, BUFFERS - START);
        let count = (MEMORY - buffers) / BUFFER / queues as u64;
        self.area.get_or_insert(Area { rings, buffers, length: BUFFER, count });
    }

    fn address(&self, offset: u64) -> u64 {
        VIRTIO + self.slot as u64 * VIRTIO_SIZE + offset
    }

    pub fn read(&self, rig: &Rig, offset: u64) -> u64 {
        let at = self.address(offset);
        x(rig.guest(self.core, move |_| guest::load(at)), 0)
    }

    pub fn write(&self, rig: &Rig, offset: u64, value: u64) {
        let at = self.address(offset);
        rig.guest(self.core, move |context| guest::store(context, at, value));
    }

    /// Takes the device up to DRIVER_OK with queues of these sizes; those of size 0 it does not use. It accepts `features` and
    /// VERSION_1.
    pub fn begin(&mut self, rig: &Rig, features: u64, sizes: &[u16]) {
        self.write(rig, STATUS, 0);
        assert_eq!(self.read(rig, STATUS), 0);
        for status in [1, 3] {
            self.write(rig, STATUS, status);
        }
        for (half, bits) in [features & 0xffff_ffff, features >> 32 | 1].into_iter().enumerate() {
            self.write(rig, DRIVER_FEATURES_SEL, half as u64);
            self.write(rig, DRIVER_FEATURES, bits);
        }
        self.write(rig, STATUS, 0xb);
        assert_eq!(self.read(rig, STATUS), 0xb, "the features go together");
        (self.by_table, self.given) = (features & INDIRECT != 0, vec![0; sizes.len()]);
        self.pull(rig);
        self.queues.clear();
        let mut at = self.area.as_ref().map_or(RINGS, |area| START + area.rings);
        for (number, size) in sizes.iter().enumerate() {
            let driver = Driver::new(at, (*size).max(1));
            at += RING;
            if *size > 0 {
                let layout = driver.layout;
                self.ram.bytes[(layout.descriptors - START) as usize..][..RING as usize].fill(0);
                let half = |value: u64| [value & 0xffff_ffff, value >> 32];
                self.write(rig, QUEUE_SEL, number as u64);
                self.write(rig, QUEUE_NUM, u64::from(*size));
                for (register, address) in
                    [(QUEUE_DESC, layout.descriptors), (QUEUE_DRIVER, layout.available), (QUEUE_DEVICE, layout.used)]
                {
                    for (offset, value) in [0, 4].into_iter().zip(half(address)) {
                        self.write(rig, register + offset, value);
                    }
                }
                self.write(rig, QUEUE_READY, 1);
            }
            self.queues.push(driver);
        }
        self.push(rig);
        self.write(rig, STATUS, 0xf);
    }

    /// What of the VM's memory is this driver's: all of it, unless others have some.
    fn parts(&self) -> [Range<usize>; 2] {
        let Some(Area { rings, buffers, length, count }) = &self.area else { return [0..self.ram.bytes.len(), 0..0] };
        let queues = self.given.len() as u64;
        let part = |start: u64, size: u64| start as usize..(start + size) as usize;
        [part(*rings, queues * RING), part(*buffers, queues * count * length)]
    }

    /// What the VM's memory has is what the driver sees.
    fn pull(&mut self, rig: &Rig) {
        let ram = rig.ram(self.vm);
        for part in self.parts() {
            self.ram.bytes[part.clone()].copy_from_slice(&ram[part]);
        }
    }

    /// What the driver has written is in the VM's memory.
    fn push(&self, rig: &Rig) {
        let range = rig.vm(self.vm).memory;
        // SAFETY: the memory was leaked for this VM, whose cores do not run meanwhile.
        let ram = unsafe { core::slice::from_raw_parts_mut(range.start as *mut u8, range.size() as usize) };
        for part in self.parts() {
            ram[part.clone()].copy_from_slice(&self.ram.bytes[part]);
        }
    }

    /// Gives a queue buffers with these bytes, each a chain, and does not notify.
    pub fn give(&mut self, rig: &Rig, queue: usize, buffers: &[&[u8]]) {
        self.pull(rig);
        for bytes in buffers {
            let at = self.place(queue);
            self.ram.put(at, bytes);
            self.offer(queue, &[(at, bytes.len() as u32)], 1);
        }
        self.push(rig);
    }

    /// Gives a queue so many buffers of `length` bytes to be written. Returns where they are.
    pub fn take(&mut self, rig: &Rig, queue: usize, count: usize, length: u32) -> Vec<u64> {
        self.pull(rig);
        let places = (0..count).map(|_| {
            let at = self.place(queue);
            self.offer(queue, &[(at, length)], 0);
            at
        });
        let places = places.collect();
        self.push(rig);
        places
    }

    /// Gives a queue a command, with a byte at `answer` to be written, and does not notify.
    pub fn command(&mut self, rig: &Rig, queue: usize, command: &[u8], answer: u64) {
        self.pull(rig);
        let at = self.place(queue);
        self.ram.put(at, command);
        self.offer(queue, &[(at, command.len() as u32), (answer, 1)], 1);
        self.push(rig);
    }

    /// Gives a queue one chain of these bytes, each a buffer, and behind them room for so many bytes each, and does not notify.
    /// Returns where the room is.
    pub fn ask(&mut self, rig: &Rig, queue: usize, sent: &[&[u8]], room: &[u32]) -> Vec<u64> {
        self.pull(rig);
        let mut buffers = Vec::new();
        for bytes in sent {
            let at = self.place(queue);
            self.ram.put(at, bytes);
            buffers.push((at, bytes.len() as u32));
        }
        let places: Vec<u64> = room.iter().map(|_| self.place(queue)).collect();
        buffers.extend(places.iter().copied().zip(room.iter().copied()));
        self.offer(queue, &buffers, sent.len());
        self.push(rig);
        places
    }

    /// Gives a queue a buffer that lies anywhere, and does not notify.
    pub fn give_at(&mut self, rig: &Rig, queue: usize, at: u64, length: u32, writable: bool) {
        self.pull(rig);
        self.offer(queue, &[(at, length)], usize::from(!writable));
        self.push(rig);
    }

    /// Says that there are so many more chains than there are, and does not notify.
    pub fn run_ahead(&mut self, rig: &Rig, queue: usize, by: u16) {
        self.pull(rig);
        let at = self.queues[queue].layout.available + 2;
        let index = self.ram.half(at).wrapping_add(by);
        self.ram.put(at, &index.to_le_bytes());
        self.push(rig);
    }

    fn place(&mut self, queue: usize) -> u64 {
        let shared = Area { rings: 0, buffers: BUFFERS - START, length: BUFFER, count: 0xa0 };
        let (area, queue) = self.area.as_ref().map_or((&shared, 0), |area| (area, queue));
        let at = (queue as u64 * area.count + self.given[queue] % area.count) * area.length;
        self.given[queue] += 1;
        START + area.buffers + at
    }

    /// Makes a chain available.
    fn offer(&mut self, queue: usize, buffers: &[(u64, u32)], readable: usize) {
        if self.by_table && self.queues[queue].next.is_multiple_of(2) {
            let table = self.place(queue);
            self.queues[queue].give_indirect(&mut self.ram, table, buffers, readable);
        } else {
            self.queues[queue].give(&mut self.ram, buffers, readable);
        }
    }

    /// Has the driver write somewhere.
    pub fn poke(&mut self, rig: &Rig, at: u64, bytes: &[u8]) {
        self.pull(rig);
        self.ram.put(at, bytes);
        self.push(rig);
    }

    /// Notifies the device.
    pub fn notify(&self, rig: &Rig, queue: usize) {
        self.write(rig, QUEUE_NOTIFY, queue as u64);
    }

    /// What the device has given back in a queue: heads, and how much was written.
    pub fn used(&mut self, rig: &Rig, queue: usize) -> Vec<(u16, u32)> {
        self.pull(rig);
        let Self { queues, ram, .. } = self;
        std::iter::from_fn(|| queues[queue].used(ram)).collect()
    }

    /// Bytes of the VM's memory.
    pub fn bytes(&mut self, rig: &Rig, at: u64, length: usize) -> Vec<u8> {
        self.pull(rig);
        self.ram.at(at, length).to_vec()
    }

    /// Sends a frame with bytes that count to the port with this number, or to all, behind a virtio header, and notifies.
    pub fn send(&mut self, rig: &Rig, to: [u8; 6], length: usize) -> Vec<u8> {
        let frame = self.frame(to, length);
        self.give(rig, 1, &[&frame]);
        self.notify(rig, 1);
        frame
    }

    /// A frame as [`send`](Self::send) sends it.
    pub fn frame(&self, to: [u8; 6], length: usize) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend(to.iter().chain(&mac(self.vm)).chain(&[8, 0]));
        bytes.extend((0..length - 14).map(|n| n as u8));
        bytes
    }

    /// Has the guest's GIC let the device's interrupt through, as an edge, and says whether it is pending.
    pub fn is_pending(&self, rig: &Rig) -> bool {
        let intid = portcullis_abi::map::VIRTIO_INTID as usize + self.slot;
        // GICD_ISPENDR.
        let at = portcullis_abi::map::GICD + 0x200 + intid as u64 / 32 * 4;
        x(rig.guest(self.core, move |_| guest::load(at)), 0) >> (intid % 32) & 1 != 0
    }
}
