//! A queue's progress as a plain structure.

use portcullis_abi::state::{self, Unfit};

use crate::fault::Fault;
use crate::features::Features;
use crate::heads::{Heads, WORDS};
use crate::layout::Layout;
use crate::memory::Shared;
use crate::queue::Queue;

const _: () = assert!(WORDS == 4, "the structure has as many words");

impl Queue {
    /// Returns how far the queue is. Size and addresses are the transport's.
    pub fn save(&self) -> state::Virtqueue {
        state::Virtqueue {
            version: state::Virtqueue::VERSION,
            next: u32::from(self.next),
            used: u32::from(self.used),
            published: u32::from(self.published),
            silent: u32::from(self.silent),
            reserved: 0,
            taken: self.taken.0,
        }
    }

    /// The queue that was saved, with the size and the addresses that its transport has.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn restore<M: Shared>(
        layout: Layout,
        features: Features,
        memory: &M,
        state: &state::Virtqueue,
    ) -> Result<Self, Unfit> {
        Unfit::check_version(state.version, state::Virtqueue::VERSION)?;
        let fresh = Self::new(layout, features, memory).map_err(|fault: Fault| match fault {
            Fault::PartOutOfReach { .. } => Unfit::Absent("RAM behind a virtqueue"),
            _ => Unfit::Value("a virtqueue's registers"),
        })?;
        let index = |value: u32, part| u16::try_from(value).map_err(|_| Unfit::Value(part));
        let next = index(state.next, "a virtqueue's next chain")?;
        let used = index(state.used, "a virtqueue's next used entry")?;
        let published = index(state.published, "a virtqueue's index")?;
        let taken = Heads(state.taken);
        if used.wrapping_sub(published) > layout.size || state.silent > 1 || state.reserved != 0 {
            return Err(Unfit::Value("a virtqueue's index"));
        }
        if !taken.are_below(layout.size) {
            return Err(Unfit::Value("the chains that a device has"));
        }
        // Each chain that was taken and not given back is one that the device has.
        if taken.count() != next.wrapping_sub(used) {
            return Err(Unfit::Value("how many chains a device has"));
        }
        Ok(Self { next, known: next, used, published, silent: state.silent == 1, taken, ..fresh })
    }
}
