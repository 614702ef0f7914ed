//! Who gets a frame: a table that was made once.

use heapless::Vec;

use super::counters::Dropped;
use super::frame::Frame;
use super::mac::Mac;

/// Most ports of one network: a VM has one.
pub const MAX_PORTS: usize = 8;

/// A set of ports, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports(u8);

impl Ports {
    /// The port with this number alone.
    pub const fn of(number: usize) -> Self {
        Self(if number < MAX_PORTS { 1 << number } else { 0 })
    }

    /// Whether there is none in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Takes the one with the lowest number out of it.
    pub const fn pop(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let number = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(number)
    }

    /// Those that are in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those that are in either.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// No address, and of several.
const NOBODY: u64 = u64::MAX;

/// The ports of a network and their addresses.
#[derive(Clone, Debug)]
pub struct Switch {
    addresses: Vec<Mac, MAX_PORTS>,
    /// The same as numbers; of places without a port, what no frame has as its source or its destination.
    keys: [u64; MAX_PORTS],
    /// Those whose VM may send from, and gets what is for, addresses of others: it bridges.
    bridges: Ports,
}

impl Default for Switch {
    fn default() -> Self {
        Self::new()
    }
}

impl Switch {
    /// A network without ports.
    pub const fn new() -> Self {
        Self { addresses: Vec::new(), keys: [NOBODY; MAX_PORTS], bridges: Ports(0) }
    }

    /// Adds a port, and returns its number. None: there are [`MAX_PORTS`], another one has the address, or it is no single one's.
    pub fn add(&mut self, mac: Mac, bridge: bool) -> Option<usize> {
        if mac.is_multicast() || self.addresses.contains(&mac) {
            return None;
        }
        let number = self.addresses.len();
        *self.keys.get_mut(number)? = mac.bits();
        self.addresses.push(mac).ok()?;
        if bridge {
            self.bridges = self.bridges.with(Ports::of(number));
        }
        Some(number)
    }

    /// All of its ports.
    pub fn all(&self) -> Ports {
        (0..self.addresses.len()).fold(Ports(0), |all, number| all.with(Ports::of(number)))
    }

    /// The address of a port.
    pub fn address(&self, port: usize) -> Option<Mac> {
        self.addresses.get(port).copied()
    }

    /// [`route`](Self::route) for who sends to one port mostly: `last` is the port that it sent to last, whose address is looked at
    /// first, so that it takes the same however many ports there are.
    ///
    /// # Errors
    ///
    /// As for [`route`](Self::route).
    #[inline]
    pub fn route_again(&self, from: usize, frame: &Frame<'_>, last: &mut u8) -> Result<Ports, Dropped> {
        if let Some(to) = self.again(from, (frame.destination, frame.source), *last) {
            return Ok(Ports::of(to));
        }
        let mut ports = self.route(from, frame)?;
        let all = ports;
        if let (Some(number), None) = (ports.pop(), ports.pop()) {
            *last = number as u8;
        }
        Ok(all)
    }

    /// The port `last`, if that gets a frame from port `from` that is for, and from, these addresses ([`Mac::bits`]).
    #[inline(always)]
    pub fn again(&self, from: usize, (destination, source): (u64, u64), last: u8) -> Option<usize> {
        let to = usize::from(last);
        let (own, there) = self.keys.get(from).zip(self.keys.get(to))?;
        (*own == source && *there == destination && from != to).then_some(to)
    }

    /// The ports that get a frame from port `from`. None of them is itself.
    ///
    /// A frame for a port's own address goes there, also from one port that bridges to another: it ends there. What is for an
    /// address of nobody's or of many never goes from one port that bridges to another: that one would pass it on, and where
    /// both reach the same network outside, it would go round for ever. So VMs that bridge find each other by fixed neighbours,
    /// not by asking all.
    ///
    /// # Errors
    ///
    /// [`Dropped::Source`], [`Dropped::Destination`].
    #[inline(never)]
    pub fn route(&self, from: usize, frame: &Frame<'_>) -> Result<Ports, Dropped> {
        let (source, destination) = (frame.source(), frame.destination());
        let bridges = !self.bridges.and(Ports::of(from)).is_empty();
        let own = self.address(from) == Some(source);
        // A port's address is its own also behind a bridge.
        let others = !own && self.addresses.contains(&source);
        if source.is_multicast() || others || !own && !bridges {
            return Err(Dropped::Source);
        }
        let ports = if destination.is_multicast() {
            self.all()
        } else {
            let known = self.addresses.iter().position(|mac| *mac == destination);
            match known {
                Some(number) => return self.not_back(Ports::of(number), from),
                None => self.bridges,
            }
        };
        self.not_back(if bridges { ports.without(self.bridges) } else { ports }, from)
    }

    fn not_back(&self, ports: Ports, from: usize) -> Result<Ports, Dropped> {
        let ports = ports.without(Ports::of(from));
        if ports.is_empty() { Err(Dropped::Destination) } else { Ok(ports) }
    }
}
