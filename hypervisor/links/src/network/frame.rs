//! A frame in the buffers of who sends it.

use portcullis_virtio::{Chain, Cursor, Fault, Shared};

use super::checksum::Sum;
use super::counters::Dropped;
use super::header::{Header, longest};
use super::mac::Mac;
use super::straight::addresses;
use super::{ETHERNET, HEADER};

/// Where the beginning of a frame is copied to with its headers: the whole of a short one, so that it is copied by one piece.
/// Whoever moves frames has one. Its alignment has the headers be read as words.
#[derive(Clone, Debug)]
#[repr(align(8))]
pub struct Stage([u8; Self::SIZE]);

/// Bytes of the virtio header and of the two addresses, which are words then.
const WORDS: usize = 3;
const _: () = assert!(HEADER as usize + 2 * size_of::<Mac>() == WORDS * 8);

impl Stage {
    /// Bytes of it.
    const SIZE: usize = 128;

    /// A stage for any frame.
    pub const fn new() -> Self {
        Self([0; Self::SIZE])
    }

    /// The virtio header and the addresses, little-endian.
    #[inline(always)]
    fn words(&self) -> [u64; WORDS] {
        let (words, _) = self.0.as_chunks::<8>();
        let word = |number: usize| words.get(number).map_or(0, |bytes| u64::from_le_bytes(*bytes));
        [word(0), word(1), word(2)]
    }

    /// Has another virtio header.
    #[inline(always)]
    fn set_header(&mut self, header: [u8; HEADER as usize]) {
        if let Some(place) = self.0.first_chunk_mut() {
            *place = header;
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// A frame, judged: header and addresses are copies. The bytes behind what is copied are the sender's until they are delivered, and
/// nothing depends on them.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What is to be done of checksum and segments; none of both otherwise.
    pub(super) header: Option<Header>,
    /// Who it is for and who it is from ([`Mac::bits`]).
    pub(super) destination: u64,
    pub(super) source: u64,
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
        let length = chain.readable().saturating_sub(HEADER);
        Self { header: None, destination: 0, source: 0, length, stage, staged: 0, rest: chain.reader() }
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
        let there = self.rest.read(memory, &mut self.stage.0)? as u32;
        let Some(staged) = there.checked_sub(HEADER) else {
            return Err(Fault::Short { what: "a frame's header", length: there, least: HEADER });
        };
        if staged < ETHERNET {
            return Ok(Some(Dropped::Short));
        }
        self.staged = staged;
        let words = self.stage.words();
        (self.destination, self.source) = addresses(words);
        if Header::is_plain(words[0]) {
            self.stage.set_header(Header::PLAIN);
            return Ok(if self.length <= longest(mtu) { None } else { Some(Dropped::Long) });
        }
        Ok(self.judge_header(features, mtu).err())
    }

    /// Judges a header that asks for something.
    #[inline(never)]
    fn judge_header(&mut self, features: u64, mtu: u16) -> Result<(), Dropped> {
        let header = self.stage.0.first_chunk().ok_or(Dropped::Short)?;
        let header = Header::read(*header, self.length, features, mtu)?;
        self.stage.set_header(header.write(self.length, 1));
        self.header = Some(header);
        Ok(())
    }

    /// Who it is for.
    pub const fn destination(&self) -> Mac {
        Mac::of_bits(self.destination)
    }

    /// Who it is from.
    pub const fn source(&self) -> Mac {
        Mac::of_bits(self.source)
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
        self.stage.0.get(..HEADER.saturating_add(self.staged) as usize).unwrap_or_default()
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
        Self { frame, header: frame.header.unwrap_or_default(), rest: frame.rest, patch: None, position: 0 }
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
    #[inline(always)]
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
