//! A VM that is nothing but its state, and the two ends of a pipe.

use std::collections::BTreeMap;

use portcullis_abi::state::Needs;
use portcullis_stream::layout::{PAGE, RUN};
use portcullis_stream::{Alike, Area, Counts, Error, Kind, Progress, Reader, Restore, Save, Section, Sum, Writer};
use zerocopy::{FromBytes, IntoBytes};

const CASTAGNOLI: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// What CRC-32C makes of `bytes`, by somebody else's code.
pub fn crc32c(bytes: &[u8]) -> u32 {
    CASTAGNOLI.checksum(bytes)
}

/// Takes bytes in, into a checksum in the making.
fn sum(before: u32, bytes: &[u8]) -> u32 {
    let mut digest = CASTAGNOLI.digest_with_initial(before.reverse_bits());
    digest.update(bytes);
    !digest.finalize()
}

/// Marsaglia's xorshift64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A page with nothing in it but `blank`, or with some.
fn page(random: &mut Random, is_blank: bool, blank: u8) -> Vec<u8> {
    let mut page = vec![blank; PAGE as usize];
    if !is_blank {
        // One byte may be all that there is.
        let bytes = 1 + random.below(40);
        (0..bytes).for_each(|_| page[random.below(PAGE) as usize] = blank ^ (1 + random.below(255) as u8));
    }
    page
}

/// Bytes of the disk in a transport, or of the flash.
fn size(area: Area) -> u64 {
    match area {
        Area::Memory => 0,
        Area::Disk(transport) if transport % 8 == 3 => (1 + u64::from(transport) % 11) * PAGE,
        Area::Disk(_) => 0,
        Area::Flash => CELLS * PAGE,
    }
}

/// Pages of the flash.
pub const CELLS: u64 = 20;

/// All that is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vm {
    pub states: BTreeMap<Section, Vec<u8>>,
    pub memory: Vec<u8>,
    pub disks: BTreeMap<u32, Vec<u8>>,
    pub cells: Option<Vec<u8>>,
}

impl Vm {
    /// One with so many vCPUs and a page of memory for each of `pages`, which says whether it is zero.
    pub fn random(random: &mut Random, vcpus: u32, pages: &[bool]) -> Self {
        let mut vm = Self::default();
        let transports = if random.below(2) == 0 { 0 } else { random.next() as u32 };
        let ports = if transports == 0 { 0 } else { random.below(33) as u32 };
        let (gpios, flashes) = (random.below(2) as u32, random.below(2) as u32);
        let counts = Counts { vcpus, transports, ports, gpios, flashes };
        let mut next = Some(Section::FIRST);
        while let Some(section) = next {
            if !section.kind.is_optional() || random.below(2) == 0 {
                let body = (0..section.kind.body()).map(|_| random.next() as u8).collect();
                vm.states.insert(section, body);
            }
            next = section.next(counts);
        }
        let needs = Needs {
            version: Needs::VERSION,
            vcpus,
            memory: pages.len() as u64 * PAGE,
            ram: random.next(),
            pv_time: random.next(),
            gic: 3,
            list_registers: 4,
            frequency: 62_500_000,
            devices: 1 | (gpios * Needs::GPIO) | (flashes * Needs::FLASH),
            transports,
            ports,
            name: *b"some-vm\0\0\0\0\0\0\0\0\0",
        };
        vm.states.insert(Section::FIRST, needs.as_bytes().to_vec());
        for is_zero in pages {
            vm.memory.extend(page(random, *is_zero, 0));
        }
        for transport in (0..32).filter(|transport| transports >> transport & 1 != 0) {
            let pages = size(Area::Disk(transport)) / PAGE;
            let bytes: Vec<u8> = (0..pages).flat_map(|_| page(random, pages % 2 == 1, 0)).collect();
            if pages > 0 {
                vm.disks.insert(transport, bytes);
            }
        }
        if flashes != 0 {
            // A page of zeros is as good as any other one.
            let cell = |_| match random.below(4) {
                0 => vec![0; PAGE as usize],
                other => page(random, other == 1, 0xff),
            };
            vm.cells = Some((0..CELLS).flat_map(cell).collect());
        }
        vm
    }

    fn area(&mut self, area: Area) -> &mut Vec<u8> {
        match area {
            Area::Memory => &mut self.memory,
            Area::Disk(transport) => self.disks.entry(transport).or_insert_with(|| vec![0x77; size(area) as usize]),
            Area::Flash => self.cells.get_or_insert_with(|| vec![0x77; size(area) as usize]),
        }
    }

    fn bytes(&self, area: Area) -> &[u8] {
        match area {
            Area::Memory => &self.memory,
            Area::Disk(transport) => &self.disks[&transport],
            Area::Flash => self.cells.as_ref().unwrap(),
        }
    }

    /// The whole stream, through a buffer of so many bytes.
    pub fn save(&self, buffer: usize) -> Vec<u8> {
        let (mut writer, mut stream) = (Writer::new(), Vec::new());
        loop {
            let mut piece = Saving { vm: self, out: Vec::new(), room: buffer, looked: 0 };
            let progress = writer.fill(&mut piece, 3).unwrap();
            assert!(piece.out.len() <= buffer && piece.looked <= 3);
            assert!(progress != Progress::Buffer || piece.out.len() == buffer);
            stream.extend(piece.out);
            assert_eq!(writer.bytes(), stream.len() as u64);
            if progress == Progress::Done {
                return stream;
            }
        }
    }
}

struct Saving<'a> {
    vm: &'a Vm,
    out: Vec<u8>,
    room: usize,
    looked: usize,
}

impl Sum for Saving<'_> {
    fn sum(before: u32, bytes: &[u8]) -> u32 {
        sum(before, bytes)
    }
}

impl Save for Saving<'_> {
    type Error = ();

    fn state(&mut self, section: Section, body: &mut [u8]) -> Result<bool, ()> {
        let Some(state) = self.vm.states.get(&section) else { return Ok(false) };
        body.copy_from_slice(state);
        Ok(true)
    }

    fn size(&self, area: Area) -> u64 {
        size(area)
    }

    fn alike(&mut self, area: Area, offset: u64, blanks: u64, others: u64) -> Result<Alike, ()> {
        assert!(others > 0 && others <= RUN / PAGE);
        let pages = self.vm.bytes(area)[offset as usize..].chunks(PAGE as usize);
        let mut are_blank = pages.map(|page| page.iter().all(|byte| *byte == area.blank())).peekable();
        let is_blank = *are_blank.peek().unwrap();
        let most = if is_blank { blanks } else { others };
        let pages = are_blank.take(most as usize).take_while(|other| *other == is_blank).count() as u64;
        self.looked += pages as usize;
        Ok(Alike { pages, is_blank })
    }

    fn room(&self) -> usize {
        self.room - self.out.len()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ()> {
        self.out.extend(bytes);
        Ok(())
    }

    fn copy(&mut self, area: Area, offset: u64, length: usize, before: u32) -> Result<u32, ()> {
        let bytes = &self.vm.bytes(area)[offset as usize..][..length];
        self.out.extend(bytes);
        Ok(sum(before, bytes))
    }
}

/// A VM that is restored.
#[derive(Default)]
pub struct Restoring<'a> {
    pub vm: Vm,
    input: &'a [u8],
    pub is_accepted: bool,
    /// The section that is refused.
    pub refuses: Option<Section>,
    cleared: u64,
    /// Pieces of what follows from it that were worked out.
    pub derived: u32,
}

/// The pieces that there are.
pub const PIECES: u32 = 3;

impl Sum for Restoring<'_> {
    fn sum(before: u32, bytes: &[u8]) -> u32 {
        sum(before, bytes)
    }
}

impl Restore for Restoring<'_> {
    type Error = &'static str;

    fn available(&self) -> usize {
        self.input.len()
    }

    fn take(&mut self, to: &mut [u8]) -> Result<(), &'static str> {
        let (now, later) = self.input.split_at(to.len());
        to.copy_from_slice(now);
        self.input = later;
        Ok(())
    }

    fn state(&mut self, section: Section, body: &[u8]) -> Result<(), &'static str> {
        if self.refuses == Some(section) {
            return Err("not this one");
        }
        assert_eq!(section.kind.is_header(), !self.is_accepted, "{section}");
        if section.kind == Kind::Needs {
            // What is not told is what somebody else has left there.
            self.vm.memory = vec![0xa5; Needs::read_from_bytes(body).unwrap().memory.min(1 << 20) as usize];
        }
        assert_eq!(self.vm.states.insert(section, body.to_vec()), None);
        Ok(())
    }

    fn accept(&mut self) -> Result<(), &'static str> {
        assert!(!self.is_accepted);
        self.is_accepted = true;
        Ok(())
    }

    fn size(&self, area: Area) -> u64 {
        size(area)
    }

    fn derive(&mut self) -> Result<bool, &'static str> {
        assert!(
            self.is_accepted && self.derived <= PIECES,
            "it is asked once more only, by which it is known that all is done"
        );
        if self.refuses == Some(Section::END) {
            return Err("not this one");
        }
        self.derived += 1;
        Ok(self.derived > PIECES)
    }

    fn store(&mut self, area: Area, offset: u64, length: usize, before: u32) -> Result<u32, &'static str> {
        assert!(self.is_accepted && length > 0 && self.derived == 0);
        let (now, later) = self.input.split_at(length);
        self.input = later;
        let place = self.vm.area(area).get_mut(offset as usize..).and_then(|rest| rest.get_mut(..length));
        place.ok_or("no such memory")?.copy_from_slice(now);
        Ok(sum(before, now))
    }

    fn clear(&mut self, area: Area, offset: u64, length: u64) -> Result<u64, &'static str> {
        assert!(self.is_accepted && length > 0 && self.derived == 0);
        let most = length.min(4 * PAGE - self.cleared);
        let place = self.vm.area(area).get_mut(offset as usize..).and_then(|rest| rest.get_mut(..most as usize));
        place.ok_or("no such memory")?.fill(area.blank());
        self.cleared += most;
        Ok(most)
    }
}

impl<'a> Restoring<'a> {
    /// One to which these bytes come in one piece.
    pub fn with(input: &'a [u8]) -> Self {
        Self { input, ..Self::default() }
    }

    /// Pushes bytes until the reader wants more, or has all.
    pub fn push(&mut self, reader: &mut Reader, bytes: &'a [u8]) -> Result<Progress, Error<&'static str>> {
        self.input = bytes;
        loop {
            self.cleared = 0;
            match reader.push(self, 2)? {
                Progress::More => {}
                progress => {
                    assert_eq!(self.input, []);
                    return Ok(progress);
                }
            }
        }
    }
}

/// What becomes of a stream whose bytes come in pieces as long as `piece` says.
pub fn restore(stream: &[u8], mut piece: impl FnMut() -> usize) -> Result<Vm, Error<&'static str>> {
    let (mut reader, mut vm, mut rest) = (Reader::new(), Restoring::default(), stream);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        rest = later;
        vm.push(&mut reader, now)?;
    }
    reader.finish()?;
    assert_eq!(vm.derived, PIECES + 1);
    Ok(vm.vm)
}
