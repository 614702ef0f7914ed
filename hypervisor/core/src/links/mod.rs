//! What connects VMs: virtio devices whose other side is another VM's, or EL2's. What each of them decides is in the crate
//! `portcullis_links`; here it gets VMs, cores and time.
//!
//! The core of the VM that asks does the work, in pieces of which each is bounded ([`work`]). A copy is made by whoever has the
//! device's queues to itself, and nobody waits for that but a VM that ends, stands still, or resets the device: bounded by a
//! piece or two.

pub mod backplane;
pub mod console;
pub mod controls;
pub mod data;
pub mod disk;
pub mod events;
pub mod network;
pub mod own_port;
pub mod peer;
pub mod registers;
pub mod report;
pub mod serial;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod wire;
pub mod work;

use alloc::boxed::Box;
use alloc::vec::Vec;

use portcullis_links::serial::PORTS;

use self::backplane::Backplane;
use self::console::Console;
use self::controls::{Controls, Serve};
use self::data::{Bulk, Data};
use self::disk::Disk;
use self::events::{Event, Events, Refused};
use self::network::{Network, Plug};
use self::peer::Peer;
use self::report::Link;
use self::serial::Serial;
use self::terminal::Terminal;
use self::wire::Wire;

/// The links of a machine.
pub struct Links {
    networks: Box<[Network]>,
    disks: Box<[&'static Disk]>,
    serials: Box<[&'static Serial]>,
    wires: Box<[Wire]>,
    /// Of the VMs that have one.
    consoles: Box<[&'static Console]>,
    /// Where the control VM is told what happens, if it has a console.
    events: Option<Events>,
    /// Where the control VM has what is long moved, if it has a console.
    data: Option<Data>,
    /// The terminals that it has there of other VMs.
    terminals: Box<[&'static Terminal]>,
}

/// How the machine is managed by ports of the control VM's console.
#[derive(Clone, Copy)]
pub struct Managing {
    /// The number of the control VM.
    pub vm: usize,
    /// Answers the calls that it makes.
    pub serve: Serve,
    /// Tells how many calls of a VM were refused.
    pub refused: Refused,
    /// What is moved by the port of data.
    pub bulk: &'static dyn Bulk,
}

/// What connects the VMs of a machine, as the manifest has it.
#[derive(Default)]
pub struct Connections {
    /// Networks.
    pub networks: Vec<Network>,
    /// Pairs of serial ports.
    pub serials: Vec<&'static Serial>,
    /// Disks.
    pub disks: Vec<&'static Disk>,
    /// By VM: the slot of its console, if it has one.
    pub consoles: Vec<Option<usize>>,
    /// By VM: its name.
    pub names: Vec<&'static str>,
    /// How the machine is managed by the control VM's console, if there is a control VM and it has one.
    pub controls: Option<Managing>,
    /// Wires, of which nothing is done here.
    pub wires: Vec<Wire>,
}

impl Links {
    /// The links between VMs that are yet to be [connected](Self::connect).
    pub fn new(connections: Connections) -> &'static Self {
        let Connections { networks, serials, disks, consoles, names, controls, wires } = connections;
        let vms = consoles.len();
        let has_console = |of: &Managing| consoles.get(of.vm).is_some_and(Option::is_some);
        let controls = controls.filter(has_console);
        let events = controls.map(|controls| Events::new(controls.refused));
        let mut terminals = Vec::new();
        let data = controls.map(|controls| Data::new(controls.bulk));
        let consoles = consoles.into_iter().enumerate().filter_map(|(vm, slot)| {
            // A VM's ports are numbered in this order.
            let ports = serials.iter().flat_map(|serial| serial.ports(vm));
            let ports = ports.chain(disks.iter().filter_map(|disk| disk.port(vm)));
            let slot = slot?;
            let own =
                controls.filter(|controls| controls.vm == vm).into_iter().flat_map(|Managing { serve, .. }| {
                    let controls: &'static Controls = Box::leak(Box::new(Controls::new(serve)));
                    let others = events.as_ref().and_then(Events::port).into_iter();
                    controls.port().into_iter().chain(others).chain(data.as_ref().and_then(Data::port))
                });
            let mut ports: Vec<_> = ports.chain(own).collect();
            if controls.is_some_and(|controls| controls.vm == vm) {
                terminals = terminal::all(&names, vm, PORTS.saturating_sub(ports.len()));
                ports.extend(terminals.iter().filter_map(|terminal| terminal.port()));
            }
            Some(Console::new(vm, slot, ports))
        });
        let consoles = consoles.collect();
        let (networks, serials, disks, wires) = (networks.into(), serials.into(), disks.into(), wires.into());
        let terminals = terminals.into();
        let links: &'static Self =
            Box::leak(Box::new(Self { networks, serials, consoles, disks, wires, events, data, terminals }));
        links.events.iter().for_each(|events| events.set_up(links.all().count(), vms));
        links
    }

    /// All of them, kind by kind, each kind in the manifest's order.
    pub fn all(&self) -> impl Iterator<Item = &dyn Link> {
        let networks = self.networks.iter().map(|network| network as &dyn Link);
        let serials = self.serials.iter().map(|serial| *serial as &dyn Link);
        let disks = self.disks.iter().map(|disk| *disk as &dyn Link);
        networks.chain(serials).chain(disks).chain(self.wires.iter().map(|wire| wire as &dyn Link))
    }

    /// The networks, in the manifest's order.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// The pairs of serial ports, in the manifest's order.
    pub fn serials(&self) -> &[&'static Serial] {
        &self.serials
    }

    /// The disks, in the manifest's order.
    #[cfg(test)]
    pub fn disks(&self) -> &[&'static Disk] {
        &self.disks
    }

    /// The transports of the VM with the number `vm`; none: it has no link.
    pub fn backplane(&'static self, vm: usize) -> Option<&'static Backplane> {
        let mut backplane = Backplane::new();
        for console in self.consoles.iter().filter(|console| console.vm == vm) {
            backplane.add(console.slot, Box::new(console::Plug(console)));
        }
        for network in &self.networks {
            for (number, port) in network.ports().iter().enumerate().filter(|(_, port)| port.vm == vm) {
                backplane.add(port.slot, Box::new(Plug { network, number, port }));
            }
        }
        for disk in self.disks.iter().filter(|disk| disk.vm == vm) {
            backplane.add(disk.slot, Box::new(disk::Plug::new(disk)));
        }
        (!backplane.is_empty()).then(|| &*Box::leak(Box::new(backplane)))
    }

    /// Says which VM has which number. To be called once, before any of them runs.
    pub fn connect(&self, peer: impl Fn(usize) -> Option<&'static dyn Peer>) {
        self.networks.iter().for_each(|network| network.connect(&peer));
        self.disks.iter().for_each(|disk| disk.connect(&peer));
        self.consoles.iter().for_each(|console| console.connect(peer(console.vm)));
        self.terminals.iter().for_each(|terminal| terminal.connect(&peer));
    }

    /// The VM with the number `vm` runs, or does so no longer: those at the other ends are told.
    pub fn phase_changed(&self, vm: usize) {
        self.networks.iter().filter(|network| network.has(vm)).for_each(Network::phase_changed);
        self.events.iter().for_each(|events| events.phase_changed(self.all()));
    }

    /// The port of data, if the control VM has a console.
    pub fn data(&self) -> Option<&Data> {
        self.data.as_ref()
    }

    /// Tells who reads events that something has happened, if anybody does.
    pub fn tell(&self, event: Event) {
        self.events.iter().for_each(|events| events.tell(event));
    }
}
