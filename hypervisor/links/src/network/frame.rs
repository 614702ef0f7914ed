//! A frame in the buffers of who sends it.

use portcullis_virtio::{Chain, Cursor, Fault, Shared};

use super::checksum::Sum;
use super::counters::Dropped;
use super::header::Header;
use super::mac::Mac;
use super::{ETHERNET, HEADER};

/// Where the beginning of a frame is copied to with its headers: the whole of a short one, so that it is copied by one piece.
/// Whoever moves frames has one.
pub type Stage = [u8; 128];

/// A frame, judged: header and addresses are copies. The bytes behind what is copied are the sender's until they are delivered, and
/// nothing depends on them.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What is to be done of checksum and segments.
    pub header: Header,
    /// Who it is for.
    pub destination: Mac,
    /// Who it is from.
    pub source: Mac,
    /// Its bytes, without the virtio header.
    length: u32,
    /// Its beginning, behind the virtio header that its receivers get where it is as it was sent.
    stage: &'a Stage,
    /// Bytes of the frame that are in [`stage`](Self::stage).
    staged: u32,
    /// What comes behind them.
    rest: Cursor<'a>,
    /// A finished checksum, and where it goes.
    patch: Option<(u32, [u8; 2])>,
    /// What was read or passed over.
    position: u32,
}

impl<'a> Frame<'a> {
    /// Reads the frame in `chain`, which a driver sends that accepted `features`, to a network of `mtu`. Its beginning goes to
    /// `stage`.
    ///
    /// # Errors
    ///
    /// [`Fault`]: the chain has no virtio header. What may not be sent is dropped, in the inner result.
    pub fn read<M: Shared>(
        memory: &mut M,
        chain: &'a Chain,
        stage: &'a mut Stage,
        features: u64,
        mtu: u16,
    ) -> Result<Result<Self, Dropped>, Fault> {
        let mut rest = chain.reader();
        let there = rest.read(memory, stage)? as u32;
        let (Some(length), Some(staged)) = (chain.readable().checked_sub(HEADER), there.checked_sub(HEADER)) else {
            return Err(Fault::Short { what: "a frame's header", length: chain.readable(), least: HEADER });
        };
        if staged < ETHERNET {
            return Ok(Err(Dropped::Short));
        }
        let ([place, addresses, ..], _) = stage.as_chunks_mut::<{ HEADER as usize }>() else {
            return Ok(Err(Dropped::Short));
        };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *addresses;
        let header = match Header::read(*place, length, features, mtu) {
            Ok(header) => header,
            Err(reason) => return Ok(Err(reason)),
        };
        *place = header.write(length, 1);
        Ok(Ok(Self {
            header,
            destination: Mac([d0, d1, d2, d3, d4, d5]),
            source: Mac([s0, s1, s2, s3, s4, s5]),
            length,
            stage,
            staged,
            rest,
            patch: None,
            position: 0,
        }))
    }

    /// Its bytes, without the virtio header.
    #[inline]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// Bytes that are yet to be copied.
    #[inline]
    pub const fn left(&self) -> u32 {
        self.length.saturating_sub(self.position)
    }

    /// Finishes its checksum, for a driver that does not.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    pub fn finish<M: Shared>(&mut self, memory: &mut M) -> Result<(), Fault> {
        let Some(checksum) = self.header.checksum else { return Ok(()) };
        let (mut sum, start) = (Sum::default(), u32::from(checksum.start));
        sum.add(self.staged_from(start));
        let mut rest = self.rest;
        rest.skip(start.saturating_sub(self.staged));
        let mut bytes = [0; 512];
        while rest.left() > 0 {
            let there = rest.read(memory, &mut bytes)?;
            sum.add(bytes.get(..there).unwrap_or_default());
        }
        self.patch = Some((checksum.place(), sum.finish()));
        self.header.checksum = None;
        Ok(())
    }

    /// Copies all of it with its header to where `to` is, which has room for both: what was copied already by one piece.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    pub fn copy_whole<M: Shared>(&mut self, from: &mut M, to: &mut Cursor<'_>, memory: &mut M) -> Result<(), Fault> {
        if self.patch.is_some() {
            to.write(memory, &self.header.write(self.length, 1))?;
        } else {
            let end = HEADER.saturating_add(self.staged) as usize;
            to.write(memory, self.stage.get(..end).unwrap_or_default())?;
            self.position = self.staged;
        }
        self.copy(from, to, memory)?;
        Ok(())
    }

    /// Copies what comes next to where `to` is, as much as there is room for. Returns how much that was.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    pub fn copy<M: Shared>(&mut self, from: &mut M, to: &mut Cursor<'_>, memory: &mut M) -> Result<u32, Fault> {
        let before = self.position;
        while self.left() > 0 && to.left() > 0 {
            let at = self.position;
            let (place, sum) = self.patch.unwrap_or((self.length, [0; 2]));
            let behind = place.saturating_add(2);
            let done = if at >= place && at < behind {
                let byte = at.wrapping_sub(place) as usize;
                let done = to.write(memory, sum.get(byte..).unwrap_or_default())? as u32;
                // In the sender's buffers this is what the checksum began with.
                self.rest.skip(at.saturating_add(done).saturating_sub(at.max(self.staged)));
                done
            } else {
                let end = if at < place { place } else { self.length };
                if at < self.staged {
                    let there = self.staged_from(at);
                    let most = there.len().min(end.wrapping_sub(at) as usize);
                    to.write(memory, there.get(..most).unwrap_or_default())? as u32
                } else {
                    self.rest.copy(from, to, memory, end.wrapping_sub(at))?
                }
            };
            if done == 0 {
                break;
            }
            self.position = at.saturating_add(done);
        }
        Ok(self.position.wrapping_sub(before))
    }

    /// What was copied of it from byte `at` on, and is behind its virtio header.
    fn staged_from(&self, at: u32) -> &[u8] {
        let end = HEADER.saturating_add(self.staged) as usize;
        let start = HEADER.saturating_add(at) as usize;
        self.stage.get(start..end).unwrap_or_default()
    }
}
