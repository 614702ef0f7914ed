//! A network between VMs: a switch with a static table, and a port for each VM (virtio-net).

mod lane;
mod piece;
mod plug;
mod port;
mod report;
mod saved;

use alloc::boxed::Box;
use alloc::vec::Vec;

use portcullis_bundle::links as bundle;
use portcullis_links::network::{Counters, Mac, Stage, Switch, Traffic};
use portcullis_virtio::Chain;

use self::lane::{Receiver, Sender};
pub use self::plug::Plug;
pub use self::port::Port;
use super::peer::Peer;
use super::report::Copied;
use super::work::{Rest, Work};

/// What the manifest says of a network.
#[derive(Clone, Copy, Debug)]
pub struct NetworkConfig {
    /// Its name.
    pub name: &'static str,
    /// Bytes of the longest packet behind an Ethernet header.
    pub mtu: u16,
    /// Frames that are still to be cut into segments may pass.
    pub segmentation: bool,
}

/// What the manifest says of a port.
#[derive(Clone, Copy, Debug)]
pub struct PortConfig {
    /// The number of the VM.
    pub vm: usize,
    /// The slot of its transport.
    pub slot: usize,
    /// Its address.
    pub mac: Mac,
    /// The VM may send from, and gets what is for, addresses that nobody here has.
    pub bridge: bool,
    /// Frames that it may send in a second; none: as many as it likes.
    pub rate: Option<u32>,
}

/// A network.
pub struct Network {
    config: NetworkConfig,
    switch: Switch,
    ports: Box<[Port]>,
    desk: Work<Desk>,
}

/// What whoever moves frames has to itself.
struct Desk {
    /// By port: how frames leave, how they arrive, and what becomes of them.
    senders: Box<[Sender]>,
    receivers: Box<[Receiver]>,
    traffic: Box<[Traffic]>,
    /// A frame's chain, its beginning, and a chain of who gets it.
    sent: Chain,
    stage: Stage,
    room: Chain,
    /// Bytes that are told of.
    copied: Copied,
}

impl Network {
    /// A network of VMs that are yet to be connected. Of ports whose address is another one's, or no single one's,
    /// the first is there.
    pub fn new(config: NetworkConfig, ports: &[PortConfig]) -> Self {
        let mut switch = Switch::new();
        let taken = |port: &&PortConfig| switch.add(port.mac, port.bridge).is_some();
        let taken: Vec<&PortConfig> = ports.iter().filter(taken).collect();
        let senders = taken.iter().map(|port| Sender::new(port.rate)).collect();
        let receivers = taken.iter().map(|_| Receiver::default()).collect();
        let traffic = taken.iter().map(|_| Traffic::default()).collect();
        let (sent, stage, room) = (Chain::new(), Stage::new(), Chain::new());
        let ports = taken.iter().map(|port| Port::new(port, config)).collect();
        let copied = Copied::default();
        let desk = Desk { senders, receivers, traffic, sent, stage, room, copied };
        Self { config, switch, ports, desk: Work::new(desk) }
    }

    /// The network that the bundle has.
    pub fn of(network: &bundle::Network<'static>) -> Self {
        let bundle::Network { name, mtu, segmentation, .. } = *network;
        let port = |port: bundle::NetworkPort| {
            let bundle::NetworkPort { vm, slot, mac, bridge, rate } = port;
            PortConfig { vm, slot, mac: Mac(mac), bridge, rate }
        };
        let ports: Vec<PortConfig> = network.ports().map(port).collect();
        Self::new(NetworkConfig { name, mtu, segmentation }, &ports)
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.config.name
    }

    /// Its ports.
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// What became of a port's frames.
    pub fn counters(&self, port: usize) -> Option<Counters> {
        self.enter().traffic.get(port).map(|traffic| traffic.counters)
    }

    /// Says which VM has which number.
    pub(super) fn connect(&self, peer: impl Fn(usize) -> Option<&'static dyn Peer>) {
        self.ports.iter().for_each(|port| port.connect(peer(port.vm)));
    }

    /// Whether the VM with this number is at it.
    pub(super) fn has(&self, vm: usize) -> bool {
        self.ports.iter().any(|port| port.vm == vm)
    }

    /// A VM runs, or does so no longer: the link of a port is up while another VM runs.
    pub(super) fn phase_changed(&self) {
        for port in &self.ports {
            let others = self.ports.iter().filter(|other| other.vm != port.vm);
            let up = others.filter_map(Port::peer).any(|peer| peer.runs());
            if let Some(peer) = port.peer() {
                port.set_link(peer, up);
            }
        }
    }

    /// The network at rest: nobody moves frames meanwhile.
    fn enter(&self) -> Rest<'_, Desk, impl Fn(usize)> {
        self.desk.enter(|port| self.call(port))
    }

    /// Has the VM of port `port` go on with its work.
    fn call(&self, port: usize) {
        if let Some(peer) = self.ports.get(port).and_then(Port::peer) {
            peer.call();
        }
    }

    /// Keeps everybody from moving frames until the result is dropped.
    #[cfg(test)]
    pub(super) fn busy(&self) -> impl Sized + '_ {
        self.enter()
    }
}
