//! An event, and its record.

use portcullis_abi::manage::{EVENT_SIZE, EVENT_VERSION};

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// An `EVENT_*` of [`portcullis_abi::manage`].
    pub kind: u64,
    /// The number of the VM.
    pub vm: usize,
    /// The link and its end, if it is about one.
    pub link: (usize, usize),
    /// What the kind says.
    pub value: u64,
}

impl Event {
    /// About a VM as a whole.
    pub const fn of(kind: u64, vm: usize, value: u64) -> Self {
        Self { kind, vm, link: (0, 0), value }
    }

    /// Its record at `time`, in ticks of the physical counter, without those that were lost before it.
    pub(super) const fn record(&self, time: u64) -> [u64; 4] {
        let Self { kind, vm, link: (link, end), value } = *self;
        let subject = vm as u64 & 0xff | (link as u64 & 0xffff) << 16 | (end as u64 & 0xffff) << 32;
        [EVENT_SIZE | EVENT_VERSION << 8 | (kind & 0xffff) << 16, time, subject, value]
    }
}
