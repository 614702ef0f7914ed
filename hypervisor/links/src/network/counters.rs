//! What became of frames.

/// Why a frame did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Dropped {
    /// It has no whole Ethernet header.
    Short,
    /// It is longer than the network takes.
    Long,
    /// Its virtio header asks for what was not negotiated, or what its bytes do not have.
    Header,
    /// It is not from its port's address.
    Source,
    /// Nobody has its address.
    Destination,
    /// It is more than the port may send.
    Rate,
    /// The receiver's driver is not there, or its VM does not run.
    Down,
    /// The receiver has no buffer for it.
    Full,
    /// The receiver's buffer is too small for it, and it may lie in one only.
    Small,
    /// It is to be cut into segments, and the receiver does not take such frames.
    Unsegmented,
}

impl Dropped {
    /// How many reasons there are.
    pub const COUNT: usize = 10;

    /// All of them, in the order of the counters.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Short,
        Self::Long,
        Self::Header,
        Self::Source,
        Self::Destination,
        Self::Rate,
        Self::Down,
        Self::Full,
        Self::Small,
        Self::Unsegmented,
    ];

    /// Its name, as counters are shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Header => "header",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Rate => "rate",
            Self::Down => "down",
            Self::Full => "full",
            Self::Small => "small",
            Self::Unsegmented => "unsegmented",
        }
    }
}

/// Counters of a port. Those of a frame that was dropped are the receiver's from [`Dropped::Down`] on, and else the sender's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that the port's driver has sent, and which were read.
    pub sent: u64,
    /// Their bytes, without virtio headers.
    pub sent_bytes: u64,
    /// Copies that were made of them, one for each port that got one.
    pub copies: u64,
    /// Frames that were given to the port's driver.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Frames that were dropped, by reason.
    pub dropped: [u64; Dropped::COUNT],
}

impl Counters {
    /// Takes note of a frame that was dropped.
    pub fn drop(&mut self, reason: Dropped) {
        if let Some(count) = self.dropped.get_mut(reason as usize) {
            *count = count.wrapping_add(1);
        }
    }

    /// How many were dropped for this reason.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or(0)
    }

    /// Takes note of a frame that was sent.
    pub const fn send(&mut self, bytes: u32) {
        self.sent = self.sent.wrapping_add(1);
        self.sent_bytes = self.sent_bytes.wrapping_add(bytes as u64);
    }

    /// Takes note of a copy of a frame that was sent.
    pub const fn copy(&mut self) {
        self.copies = self.copies.wrapping_add(1);
    }

    /// Takes note of a frame that arrived.
    pub const fn receive(&mut self, bytes: u32) {
        self.received = self.received.wrapping_add(1);
        self.received_bytes = self.received_bytes.wrapping_add(bytes as u64);
    }
}

/// What became of a port's frames, and what was said of it. Whoever moves frames has it, apart from the [`Port`](super::Port),
/// which is its driver's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The counters.
    pub counters: Counters,
    /// That its driver takes no frames that are to be cut was said.
    told: bool,
}

impl Traffic {
    /// Takes note of a frame that the port did not get. Returns whether that is worth a line: the first one of a start that
    /// its driver does not take because it is to be cut.
    pub fn drop(&mut self, reason: Dropped) -> bool {
        self.counters.drop(reason);
        matches!(reason, Dropped::Unsegmented) && !core::mem::replace(&mut self.told, true)
    }

    /// Its VM, or its driver, begins anew. The counters go on.
    pub const fn restart(&mut self) {
        self.told = false;
    }
}
