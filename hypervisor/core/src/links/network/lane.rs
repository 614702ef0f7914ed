//! What a port's driver has handed over for frames.

use portcullis_arch::timer;
use portcullis_links::network::{Ports, Rate, Traffic};
use portcullis_virtio::Queue;

/// The queues of a port for frames, and what becomes of these. A queue that is not there its driver does not use.
#[derive(Debug)]
pub struct Lane {
    /// Frames of the VM.
    pub transmit: Option<Queue>,
    /// Buffers for frames for it.
    pub receive: Option<Queue>,
    /// What its driver accepted.
    pub features: u64,
    /// The first descriptor of the frame that some have and others do not have yet: these.
    pub current: Option<(u16, Ports)>,
    /// What became of its frames.
    pub traffic: Traffic,
    /// How many it may send.
    pub rate: Option<Rate>,
}

impl Lane {
    /// A port without a driver, of which `rate` frames a second are taken, or all.
    pub fn new(rate: Option<u32>) -> Self {
        let rate = rate.and_then(|rate| Rate::new(rate, timer::frequency()));
        let traffic = Traffic::default();
        Self { transmit: None, receive: None, features: 0, current: None, traffic, rate }
    }

    /// Its driver is there no more.
    pub fn forget(&mut self) {
        (self.transmit, self.receive, self.features, self.current) = (None, None, 0, None);
        self.traffic.restart();
    }

    /// Whether a frame may be sent now.
    pub fn is_within_rate(&mut self) -> bool {
        self.rate.as_mut().is_none_or(|rate| rate.take(timer::count()))
    }
}
