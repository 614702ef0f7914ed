//! What a port's driver has handed over for frames.

use portcullis_arch::timer;
use portcullis_links::network::{Ports, Rate};
use portcullis_virtio::Queue;

use crate::memory::guest::GuestMemory;

/// How the frames of a port's VM leave. A queue that is not there its driver does not use.
#[derive(Debug)]
pub struct Sender {
    /// Frames of the VM.
    pub queue: Option<Queue>,
    /// What its driver accepted.
    pub features: u64,
    /// The first descriptor of the frame that some have and others do not have yet: these.
    pub current: Option<(u16, Ports)>,
    /// How many it may send.
    pub rate: Option<Rate>,
    /// The port that it sent to last.
    pub last: u8,
    /// The VM's memory as the core reached it that sent last.
    pub memory: Option<GuestMemory>,
    /// The port that this core reached last, and the memory of its VM.
    pub reached: Reached,
}

/// How the frames for a port's VM arrive.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Buffers for frames for it.
    pub queue: Option<Queue>,
    /// What its driver accepted.
    pub features: u64,
}

/// The memory of a VM to which frames go.
#[derive(Debug, Default)]
pub struct Reached {
    /// The number of its port.
    pub port: usize,
    /// As the core reached it that sent last.
    pub memory: Option<GuestMemory>,
}

impl Sender {
    /// A port without a driver, of which `rate` frames a second are taken, or all.
    pub fn new(rate: Option<u32>) -> Self {
        let rate = rate.and_then(|rate| Rate::new(rate, timer::frequency()));
        let (memory, reached) = (None, Reached::default());
        Self { queue: None, features: 0, current: None, rate, last: 0, memory, reached }
    }

    /// Its driver is there no more.
    pub fn forget(&mut self) {
        (self.queue, self.features, self.current) = (None, 0, None);
    }
}

/// Whether a frame may be sent now.
#[inline]
pub fn is_within(rate: &mut Option<Rate>) -> bool {
    rate.as_mut().is_none_or(|rate| rate.take(timer::count()))
}
