//! The answers of one VM through one conduit, worked out at its start, for the vectors to look up.
//!
//! The vectors hold no policy. When a VM starts, its registers and its filter can no longer change, so what each known
//! function will get can be worked out once, by [`decide`](crate::decide), the same gate that every other call passes. The
//! vectors find a function's line by a hash and do what it says; a function without a line is refused. The table is read
//! without a lock and without an atomic read-modify-write, and nothing is written to it while the VM runs.
//!
//! The hash is one instruction, CRC32X of zero with the function as accumulator, and the lowest seven bits of its result: chosen
//! among the forms of that instruction because no two known functions share a line. A function that would, and is called rarely,
//! has none ([`asks_gate`]).

use core::sync::atomic::{AtomicI8, AtomicU8, AtomicU16, AtomicU32, Ordering};

use portcullis_abi::function::{ARCH_FEATURES, PSCI_FEATURES, PV_TIME_FEATURES, TRNG_FEATURES};

use crate::call::{Call, Conduit};
use crate::decide::decide;
use crate::filter::{Filter, Ranges};
use crate::forwards::Forwards;
use crate::function::{Function, Query};
use crate::group::Group;
use crate::offer::is_offered;
use crate::profile::Profile;
use crate::table::{self, KNOWN};
use crate::verdict::{Return, Service, Verdict};

/// Lines of a table.
pub const LINES: usize = 128;

/// [`Answer::kind`]: the results stand in the line.
pub const ANSWER: u8 = 0;
/// [`Answer::kind`]: a service has the answer; [`Answer::results`] begins with its code.
pub const SERVE: u8 = 0x80;
/// [`Answer::kind`]: the gate in Rust decides.
pub const SLOW: u8 = 0xa0;
/// [`Answer::kind`]: handed to EL3.
pub const FORWARD: u8 = 0xb0;
/// [`Answer::kind`]: refused.
pub const DENY: u8 = 0xc0;

/// A line: one function.
///
/// A kind other than those is the offset, in the line of the function that is asked about, of the byte with the
/// answer: the function is one of the four `FEATURES` calls.
#[derive(Debug)]
#[repr(C, align(32))]
pub struct Answer {
    /// The function identifier.
    pub function: AtomicU32,
    /// What to do.
    pub kind: AtomicU8,
    _reserved: AtomicU8,
    /// What to count: an offset that the owner of the counters chose.
    pub counter: AtomicU16,
    /// What SMCCC_ARCH_FEATURES, PSCI_FEATURES, TRNG_FEATURES and PV_TIME_FEATURES say of this function.
    pub features: [AtomicI8; 4],
    _padding: AtomicU32,
    /// x0 to x3, zero-extended.
    pub results: [AtomicU32; 4],
}

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
/// 0.
const _: () = {
    let mut taken = [false; LINES];
    let mut n = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while n < KNOWN.len() {
        if table::has_line(KNOWN[n]) {
            let line = line(KNOWN[n]);
            assert!(!taken[line]);
            taken[line] = true;
        }
        n += 1;
    }
    assert!(line(0) == 0 && line(1) != 0);
};

/// Whether a VM with this profile is offered a function without a line, so that the gate in Rust has to be asked for every function
/// that has none.
pub fn asks_gate(profile: Profile) -> bool {
    offered_without_line(profile).next().is_some()
}

/// The functions without a line that a VM with this profile is offered.
fn offered_without_line(profile: Profile) -> impl Iterator<Item = &'static Function> {
    table::all().filter(move |known| !table::has_line(known.id) && is_offered(known, profile))
}

impl Answer {
    const fn new() -> Self {
        Self {
            function: AtomicU32::new(0),
            kind: AtomicU8::new(0),
            _reserved: AtomicU8::new(0),
            counter: AtomicU16::new(0),
            features: [const { AtomicI8::new(0) }; 4],
            _padding: AtomicU32::new(0),
            results: [const { AtomicU32::new(0) }; 4],
        }
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

/// What the vectors do with a function without a line.
#[derive(Clone, Copy, Debug)]
pub enum Beyond<'a> {
    /// Refuse it.
    Refuse,
    /// Ask the gate in Rust.
    Gate,
    /// Hand it to EL3 if it is among these.
    Search(&'a Forwards),
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

    /// Makes the table of a conduit that is closed: it knows no function.
    pub fn close(&self) {
        for answer in &self.lines {
            answer.function.store(0, Ordering::Relaxed);
        }
        // Function 0 must not be found on its own line.
        let [first, ..] = &self.lines;
        first.function.store(1, Ordering::Relaxed);
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
        self.close();
        if !profile.conduits().contains(conduit) {
            return;
        }
        let ranges = filter.map(|filter| -> &dyn Ranges { filter });
        let verdict = |function: u32, argument: u32| {
            decide(profile, ranges, &Call::new(conduit, [u64::from(function), u64::from(argument), 0, 0]))
        };
        for known in table::all().filter(|known| table::has_line(known.id)) {
            let function = known.id;
            let Some(answer) = self.lines.get(line(function)) else { continue };
            let query = QUERIES.iter().position(|&(query, _)| query == function);
            let (kind, results) = match verdict(function, 0) {
                Verdict::Deny => (DENY, [0; 4]),
                Verdict::Serve(service) => service.code().map_or((SLOW, [0; 4]), |code| (SERVE, [code, 0, 0, 0])),
                // About a function that goes to EL3 its own discovery call must go there as well.
                _ if function == TRNG_FEATURES && filter.is_some_and(Filter::forwards) => (SLOW, [0; 4]),
                _ if is_asked_about_those_without_line(profile, function) => (SLOW, [0; 4]),
                Verdict::Forward => (FORWARD, [0; 4]),
                Verdict::Answer(results) => match (query, words(results)) {
                    (Some(query), _) => (FEATURES_OFFSET.wrapping_add(query as u8), [0; 4]),
                    (None, Some(words)) => (ANSWER, words),
                    (None, None) => (SLOW, [0; 4]),
                },
            };
            answer.function.store(function, Ordering::Relaxed);
            answer.kind.store(kind, Ordering::Relaxed);
            answer.counter.store(counter(known.group, outcome(kind)), Ordering::Relaxed);
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
        self.close();
        for known in table::all().filter(|known| table::has_line(known.id)) {
            let line = line(known.id);
            let (Some(answer), Some(like)) = (self.lines.get(line), one.lines.get(line)) else { continue };
            let kind = like.kind.load(Ordering::Relaxed);
            answer.function.store(known.id, Ordering::Relaxed);
            answer.kind.store(kind, Ordering::Relaxed);
            answer.counter.store(counter(known.group, outcome(kind)), Ordering::Relaxed);
            for (cell, like) in answer.results.iter().zip(&like.results) {
                cell.store(like.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            for (cell, like) in answer.features.iter().zip(&like.features) {
                cell.store(like.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }

    /// What the vectors do with a call of `x0` and `x1`: their rule in words, for tests. `beyond` says what becomes of
    /// functions without a line.
    pub fn resolve(&self, x0: u64, x1: u64, beyond: Beyond<'_>) -> Resolution {
        let find = |function: u32| {
            self.lines.get(line(function)).filter(|answer| answer.function.load(Ordering::Relaxed) == function)
        };
        let Some(answer) = find(x0 as u32) else {
            return match beyond {
                Beyond::Refuse => Resolution::Deny,
                Beyond::Gate => Resolution::Slow,
                Beyond::Search(forwards) if forwards.contain(x0 as u32) => Resolution::Forward,
                Beyond::Search(_) => Resolution::Deny,
            };
        };
        match answer.kind.load(Ordering::Relaxed) {
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
            SLOW.. => Resolution::Slow,
            offset => {
                let query = usize::from(offset.wrapping_sub(FEATURES_OFFSET));
                let says = find(x1 as u32).and_then(|asked| asked.features.get(query));
                Resolution::Answer(Return::code(says.map_or(-1, |says| i64::from(says.load(Ordering::Relaxed)))))
            }
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether this call is asked about functions without a line that a VM with this profile is offered.
fn is_asked_about_those_without_line(profile: Profile, function: u32) -> bool {
    let query = QUERIES.into_iter().find(|&(query, _)| query == function);
    query.is_some_and(|(_, query)| offered_without_line(profile).any(|known| known.queries.contain(query)))
}

/// Offset of [`Answer::features`] in a line.
const FEATURES_OFFSET: u8 = core::mem::offset_of!(Answer, features) as u8;

/// Results that fit into 32 bits each.
fn words(results: Return) -> Option<[u32; 4]> {
    let [a, b, c, d] = results.0.map(|word| u32::try_from(word).ok());
    Some([a?, b?, c?, d?])
}
