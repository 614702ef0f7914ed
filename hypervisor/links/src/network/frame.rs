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
#[derive(Debug)]
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
    stage: &'a mut Stage,
    /// Bytes of the frame that are in [`stage`](Self::stage).
    staged: u32,
    /// What comes behind them.
    rest: Cursor<'a>,
}

impl<'a> Frame<'a> {
    /// The frame in `chain`, which is yet to be [judged](Self::judge). Its beginning will be in `stage`. Who moves frames has it in
    /// one place, as it is large.
    #[inline(always)]
    pub fn of(chain: &'a Chain, stage: &'a mut Stage) -> Self {
        let (header, nobody) = (Header { checksum: None, segmentation: None }, Mac([0; 6]));
        let length = chain.readable().saturating_sub(HEADER);
        Self { header, destination: nobody, source: nobody, length, stage, staged: 0, rest: chain.reader() }
    }

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
        let mut frame = Self::of(chain, stage);
        Ok(frame.judge(memory, features, mtu)?.map_or(Ok(frame), Err))
    }

    /// Reads its beginning, once, and judges it: a driver sends it that accepted `features`, to a network of `mtu`. Some: it is
    /// dropped for this reason.
    ///
    /// # Errors
    ///
    /// [`Fault`]: it has no virtio header.
    #[inline(always)]
    pub fn judge<M: Shared>(&mut self, memory: &mut M, features: u64, mtu: u16) -> Result<Option<Dropped>, Fault> {
        let there = self.rest.read(memory, self.stage)? as u32;
        let Some(staged) = there.checked_sub(HEADER) else {
            return Err(Fault::Short { what: "a frame's header", length: there, least: HEADER });
        };
        if staged < ETHERNET {
            return Ok(Some(Dropped::Short));
        }
        self.staged = staged;
        let ([place, addresses, ..], _) = self.stage.as_chunks_mut::<{ HEADER as usize }>() else {
            return Ok(Some(Dropped::Short));
        };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *addresses;
        (self.destination, self.source) = (Mac([d0, d1, d2, d3, d4, d5]), Mac([s0, s1, s2, s3, s4, s5]));
        match Header::read(*place, self.length, features, mtu) {
            Ok(header) => {
                self.header = header;
                *place = header.write(self.length, 1);
                Ok(None)
            }
            Err(reason) => Ok(Some(reason)),
        }
    }

    /// Its bytes, without the virtio header.
    #[inline]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// Copies all of it with its header, as its receivers get it where it is as it was sent, to where `to` is, which has room for
    /// both.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    #[inline]
    pub fn copy_whole<M: Shared>(&self, from: &mut M, to: &mut Cursor<'_>, memory: &mut M) -> Result<(), Fault> {
        to.write(memory, self.staged())?;
        if self.length > self.staged {
            let mut rest = self.rest;
            rest.copy(from, to, memory, self.length.wrapping_sub(self.staged))?;
        }
        Ok(())
    }

    /// What was copied of it, with its virtio header.
    #[inline]
    fn staged(&self) -> &[u8] {
        self.stage.get(..HEADER.saturating_add(self.staged) as usize).unwrap_or_default()
    }

    /// What was copied of it from byte `at` on.
    fn staged_from(&self, at: u32) -> &[u8] {
        self.staged().get(HEADER.saturating_add(at) as usize..).unwrap_or_default()
    }
}

/// A frame on its way into buffers of one receiver.
#[derive(Debug)]
pub struct Passage<'f, 'a> {
    frame: &'f Frame<'a>,
    /// What the receiver is to do.
    header: Header,
    /// What comes behind what is staged, and was not read or passed over.
    rest: Cursor<'a>,
    /// A finished checksum, and where it goes.
    patch: Option<(u32, [u8; 2])>,
    /// Bytes that were read or passed over.
    position: u32,
}

impl<'f, 'a> Passage<'f, 'a> {
    /// The frame from its first byte on.
    pub fn of(frame: &'f Frame<'a>) -> Self {
        Self { frame, header: frame.header, rest: frame.rest, patch: None, position: 0 }
    }

    /// The virtio header that its receiver gets, if it is in so many buffers.
    pub const fn header(&self, buffers: u16) -> [u8; HEADER as usize] {
        self.header.write(self.frame.length, buffers)
    }

    /// Bytes that are yet to be copied.
    #[inline]
    pub const fn left(&self) -> u32 {
        self.frame.length.saturating_sub(self.position)
    }

    /// Finishes its checksum, for a driver that does not.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`].
    pub fn finish<M: Shared>(&mut self, memory: &mut M) -> Result<(), Fault> {
        let Some(checksum) = self.header.checksum else { return Ok(()) };
        let (mut sum, start) = (Sum::default(), u32::from(checksum.start));
        sum.add(self.frame.staged_from(start));
        let mut rest = self.rest;
        rest.skip(start.saturating_sub(self.frame.staged));
        let mut bytes = [0; 512];
        while rest.left() > 0 {
            let there = rest.read(memory, &mut bytes)?;
            sum.add(bytes.get(..there).unwrap_or_default());
        }
        self.patch = Some((checksum.place(), sum.finish()));
        self.header.checksum = None;
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
            let (place, sum) = self.patch.unwrap_or((self.frame.length, [0; 2]));
            let behind = place.saturating_add(2);
            let done = if at >= place && at < behind {
                let byte = at.wrapping_sub(place) as usize;
                let done = to.write(memory, sum.get(byte..).unwrap_or_default())? as u32;
                // In the sender's buffers this is what the checksum began with.
                self.rest.skip(at.saturating_add(done).saturating_sub(at.max(self.frame.staged)));
                done
            } else {
                let end = if at < place { place } else { self.frame.length };
                if at < self.frame.staged {
                    let there = self.frame.staged_from(at);
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
}
