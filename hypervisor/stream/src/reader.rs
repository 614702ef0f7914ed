//! Reading a stream, as a push: bytes come in, cut anywhere.

use portcullis_abi::state::Needs;
use zerocopy::FromBytes;

use crate::Progress;
use crate::area::Area;
use crate::buffer::Buffer;
use crate::counts::Counts;
use crate::error::{Error, Fault};
use crate::kind::Kind;
use crate::layout::{End, Head, MAGIC, PAGE, Preamble, RUN, Run, Tail, VERSION};
use crate::restore::Restore;
use crate::section::Section;
use crate::shape::check_shape;
use crate::sum::{SEED, finish};

/// What is read next.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Preamble,
    Head,
    State(Section),
    Run(Section, u64),
    Data(Run, u64),
    Tail(Run),
    Blank(Run),
    Done,
    Refused,
}

/// A stream that is being read.
#[derive(Clone, Debug)]
pub struct Reader {
    expect: Expect,
    buffer: Buffer,
    /// The section that comes next at the earliest; none when it is memory.
    due: Option<Section>,
    /// The section that is being read.
    section: Option<Section>,
    is_accepted: bool,
    /// Known from the first section on.
    counts: Counts,
    /// What comes in runs, its bytes, and how many of them have come.
    area: Area,
    size: u64,
    offset: u64,
    sum: u32,
    bytes: u64,
    sections: u64,
}

impl Reader {
    /// Makes one at the beginning of a stream.
    pub const fn new() -> Self {
        Self {
            expect: Expect::Preamble,
            buffer: Buffer::new(),
            due: Some(Section::FIRST),
            section: None,
            is_accepted: false,
            counts: Counts::NONE,
            area: Area::Memory,
            size: 0,
            offset: 0,
            sum: SEED,
            bytes: 0,
            sections: 0,
        }
    }

    /// Returns how many bytes were taken so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the buffer's bytes, all of them unless there is more to be done with what they say. Of sections but those of memory it
    /// takes in as many as have `work` in them, and the first one whatever that has.
    ///
    /// # Errors
    ///
    /// [`Error`]: what is wrong in which section, or what `vm` says of it. Nothing more is taken then.
    pub fn push<R: Restore>(&mut self, vm: &mut R, work: u32) -> Result<Progress, Error<R::Error>> {
        self.read(vm, work).map_err(|fault| {
            self.expect = Expect::Refused;
            fault.of(self.section)
        })
    }

    /// Checks that the stream has ended: no more bytes come.
    ///
    /// # Errors
    ///
    /// [`Fault::Cut`], with the section in which it ends; [`Fault::Refused`].
    pub const fn finish<E>(&self) -> Result<(), Error<E>> {
        match self.expect {
            Expect::Done => Ok(()),
            Expect::Refused => Err(Fault::Refused.of(self.section)),
            _ => Err(Fault::Cut.of(self.section)),
        }
    }

    fn read<R: Restore>(&mut self, vm: &mut R, work: u32) -> Result<Progress, Fault<R::Error>> {
        let mut worked = 0_u32;
        loop {
            // In front of its body, so that there is something left to be called with.
            if let Expect::State(section) = self.expect
                && worked != 0
                && worked.saturating_add(section.kind.work()) > work
                && vm.available() > 0
            {
                return Ok(Progress::More);
            }
            // The same, for as long as there is something to be worked out.
            if let Expect::State(Section::END) = self.expect
                && self.buffer.filled() == size_of::<Head>()
                && vm.available() > 0
                && !vm.derive().map_err(Fault::Other)?
            {
                return Ok(Progress::More);
            }
            if let Some(wanted) = self.wanted()
                && !self.gather(vm, wanted)?
            {
                return Ok(Progress::Buffer);
            }
            match self.expect {
                Expect::Preamble => self.preamble()?,
                Expect::Head => self.head(vm)?,
                Expect::State(section) => {
                    worked = worked.saturating_add(section.kind.work());
                    self.state(vm, section)?;
                }
                Expect::Run(section, length) => self.run::<R>(section, length)?,
                Expect::Data(run, done) => {
                    // What takes most comes in a call of its own.
                    worked = worked.max(1);
                    if !self.data(vm, run, done)? {
                        return Ok(Progress::Buffer);
                    }
                }
                Expect::Tail(run) => {
                    self.check_tail(0)?;
                    self.end_run(run);
                    self.expect_head();
                }
                Expect::Blank(run) => {
                    if !self.blank(vm, run)? {
                        return Ok(Progress::More);
                    }
                }
                Expect::Done if vm.available() > 0 => return Err(Fault::Trailing),
                Expect::Done => return Ok(Progress::Done),
                Expect::Refused => return Err(Fault::Refused),
            }
        }
    }

    /// Returns how many bytes have to be in front to go on; none where bytes are not gathered.
    const fn wanted(&self) -> Option<usize> {
        const HEAD: usize = size_of::<Head>();
        match self.expect {
            Expect::Preamble => Some(size_of::<Preamble>()),
            Expect::Head => Some(HEAD),
            Expect::State(section) => Some(HEAD + section.kind.body() + size_of::<Tail>()),
            Expect::Run(..) => Some(HEAD + size_of::<Run>()),
            Expect::Tail(_) => Some(size_of::<Tail>()),
            Expect::Data(..) | Expect::Blank(_) | Expect::Done | Expect::Refused => None,
        }
    }

    /// Stores what there is of a run of which `done` bytes are stored. False: there is nothing of it.
    fn data<R: Restore>(&mut self, vm: &mut R, run: Run, done: u64) -> Result<bool, Fault<R::Error>> {
        let left = run.length.saturating_sub(done);
        let length = left.min(vm.available() as u64);
        if length == 0 {
            return Ok(false);
        }
        let offset = run.offset.saturating_add(done);
        self.sum = vm.store(self.area, offset, length as usize, self.sum).map_err(Fault::Other)?;
        self.bytes = self.bytes.saturating_add(length);
        self.expect = Expect::Data(run, done.saturating_add(length));
        if length == left {
            self.buffer.clear();
            self.expect = Expect::Tail(run);
        }
        Ok(true)
    }

    /// Has a run be blank. False: it is not as a whole yet.
    fn blank<R: Restore>(&mut self, vm: &mut R, Run { offset, length }: Run) -> Result<bool, Fault<R::Error>> {
        let done = vm.clear(self.area, offset, length).map_err(Fault::Other)?;
        if done >= length {
            self.expect_head();
            return Ok(true);
        }
        let rest = Run { offset: offset.saturating_add(done), length: length.saturating_sub(done) };
        self.expect = Expect::Blank(rest);
        Ok(false)
    }

    /// Takes bytes until there are `wanted` in front. False: the buffer has no more.
    fn gather<R: Restore>(&mut self, vm: &mut R, wanted: usize) -> Result<bool, Fault<R::Error>> {
        let length = wanted.saturating_sub(self.buffer.filled()).min(vm.available());
        vm.take(self.buffer.place(length)).map_err(Fault::Other)?;
        self.bytes = self.bytes.saturating_add(length as u64);
        Ok(self.buffer.filled() >= wanted)
    }

    fn expect_head(&mut self) {
        self.buffer.clear();
        self.expect = Expect::Head;
    }

    fn preamble<E>(&mut self) -> Result<(), Fault<E>> {
        let preamble = Preamble::read_from_bytes(self.buffer.since(0)).map_err(|_| Fault::NotAStream)?;
        if preamble.magic != MAGIC {
            return Err(Fault::NotAStream);
        }
        if preamble.version != VERSION {
            return Err(Fault::Version(preamble.version));
        }
        if preamble.reserved != 0 {
            return Err(Fault::Reserved);
        }
        self.expect_head();
        Ok(())
    }

    fn head<R: Restore>(&mut self, vm: &mut R) -> Result<(), Fault<R::Error>> {
        let Head { kind, index, length } = Head::read_from_bytes(self.buffer.since(0)).map_err(|_| Fault::Cut)?;
        let kind = Kind::of(kind).ok_or(Fault::Unknown(kind))?;
        let section = Section { kind, index };
        self.section = Some(section);
        if !section.is_of(self.counts) {
            return Err(Fault::Index(index));
        }
        self.check_order(vm, section)?;
        let body = kind.body() as u64;
        if kind.is_data() {
            if length <= body || length > body.saturating_add(RUN) || !(length.wrapping_sub(body)).is_multiple_of(PAGE)
            {
                return Err(Fault::Length(length));
            }
        } else if length != body {
            return Err(Fault::Length(length));
        }
        if !kind.is_header() && !self.is_accepted {
            self.is_accepted = true;
            vm.accept().map_err(Fault::Other)?;
        }
        self.expect = if kind.is_data() { Expect::Run(section, length) } else { Expect::State(section) };
        Ok(())
    }

    /// Checks that nothing is left out in front of `section`, and that it has not come before.
    fn check_order<R: Restore>(&mut self, vm: &R, section: Section) -> Result<(), Fault<R::Error>> {
        while let Some(due) = self.due {
            if due == section {
                return Ok(());
            }
            if !due.kind.is_optional() {
                return Err(Fault::Order(due));
            }
            self.due = due.next(self.counts);
        }
        if !section.kind.is_run() && section.kind != Kind::End {
            return Err(Fault::Order(Section::of(Kind::Memory)));
        }
        let is_blank = !section.kind.is_data();
        if self.offset >= self.size {
            match self.area.next(self.counts, |area| vm.size(area)) {
                Some((area, size)) => (self.area, self.size, self.offset) = (area, size, 0),
                None if section.kind == Kind::End => return Ok(()),
                // There is nothing left of the last one, which says so.
                None if section == self.area.section(is_blank) => return Ok(()),
                None => return Err(Fault::Order(Section::END)),
            }
        }
        match section.kind {
            Kind::End => Err(Fault::Short(self.area.section(false), self.offset)),
            _ if section == self.area.section(is_blank) => Ok(()),
            _ => Err(Fault::Order(self.area.section(false))),
        }
    }

    /// The run of a section whose body has `length` bytes.
    fn run<R: Restore>(&mut self, section: Section, length: u64) -> Result<(), Fault<R::Error>> {
        let bytes = self.buffer.part(size_of::<Head>(), size_of::<Run>());
        let run = Run::read_from_bytes(bytes).map_err(|_| Fault::Cut)?;
        self.check_run(section, &run)?;
        if length != (section.kind.body() as u64).saturating_add(run.length) {
            return Err(Fault::Length(length));
        }
        self.sum = R::sum(SEED, self.buffer.since(0));
        self.expect = Expect::Data(run, 0);
        Ok(())
    }

    fn check_run<E>(&self, section: Section, run: &Run) -> Result<(), Fault<E>> {
        let left = self.size.saturating_sub(self.offset);
        let most = if section.kind.is_data() { left.min(RUN) } else { left };
        if run.offset != self.offset {
            return Err(Fault::Gap(self.offset, run.offset));
        }
        if run.length == 0 || run.length > most || !run.length.is_multiple_of(PAGE) {
            return Err(Fault::Beyond(run.length, left));
        }
        Ok(())
    }

    const fn end_run(&mut self, run: Run) {
        self.offset = self.offset.saturating_add(run.length);
        self.sections = self.sections.saturating_add(1);
    }

    /// Checks the tail that begins `start` bytes behind the first one that was gathered, against the sum.
    fn check_tail<E>(&self, start: usize) -> Result<(), Fault<E>> {
        let tail = Tail::read_from_bytes(self.buffer.part(start, size_of::<Tail>())).map_err(|_| Fault::Cut)?;
        let sum = finish(self.sum);
        if tail.sum != sum {
            return Err(Fault::Sum(tail.sum, sum));
        }
        if tail.reserved != 0 {
            return Err(Fault::Reserved);
        }
        Ok(())
    }

    /// A section that was gathered as a whole, and is whole.
    fn state<R: Restore>(&mut self, vm: &mut R, section: Section) -> Result<(), Fault<R::Error>> {
        let end = size_of::<Head>().saturating_add(section.kind.body());
        self.sum = R::sum(SEED, self.buffer.part(0, end));
        self.check_tail(end)?;
        let body = self.buffer.part(size_of::<Head>(), section.kind.body());
        match section.kind {
            Kind::End => {
                let end = End::read_from_bytes(body).map_err(|_| Fault::Cut)?;
                let own = (self.buffer.filled()) as u64;
                if end != (End { bytes: self.bytes.saturating_sub(own), sections: self.sections }) {
                    return Err(Fault::Count);
                }
                self.expect = Expect::Done;
                return Ok(());
            }
            Kind::Zero | Kind::Hole | Kind::Erased => {
                let run = Run::read_from_bytes(body).map_err(|_| Fault::Cut)?;
                self.check_run(section, &run)?;
                self.end_run(run);
                self.buffer.clear();
                self.expect = Expect::Blank(run);
                return Ok(());
            }
            _ => {}
        }
        if section == Section::FIRST {
            let needs = Needs::read_from_bytes(body).map_err(|_| Fault::Cut)?;
            (self.counts, self.size) = check_shape(&needs)?;
        }
        vm.state(section, body).map_err(Fault::Other)?;
        self.due = section.next(self.counts);
        self.sections = self.sections.saturating_add(1);
        self.expect_head();
        Ok(())
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}
