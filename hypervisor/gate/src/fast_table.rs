//! The answers of one VM through one conduit, worked out at its start, for the vectors to look up.
//!
//! The vectors hold no policy. When a VM starts, its registers and its filter can no longer change, so what each known
//! function will get can be worked out once, by [`decide`](crate::decide), the same gate that every other call passes. The
//! vectors find a function's line by a hash and do what it says; a function without a line is refused. The table is read
//! without a lock and without an atomic read-modify-write, and nothing is written to it while the VM runs.
//!
//! The hash is one instruction, CRC32X of zero with the function as accumulator, and the lowest seven bits of its result: chosen
//! among the forms of that instruction because the fewest functions share a line, two pairs. Of each pair the one that is called
//! rarely has no line of its own. Where a VM is offered it, the line says so ([`Answer::key`]), and the gate in Rust is asked about
//! it: what has a line, what is unknown and what goes to EL3 takes as long as in any other VM.

use core::ops::Range;
use core::sync::atomic::{AtomicI8, AtomicU32, AtomicU64, Ordering};

use portcullis_abi::function::{ARCH_FEATURES, PSCI_FEATURES, PV_TIME_FEATURES, TRNG_FEATURES};

use crate::call::{Call, Conduit};
use crate::decide::decide;
use crate::filter::{Filter, Ranges};
use crate::forwards::Forwards;
use crate::function::Query;
use crate::group::Group;
use crate::profile::Profile;
use crate::table::{self, KNOWN};
use crate::verdict::{Return, Service, Verdict};

/// Lines of a table.
pub const LINES: usize = 128;

/// Kind of an answer: the results stand in the line.
pub const ANSWER: u8 = 0;
/// Kind of an answer: a service has it; [`Answer::results`] begins with its code.
pub const SERVE: u8 = 0xc0;
/// Kind of an answer: the gate in Rust decides.
pub const SLOW: u8 = 0xd0;
/// Kind of an answer: handed to EL3.
pub const FORWARD: u8 = 0xd8;
/// Kind of an answer: refused.
pub const DENY: u8 = 0xe0;
/// Kind of an answer: the function is one of the four `FEATURES` calls. The lowest four bits are the offset, in the line of the
/// function that is asked about, of the byte that tells.
pub const FEATURES: u8 = 0x80;

/// What becomes of a function that is not a line's, beside the one function without a line whose identifier the other bits may be:
/// it may lie in a range that goes to EL3.
pub const SEARCH: u32 = 1 << 16;
/// The same: the gate in Rust decides about every one.
pub const ASK: u32 = ONE | ALL;
/// The gate in Rust is asked about one function at least: bit 31, which every known function's identifier has.
pub const ONE: u32 = 1 << 31;
/// It is asked about all.
pub const ALL: u32 = 1 << 17;
/// Bits that a known function's identifier has clear.
pub const FLAGS: u32 = SEARCH | ALL;
/// A bit that is set in a function whose line is another one's too, if a `FEATURES` call knows that one. The vectors look by it
/// whether there is another one, and it is set in next to no other function.
pub const SHARED_BIT: u32 = 15;

/// A line: one function.
#[derive(Debug)]
#[repr(C, align(32))]
pub struct Answer {
    /// The function identifier. In the upper half, what becomes of any other function that this would be the line of: zero if it is
    /// refused, else [`SEARCH`] or [`ASK`], and the identifier of the one that the gate in Rust is asked about.
    pub key: AtomicU64,
    /// What to do: the kind in bits 31:24. What to count, an offset that the owner of the counters chose, in bits 15:0.
    pub what: AtomicU32,
    /// What SMCCC_ARCH_FEATURES, PSCI_FEATURES, TRNG_FEATURES and PV_TIME_FEATURES say of this function.
    pub features: [AtomicI8; 4],
    /// x0 to x3, zero-extended.
    pub results: [AtomicU32; 4],
}

/// Offset of the upper half of [`Answer::key`] in a line.
pub const OTHERS_OFFSET: usize = core::mem::offset_of!(Answer, key) + size_of::<u32>();

/// The four calls that ask about a function, in the order of [`Answer::features`].
const QUERIES: [(u32, Query); 4] = [
    (ARCH_FEATURES, Query::Arch),
    (PSCI_FEATURES, Query::Psci),
    (TRNG_FEATURES, Query::Trng),
    (PV_TIME_FEATURES, Query::PvTime),
];

/// The line of a function: CRC32X of zero with it as accumulator, and [`LINES`] bits' worth of that.
pub const fn line(function: u32) -> usize {
    let mut crc = function;
    let mut bit = 0;
    while bit < u64::BITS {
        crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        bit += 1;
    }
    crc as usize % LINES
}

/// Two known functions on one line that both have one would be a defect; so would function 0, which stands in unused lines, on line
/// 0. Of two on one line of which a `FEATURES` call knows the one without, the other one has [`SHARED_BIT`].
const _: () = {
    let mut taken = [0; LINES];
    let mut n = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while n < KNOWN.len() {
        assert!(KNOWN[n] & (FLAGS | ONE) == ONE);
        if table::has_line(KNOWN[n]) {
            let line = line(KNOWN[n]);
            assert!(taken[line] == 0);
            taken[line] = KNOWN[n];
        }
        n += 1;
    }
    n = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while n < KNOWN.len() {
        let first = taken[line(KNOWN[n])];
        assert!(table::has_line(KNOWN[n]) || first >> SHARED_BIT & 1 != 0 || !table::is_asked_about(KNOWN[n]));
        n += 1;
    }
    assert!(line(0) == 0 && line(1) != 0);
    assert!(FEATURES_OFFSET >= 8 && FEATURES_OFFSET + 4 <= 16, "the offsets of the four bytes have four bits");
};

/// The line of each known function, in the order of [`table::all`]: to work one out takes some hundred instructions.
const PLACES: [u8; KNOWN.len()] = {
    let (mut places, mut n) = ([0; KNOWN.len()], 0);
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while n < KNOWN.len() {
        places[n] = line(KNOWN[n]) as u8;
        n += 1;
    }
    places
};

impl Answer {
    const fn new() -> Self {
        Self {
            key: AtomicU64::new(0),
            what: AtomicU32::new(0),
            features: [const { AtomicI8::new(0) }; 4],
            results: [const { AtomicU32::new(0) }; 4],
        }
    }

    fn function(&self) -> u32 {
        self.key.load(Ordering::Relaxed) as u32
    }

    fn others(&self) -> u32 {
        (self.key.load(Ordering::Relaxed) >> 32) as u32
    }

    fn set_key(&self, function: u32, others: u32) {
        self.key.store(u64::from(others) << 32 | u64::from(function), Ordering::Relaxed);
    }

    fn kind(&self) -> u8 {
        (self.what.load(Ordering::Relaxed) >> 24) as u8
    }

    fn set_what(&self, kind: u8, counter: u16) {
        self.what.store(u32::from(kind) << 24 | u32::from(counter), Ordering::Relaxed);
    }
}

/// A table of answers. All zero it knows no function but 0, which [`Answers::close`] and [`Answers::build`] take away.
///
/// It is aligned to its size: the vectors insert the number of a line into its address.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Answers {
    lines: [Answer; LINES],
}

/// What is counted of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// It was refused.
    Denied,
    /// It went to EL3.
    Forwarded,
}

/// What the vectors do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Return this.
    Answer(Return),
    /// Refuse.
    Deny,
    /// Let this service answer.
    Serve(Service),
    /// Hand it to EL3.
    Forward,
    /// Ask the gate in Rust.
    Slow,
}

/// What is counted of a call to a line of this kind.
const fn outcome(kind: u8) -> Outcome {
    match kind {
        DENY => Outcome::Denied,
        FORWARD => Outcome::Forwarded,
        _ => Outcome::Answered,
    }
}

impl Answers {
    /// A table of zeros, not to be used before [`Self::build`] or [`Self::close`].
    pub const fn new() -> Self {
        Self { lines: [const { Answer::new() }; LINES] }
    }

    /// Makes the table of a conduit that is closed, or of a VM whose every call `asks` the gate in Rust: it knows no function.
    pub fn close(&self, asks: bool) {
        self.clear(if asks { ASK } else { 0 });
    }

    /// Takes every function out; of all of them becomes what `others` says.
    fn clear(&self, others: u32) {
        for answer in &self.lines {
            answer.set_key(0, others);
        }
        // Function 0 must not be found on its own line.
        let [first, ..] = &self.lines;
        first.set_key(1, others);
    }

    /// Works out the answers of a VM with this profile and filter through `conduit`. `counter` says where what becomes of
    /// a function of a group is counted.
    ///
    /// The caller knows that no vCPU of the VM runs, and publishes the table by whatever starts one.
    pub fn build(
        &self,
        profile: Profile,
        filter: Option<&Filter>,
        conduit: Conduit,
        counter: impl Fn(Group, Outcome) -> u16,
    ) {
        self.build_part(profile, filter, conduit, counter, 0..KNOWN.len());
    }

    /// Works out the answers of some of the functions, which are named by their numbers among [`KNOWN`]: as [`Self::build`] does if
    /// this is done, in any number of parts, for all of them in their order. Until then the table is not to be used.
    pub fn build_part(
        &self,
        profile: Profile,
        filter: Option<&Filter>,
        conduit: Conduit,
        counter: impl Fn(Group, Outcome) -> u16,
        part: Range<usize>,
    ) {
        let forwards = filter.is_some_and(Filter::forwards);
        // Management calls have no line.
        let others = match () {
            () if profile.is_control() => ASK,
            () if forwards && profile.conduits().contains(conduit) => SEARCH,
            () => 0,
        };
        if part.start == 0 {
            self.clear(others);
        }
        if !profile.conduits().contains(conduit) {
            return;
        }
        let ranges = filter.map(|filter| -> &dyn Ranges { filter });
        let verdict = |function: u32, argument: u32| {
            decide(profile, ranges, &Call::new(conduit, [u64::from(function), u64::from(argument), 0, 0]))
        };
        for (known, place) in table::all().zip(PLACES).skip(part.start).take(part.len()) {
            let function = known.id;
            let Some(answer) = self.lines.get(usize::from(place)) else { continue };
            if !table::has_line(function) {
                // What is refused or forwarded is so without being known.
                if matches!(verdict(function, 0), Verdict::Answer(_) | Verdict::Serve(_)) {
                    answer.set_key(answer.function(), others | function);
                }
                continue;
            }
            let query = QUERIES.iter().position(|&(query, _)| query == function);
            let (kind, results) = match verdict(function, 0) {
                Verdict::Deny => (DENY, [0; 4]),
                Verdict::Serve(service) => service.code().map_or((SLOW, [0; 4]), |code| (SERVE, [code, 0, 0, 0])),
                // About a function that goes to EL3 its own discovery call must go there as well.
                _ if function == TRNG_FEATURES && forwards => (SLOW, [0; 4]),
                Verdict::Forward => (FORWARD, [0; 4]),
                Verdict::Answer(results) => match (query, words(results)) {
                    (Some(query), _) => (FEATURES | FEATURES_OFFSET.wrapping_add(query as u8), [0; 4]),
                    (None, Some(words)) => (ANSWER, words),
                    (None, None) => (SLOW, [0; 4]),
                },
            };
            answer.set_key(function, answer.others());
            answer.set_what(kind, counter(known.group, outcome(kind)));
            for (cell, word) in answer.results.iter().zip(results) {
                cell.store(word, Ordering::Relaxed);
            }
            for (cell, (id, query)) in answer.features.iter().zip(QUERIES) {
                // Most functions are known to one query, and each of the others says so.
                let says = match known.queries.contain(query).then(|| verdict(id, function)) {
                    Some(Verdict::Answer(Return([code, ..]))) => code as i8,
                    // A query that is not offered has no line that leads here.
                    _ => -1,
                };
                cell.store(says, Ordering::Relaxed);
            }
        }
    }

    /// Makes the table of the other conduit of a VM for which both are open, of which `one` is [worked out](Self::build): what is
    /// answered does not depend on the conduit, and only where it is counted differs.
    pub fn build_like(&self, one: &Self, counter: impl Fn(Group, Outcome) -> u16) {
        for (answer, like) in self.lines.iter().zip(&one.lines) {
            answer.key.store(like.key.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        for (known, place) in table::all().zip(PLACES).filter(|(known, _)| table::has_line(known.id)) {
            let place = usize::from(place);
            let (Some(answer), Some(like)) = (self.lines.get(place), one.lines.get(place)) else { continue };
            let kind = like.kind();
            answer.set_what(kind, counter(known.group, outcome(kind)));
            for (cell, like) in answer.results.iter().zip(&like.results) {
                cell.store(like.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            for (cell, like) in answer.features.iter().zip(&like.features) {
                cell.store(like.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }

    /// What the vectors do with a call of `x0` and `x1`: their rule in words, for tests. `forwards` are the ranges of the VM that
    /// go to EL3.
    pub fn resolve(&self, x0: u64, x1: u64, forwards: &Forwards) -> Resolution {
        let (function, asked) = (x0 as u32, x1 as u32);
        let Some(answer) = self.lines.get(line(function)) else { return Resolution::Deny };
        if answer.function() != function {
            let others = answer.others();
            return match () {
                () if others & ONE != 0 && (others & ALL != 0 || others & !FLAGS == function) => Resolution::Slow,
                () if others & SEARCH != 0 && forwards.contain(function) => Resolution::Forward,
                () => Resolution::Deny,
            };
        }
        match answer.kind() {
            ANSWER => {
                let [a, b, c, d] = &answer.results;
                Resolution::Answer(Return::words([a, b, c, d].map(|word| word.load(Ordering::Relaxed))))
            }
            DENY => Resolution::Deny,
            SERVE => {
                let [code, ..] = &answer.results;
                Service::from_code(code.load(Ordering::Relaxed)).map_or(Resolution::Slow, Resolution::Serve)
            }
            FORWARD => Resolution::Forward,
            SLOW => Resolution::Slow,
            features => {
                let Some(line) = self.lines.get(line(asked)) else { return Resolution::Deny };
                let (first, others) = (line.function(), line.others());
                let says = line.features.get(usize::from((features & 0xf).wrapping_sub(FEATURES_OFFSET)));
                match () {
                    () if first == asked => {
                        let code = says.map_or(-1, |says| i64::from(says.load(Ordering::Relaxed)));
                        Resolution::Answer(Return::code(code))
                    }
                    () if first >> SHARED_BIT & 1 != 0 && others & !FLAGS == asked => Resolution::Slow,
                    () => Resolution::Answer(Return::code(-1)),
                }
            }
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

/// Offset of [`Answer::features`] in a line.
const FEATURES_OFFSET: u8 = core::mem::offset_of!(Answer, features) as u8;

/// Results that fit into 32 bits each.
fn words(results: Return) -> Option<[u32; 4]> {
    let [a, b, c, d] = results.0.map(|word| u32::try_from(word).ok());
    Some([a?, b?, c?, d?])
}
