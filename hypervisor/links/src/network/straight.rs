//! A frame that goes on as it is, out of one buffer into one: what most frames are.
//!
//! This is the short way. Whatever is not so, or not in order, it leaves untouched to the long way ([`Frame`](super::Frame)), which
//! can say what it is.

use portcullis_virtio::{Fault, Only, Queue, Shared};

use super::header::{Header, longest};
use super::{ETHERNET, HEADER};

/// A frame of one buffer of which nothing is to be done, where it lies in its sender's queue. Its addresses are a copy.
#[derive(Clone, Copy, Debug)]
pub struct Straight {
    sent: Only,
    /// Its bytes, without the virtio header.
    length: u32,
    words: [u64; 3],
}

/// Where a frame with these first words, its virtio header among them, goes to and comes from, as
/// [`Mac::bits`](super::Mac::bits) has addresses.
#[inline(always)]
pub(super) const fn addresses([_, second, third]: [u64; 3]) -> (u64, u64) {
    (second >> 32 | (third & 0xffff) << 32, third >> 16)
}

impl Straight {
    /// The next frame of a queue of a network of `mtu`. None: there is none, or it is another one.
    #[inline(always)]
    pub fn look<M: Shared>(queue: &mut Queue, memory: &mut M, mtu: u16) -> Option<Self> {
        let sent = queue.only(memory)?;
        let length = sent.length.checked_sub(HEADER)?;
        if sent.writable || length < ETHERNET || length > longest(mtu) {
            return None;
        }
        let words = memory.load_three(sent.address).ok()?;
        Header::is_plain(words[0]).then_some(Self { sent, length, words })
    }

    /// Who it is for, and who it is from ([`Mac::bits`](super::Mac::bits)).
    #[inline]
    pub const fn addresses(&self) -> (u64, u64) {
        addresses(self.words)
    }

    /// Its bytes, without the virtio header.
    #[inline]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// Copies it out of the memory `from` into the next buffer of `queue`, whose driver has the memory `to` and sees it when the
    /// queue is published. False: there is no such buffer, and nothing was taken.
    #[inline(always)]
    pub fn deliver<M: Shared>(&self, from: &mut M, queue: &mut Queue, to: &mut M) -> bool {
        let Some(room) = queue.only(to).filter(|room| room.writable && room.length >= self.sent.length) else {
            return false;
        };
        let Only { address, length, .. } = self.sent;
        // The header is written anew, and the addresses as they were judged, whatever the sender has written there since.
        from.copy_across(address, to, room.address, length as usize).is_ok()
            && to.store_three(room.address, self.delivered()).is_ok()
            && queue.pass(to, room, length).is_ok()
    }

    /// Gives its buffer back to its sender, whose queue it is still the next one of.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    #[inline(always)]
    pub fn done<M: Shared>(self, queue: &mut Queue, memory: &mut M) -> Result<(), Fault> {
        queue.pass(memory, self.sent, 0)
    }

    /// Its first words, as they are delivered.
    #[inline]
    const fn delivered(&self) -> [u64; 3] {
        const PLAIN: [u8; HEADER as usize] = Header::PLAIN;
        const FIRST: u64 = match PLAIN.first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => 0,
        };
        const SECOND: u64 = match PLAIN.last_chunk() {
            Some(bytes) => u32::from_le_bytes(*bytes) as u64,
            None => 0,
        };
        let [_, second, third] = self.words;
        [FIRST, SECOND | second & !0xffff_ffff, third]
    }
}
