//! The device's side of a split virtqueue.

use core::sync::atomic::Ordering;

use virtio_spec::virtq::{AvailF, UsedF};

use crate::chain::{Chain, MAX_CHAIN};
use crate::descriptor::{self, Descriptor};
use crate::fault::Fault;
use crate::features::Features;
use crate::heads::Heads;
use crate::layout::Layout;
use crate::memory::Shared;
use crate::segment::Segment;
use crate::walk::{add_only, walk};

const NO_INTERRUPT: u16 = AvailF::NO_INTERRUPT.bits().to_ne();
const NO_NOTIFY: u16 = UsedF::NO_NOTIFY.bits().to_ne();

/// A queue that its driver has set up. The driver writes descriptors, the available ring and its index; the device writes the used
/// ring and its index, and never reads back what it wrote.
///
/// What is ordered, and by which barrier (Arm ARM, B2.3.7; virtio 1.2, sections 2.7.7, 2.7.10, 2.7.13, 2.7.14):
///
/// | before | behind | barrier |
/// | --- | --- | --- |
/// | the available ring's index is loaded | entries, descriptors and buffers that it stands for are | DMB ISHLD, [`take`] |
/// | buffers are loaded and stored, used entries stored | the used ring's index is, which gives them back | DMB ISH, [`publish`] |
/// | the used ring's index is stored | `used_event`, or the available ring's flags are loaded | DMB ISH, [`publish`] |
/// | `avail_event`, or the used ring's flags are stored | the available ring's index is loaded | DMB ISH, [`listen`] |
///
/// The last two are a store and a load behind it: without a full barrier the driver and the device can each miss what the other
/// has written, and both wait. What interrupts a vCPU behind `publish` needs no barrier but its own.
///
/// [`take`]: Self::take
/// [`publish`]: Self::publish
/// [`listen`]: Self::listen
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub(crate) layout: Layout,
    pub(crate) features: Features,
    /// Free-running index of the chain that is taken next, and of the one behind the last that is known to be there.
    pub(crate) next: u16,
    pub(crate) known: u16,
    /// Free-running index of the used entry that is written next, and of the one behind the last that the driver has been shown.
    pub(crate) used: u16,
    pub(crate) published: u16,
    /// The driver was told not to notify.
    pub(crate) silent: bool,
    /// First descriptors of the chains that the device has.
    pub(crate) taken: Heads,
}

/// The next chain of a queue, which is of one buffer: a copy of its descriptor, which was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only {
    head: u16,
    /// The device may write to the buffer, and else may read it.
    pub writable: bool,
    /// Bytes of the buffer.
    pub length: u32,
    /// Where the buffer is.
    pub address: u64,
}

impl Only {
    /// The buffer.
    #[inline]
    pub const fn segment(&self) -> Segment {
        Segment { address: self.address, length: self.length }
    }
}

/// How far a queue was, for [`Queue::rewind`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    next: u16,
    used: u16,
    taken: Heads,
}

impl Queue {
    /// A queue from its first chain on, in rings that the driver has zeroed.
    ///
    /// # Errors
    ///
    /// [`Fault`]: its parts are not all in the guest's RAM, or not as [`Layout::check`] wants them.
    pub fn new<M: Shared>(layout: Layout, features: Features, memory: &M) -> Result<Self, Fault> {
        layout.check(crate::MAX_SIZE)?;
        layout.reach(memory)?;
        Ok(Self { layout, features, next: 0, known: 0, used: 0, published: 0, silent: false, taken: Heads::NONE })
    }

    /// Where its available ring is: mostly all of its parts lie side by side.
    #[inline]
    pub const fn rings(&self) -> u64 {
        self.layout.available
    }

    /// How many chains there are to take, at least: what was known before, unless that was none.
    ///
    /// # Errors
    ///
    /// [`Fault::Ahead`].
    pub fn available<M: Shared>(&mut self, memory: &mut M) -> Result<u16, Fault> {
        if self.known == self.next {
            self.look(memory)?;
        }
        Ok(self.known.wrapping_sub(self.next))
    }

    /// Free-running index of the chain that is taken next.
    #[inline]
    pub const fn position(&self) -> u16 {
        self.next
    }

    /// Free-running index behind the last chain that is there now.
    ///
    /// # Errors
    ///
    /// [`Fault::Ahead`].
    pub fn end<M: Shared>(&mut self, memory: &mut M) -> Result<u16, Fault> {
        self.look(memory)?;
        Ok(self.known)
    }

    /// Whether there is a chain to take that is known of already.
    #[inline]
    pub const fn is_known(&self) -> bool {
        self.known != self.next
    }

    /// Takes the next chain into `chain`. False: there is none.
    ///
    /// # Errors
    ///
    /// [`Fault`]: what the driver has written is no chain; the queue cannot be used any more.
    #[inline]
    pub fn take<M: Shared>(&mut self, memory: &mut M, chain: &mut Chain) -> Result<bool, Fault> {
        self.take_within(memory, chain, MAX_CHAIN)
    }

    /// Takes the next chain into `chain` as [`take`](Self::take) does, if it has no more than `most` descriptors; no more of them
    /// are read.
    ///
    /// # Errors
    ///
    /// [`Fault`], as for [`take`](Self::take). With [`Fault::TooLong`] the chain is still there.
    #[inline(always)]
    pub fn take_within<M: Shared>(&mut self, memory: &mut M, chain: &mut Chain, most: usize) -> Result<bool, Fault> {
        if self.known == self.next {
            self.look(memory)?;
            if self.known == self.next {
                return Ok(false);
            }
        }
        let head = memory.load(self.layout.available_entry(self.next))?;
        if head >= self.layout.size {
            return Err(Fault::HeadOutside { head, size: self.layout.size });
        }
        if !self.taken.insert(head) {
            return Err(Fault::HeadTwice { head });
        }
        let first = self.first(memory, head)?;
        chain.clear(head, most);
        // Most chains are of one buffer; whatever is not in order is looked at by who can say what it is.
        if !add_only(memory, &first, chain) {
            // What is no chain is not the device's: a queue has as many as it took and did not give back.
            self.walk(memory, first, chain).inspect_err(|_| self.taken.remove(head))?;
        }
        self.next = self.next.wrapping_add(1);
        Ok(true)
    }

    /// Looks at the next chain if it is of one buffer, for who is done with it at once ([`pass`](Self::pass)). None: there is no
    /// chain, it is another one, or something is not in order, and [`take`](Self::take) can say what that is.
    #[inline(always)]
    pub fn only<M: Shared>(&mut self, memory: &mut M) -> Option<Only> {
        if !self.is_known() {
            self.look(memory).ok()?;
            if !self.is_known() {
                return None;
            }
        }
        let head = memory.load(self.layout.available_entry(self.next)).ok()?;
        if head >= self.layout.size || self.taken.contains(head) {
            return None;
        }
        let first = self.first(memory, head).ok()?;
        let Descriptor { address, length, .. } = first;
        first.is_alone().then_some(Only { head, writable: first.is_writable(), length, address })
    }

    /// Gives the chain back that was [looked at](Self::only) last, into which `written` bytes were written, as
    /// [`put`](Self::put) does with one that was taken.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`]; the chain is still there then.
    #[inline(always)]
    pub fn pass<M: Shared>(&mut self, memory: &mut M, only: Only, written: u32) -> Result<(), Fault> {
        let element = u64::from(only.head) | u64::from(written) << 32;
        memory.store_u64(self.layout.used_entry(self.used), element)?;
        (self.next, self.used) = (self.next.wrapping_add(1), self.used.wrapping_add(1));
        Ok(())
    }

    /// Reads a chain that was taken, and not given back, once more. What it is now may be something else than it was, and is judged
    /// as if it was new.
    ///
    /// # Errors
    ///
    /// [`Fault`]: it is no chain any more.
    pub fn again<M: Shared>(&self, memory: &mut M, head: u16, chain: &mut Chain) -> Result<(), Fault> {
        if head >= self.layout.size {
            return Err(Fault::HeadOutside { head, size: self.layout.size });
        }
        let first = self.first(memory, head)?;
        chain.clear(head, MAX_CHAIN);
        self.walk(memory, first, chain)
    }

    /// Gives a chain back, into which `written` bytes were written from its start on. The driver sees it after
    /// [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    #[inline]
    pub fn put<M: Shared>(&mut self, memory: &mut M, head: u16, written: u32) -> Result<(), Fault> {
        let element = u64::from(head) | u64::from(written) << 32;
        memory.store_u64(self.layout.used_entry(self.used), element)?;
        self.taken.remove(head);
        self.used = self.used.wrapping_add(1);
        Ok(())
    }

    /// Shows the driver all that was given back. Returns whether it wants to be interrupted.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    #[inline(always)]
    pub fn publish<M: Shared>(&mut self, memory: &mut M) -> Result<bool, Fault> {
        if self.is_published() {
            return Ok(false);
        }
        memory.order(Ordering::Release);
        memory.store(self.layout.used_index(), self.used)?;
        let before = core::mem::replace(&mut self.published, self.used);
        memory.order(Ordering::SeqCst);
        if self.features.event_index {
            let event = memory.load(self.layout.used_event())?;
            Ok(is_passed(event, before, self.used))
        } else {
            Ok(memory.load(self.layout.available_flags())? & NO_INTERRUPT == 0)
        }
    }

    /// Whether there is nothing that [`publish`](Self::publish) would show the driver.
    #[inline]
    pub const fn is_published(&self) -> bool {
        self.used == self.published
    }

    /// How far the queue is now.
    #[inline]
    pub const fn mark(&self) -> Mark {
        Mark { next: self.next, used: self.used, taken: self.taken }
    }

    /// How far the queue was before it took its last chain, which begins with `head`, and of which nothing was given back.
    #[inline]
    pub fn before(&self, head: u16) -> Mark {
        let mut mark = self.mark();
        mark.next = mark.next.wrapping_sub(1);
        mark.taken.remove(head);
        mark
    }

    /// Goes back to where the queue was: chains that were taken since are there again, what was given back since was not. What
    /// was published in between cannot be taken back, so that there must be none.
    pub const fn rewind(&mut self, mark: Mark) {
        (self.next, self.used, self.taken) = (mark.next, mark.used, mark.taken);
    }

    /// Tells the driver that it need not notify, since the device will look by itself. A hint.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    #[inline]
    pub fn silence<M: Shared>(&mut self, memory: &mut M) -> Result<(), Fault> {
        // With an event index the driver notifies where the index passes it, which was left behind.
        if !self.features.event_index && !self.silent {
            memory.store(self.layout.used_flags(), NO_NOTIFY)?;
        }
        self.silent = true;
        Ok(())
    }

    /// Has the driver notify the next chain. Returns whether one came meanwhile, which it did not notify.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    #[inline(always)]
    pub fn listen<M: Shared>(&mut self, memory: &mut M) -> Result<bool, Fault> {
        if self.features.event_index {
            memory.store(self.layout.available_event(), self.next)?;
        } else if self.silent {
            memory.store(self.layout.used_flags(), 0)?;
        }
        self.silent = false;
        memory.order(Ordering::SeqCst);
        self.look(memory)?;
        Ok(self.known != self.next)
    }

    /// First descriptors of the chains that the device has, in the order of their numbers.
    pub fn taken(&self) -> impl Iterator<Item = u16> + '_ {
        self.taken.iter()
    }

    /// Looks how far the driver is.
    #[inline(always)]
    fn look<M: Shared>(&mut self, memory: &mut M) -> Result<(), Fault> {
        let index = memory.load(self.layout.available_index())?;
        if index.wrapping_sub(self.next) > self.layout.size {
            return Err(Fault::Ahead { index, next: self.next, size: self.layout.size });
        }
        memory.order(Ordering::Acquire);
        self.known = index;
        Ok(())
    }

    /// The first descriptor of a chain.
    #[inline(always)]
    fn first<M: Shared>(&self, memory: &mut M, head: u16) -> Result<Descriptor, Fault> {
        let address = self.layout.descriptors.wrapping_add(u64::from(head) * descriptor::SIZE as u64);
        Ok(Descriptor::of(memory.load_pair(address)?))
    }

    /// Reads the chain that `chain` is cleared for, and that begins with `first`.
    #[inline(never)]
    fn walk<M: Shared>(&self, memory: &mut M, first: Descriptor, chain: &mut Chain) -> Result<(), Fault> {
        let Layout { size, descriptors, .. } = self.layout;
        walk(memory, descriptors, size, self.features.indirect, first, chain)
    }
}

/// Whether an index that went from `before` to `now` has passed `event` (virtio 1.2, section 2.7.7.2).
const fn is_passed(event: u16, before: u16, now: u16) -> bool {
    now.wrapping_sub(event).wrapping_sub(1) < now.wrapping_sub(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_passed_once_whatever_the_index_is() {
        // As few as one chain, as many as a queue has, and one more or less; and any number, since it is the index alone that
        // counts.
        let steps = (1..=8).chain([31, 32, 33]).chain(255..=257).chain([300, 0x7fff, 0x8000, u16::MAX]);
        for step in steps.filter(|step| !cfg!(miri) || *step == 1 || *step == 256) {
            for base in [0_u16, 1, 255, 32767, 65530, 65535] {
                let now = base.wrapping_add(step);
                let mut passed = vec![false; 1 << 16];
                (0..step).for_each(|i| passed[usize::from(base.wrapping_add(i))] = true);
                for event in (0..=u16::MAX).step_by(if cfg!(miri) { 501 } else { 1 }) {
                    let expected = passed[usize::from(event)];
                    assert_eq!(is_passed(event, base, now), expected, "{event} between {base} and {now}");
                }
            }
        }
    }
}
