//! Writing a stream, as a pull: a buffer is filled, and the next one goes on where that has ended.

use portcullis_abi::state::Needs;
use zerocopy::{FromBytes, IntoBytes};

use crate::Progress;
use crate::area::Area;
use crate::buffer::Buffer;
use crate::counts::Counts;
use crate::layout::{End, Head, MAGIC, PAGE, Preamble, Run, Tail, VERSION};
use crate::run::{Alike, PageRun};
use crate::section::Section;
use crate::sum::{SEED, Sum, finish};

/// What it takes to copy a page, in pages that are only looked at.
pub const COPY: u64 = 2;
/// What it takes to write a section in front of memory, as many times.
pub const STATE: u64 = 4;

/// A VM that is saved, with the buffer into which it is.
pub trait Save: Sum {
    /// Why it cannot go on.
    type Error;

    /// Writes the body of a section in front of memory to `body`, which is as long as one of its kind. False: the VM has no such
    /// thing, and the section is left out.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn state(&mut self, section: Section, body: &mut [u8]) -> Result<bool, Self::Error>;

    /// Returns how many bytes an area behind memory has, in whole pages; 0 if it has none that are sent.
    fn size(&self, area: Area) -> u64;

    /// Tells how many pages from `offset` of an area on are alike: [blank](Area::blank), `blanks` of them at the most, or not,
    /// `others` at the most. It is one page at least.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn alike(&mut self, area: Area, offset: u64, blanks: u64, others: u64) -> Result<Alike, Self::Error>;

    /// Returns how many bytes the buffer has room for.
    fn room(&self) -> usize;

    /// Appends `bytes`, no more than there is room for.
    ///
    /// # Errors
    ///
    /// The buffer cannot be written.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Appends `length` bytes of an area from `offset` on, no more than there is room for, and returns `sum` with them taken in.
    ///
    /// # Errors
    ///
    /// It cannot be read, or the buffer cannot be written.
    fn copy(&mut self, area: Area, offset: u64, length: usize, sum: u32) -> Result<u32, Self::Error>;
}

/// What is yet to come of a section of memory.
#[derive(Clone, Copy, Debug)]
struct Data {
    offset: u64,
    left: u64,
    sum: u32,
}

/// What is written next, when all that was begun is written.
#[derive(Clone, Copy, Debug)]
enum Next {
    Preamble,
    State(Section),
    Pages,
    Done,
}

/// A stream that is being written.
#[derive(Clone, Debug)]
pub struct Writer {
    next: Next,
    /// What is put together and not written.
    buffer: Buffer,
    /// The section of memory that is begun.
    data: Option<Data>,
    /// The run that is looked at.
    run: PageRun,
    counts: Counts,
    /// What is sent in runs, and its bytes.
    area: Area,
    size: u64,
    bytes: u64,
    sections: u64,
}

impl Writer {
    /// Makes one at the beginning of a stream.
    pub const fn new() -> Self {
        Self {
            next: Next::Preamble,
            buffer: Buffer::new(),
            data: None,
            run: PageRun::NONE,
            counts: Counts::NONE,
            area: Area::Memory,
            size: 0,
            bytes: 0,
            sections: 0,
        }
    }

    /// Returns how many bytes were written so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes as much as the buffer has room for, and does `work` at the most, in pages of memory that are looked at: to copy one
    /// takes about as long as `COPY` of these, any other section as long as `STATE`.
    ///
    /// # Errors
    ///
    /// What `vm` says. The stream cannot be gone on with then.
    pub fn fill<S: Save>(&mut self, vm: &mut S, mut work: u64) -> Result<Progress, S::Error> {
        loop {
            let room = vm.room();
            if !self.drain(vm)? {
                return Ok(Progress::Buffer);
            }
            let copied = (room.saturating_sub(vm.room()) as u64).div_ceil(PAGE);
            work = work.saturating_sub(copied.saturating_mul(COPY));
            match self.next {
                Next::Preamble => {
                    self.put(&Preamble { magic: MAGIC, version: VERSION, reserved: 0 });
                    self.next = Next::State(Section::FIRST);
                }
                Next::State(section) => {
                    if work == 0 {
                        return Ok(Progress::More);
                    }
                    work = work.saturating_sub(STATE);
                    self.state(vm, section)?;
                }
                Next::Pages if self.run.end < self.size => {
                    if work == 0 {
                        return Ok(Progress::More);
                    }
                    let alike = vm.alike(self.area, self.run.end, work, work.min(self.run.others()))?;
                    work = work.saturating_sub(alike.pages.max(1));
                    if let Some(run) = self.run.add(alike) {
                        self.begin_run::<S>(run);
                    }
                }
                Next::Pages => match self.run.finish() {
                    Some(run) => self.begin_run::<S>(run),
                    None => match self.area.next(self.counts, |area| vm.size(area)) {
                        Some((area, size)) => (self.area, self.size, self.run) = (area, size, PageRun::NONE),
                        None => {
                            self.end::<S>();
                            self.next = Next::Done;
                        }
                    },
                },
                Next::Done => return Ok(Progress::Done),
            }
        }
    }

    /// Writes what is put together and what is begun. False: there is no room for all of it.
    fn drain<S: Save>(&mut self, vm: &mut S) -> Result<bool, S::Error> {
        while !self.buffer.is_empty() || self.data.is_some() {
            let room = vm.room();
            if room == 0 {
                return Ok(false);
            }
            if !self.buffer.is_empty() {
                let bytes = self.buffer.take(room);
                self.bytes = self.bytes.saturating_add(bytes.len() as u64);
                vm.put(bytes)?;
            } else if let Some(Data { offset, left, sum }) = self.data {
                let length = left.min(room as u64);
                let sum = vm.copy(self.area, offset, length as usize, sum)?;
                self.bytes = self.bytes.saturating_add(length);
                self.data =
                    Some(Data { offset: offset.saturating_add(length), left: left.saturating_sub(length), sum });
                if left == length {
                    self.data = None;
                    self.put(&Tail { sum: finish(sum), reserved: 0 });
                }
            }
        }
        Ok(true)
    }

    /// Puts a structure together to be written.
    fn put(&mut self, value: &(impl IntoBytes + zerocopy::Immutable)) {
        if self.buffer.is_empty() {
            self.buffer.clear();
        }
        self.buffer.put(value);
    }

    /// Puts a section in front of memory together, if the VM has it.
    fn state<S: Save>(&mut self, vm: &mut S, section: Section) -> Result<(), S::Error> {
        let length = section.kind.body();
        self.put(&head(section, length as u64));
        let body = self.buffer.place(length);
        if vm.state(section, body)? {
            if let Ok(needs) = Needs::read_from_bytes(body)
                && section == Section::FIRST
            {
                (self.counts, self.size) = (Counts::of(&needs), needs.memory);
            }
            self.close::<S>();
        } else {
            self.buffer.clear();
        }
        self.next = section.next(self.counts).map_or(Next::Pages, Next::State);
        Ok(())
    }

    /// Ends the section that is put together, which is the only thing that is.
    fn close<S: Save>(&mut self) {
        let sum = S::sum(SEED, self.buffer.since(0));
        self.put(&Tail { sum: finish(sum), reserved: 0 });
        self.sections = self.sections.saturating_add(1);
    }

    /// Begins a section with a run of memory.
    fn begin_run<S: Save>(&mut self, run: PageRun) {
        let data = if run.is_blank { 0 } else { run.length() };
        self.put(&head(self.area.section(run.is_blank), (size_of::<Run>() as u64).saturating_add(data)));
        self.put(&Run { offset: run.start, length: run.length() });
        if run.is_blank {
            return self.close::<S>();
        }
        self.sections = self.sections.saturating_add(1);
        let sum = S::sum(SEED, self.buffer.since(0));
        self.data = Some(Data { offset: run.start, left: data, sum });
    }

    /// Puts the last section together.
    fn end<S: Save>(&mut self) {
        self.put(&head(Section::END, size_of::<End>() as u64));
        self.put(&End { bytes: self.bytes, sections: self.sections });
        self.close::<S>();
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// The head of a section with a body of `length` bytes.
const fn head(section: Section, length: u64) -> Head {
    Head { kind: section.kind as u32, index: section.index, length }
}
