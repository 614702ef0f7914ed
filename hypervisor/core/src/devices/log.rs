//! The last of what a guest has written to its UART, for who was not there to read it: kept over lives of its VM.

use alloc::boxed::Box;

use portcullis_abi::manage::LOG_KEPT;

/// Bytes that are kept.
const KEPT: usize = LOG_KEPT as usize;
/// Of what was written before, who follows it is shown whole lines of so many bytes at the most.
const BEFORE: u64 = 1024;

/// See the module. It keeps nothing before it is told to.
#[derive(Default)]
pub struct Log(Option<Box<Kept>>);

/// What is kept, and who follows it: away from what a VM that has none uses all the time.
struct Kept {
    bytes: [u8; KEPT],
    /// Bytes that were ever written: the next one's place, modulo `KEPT`.
    end: u64,
    /// Bytes at the beginning of the guest's line that are here already.
    shown: usize,
    /// The next byte for who follows it, if anybody does.
    next: Option<u64>,
    /// Bytes that it was too slow for, and was not told of.
    lost: u64,
    /// That one was told that there is something.
    told: bool,
    follower: Option<&'static dyn Follower>,
}

/// Who follows what a VM writes, and types for it, besides the serial line.
pub trait Follower: Send + Sync {
    /// There is something new, or room for what is typed: has it looked at, later and elsewhere. Called with locks held.
    fn call(&self);
}

impl Log {
    /// One that keeps nothing.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Keeps what is written from now on.
    pub fn keep(&mut self) {
        self.0 = Some(Box::new(Kept {
            bytes: [0; KEPT],
            end: 0,
            shown: 0,
            next: None,
            lost: 0,
            told: false,
            follower: None,
        }));
    }

    /// Says who may follow what is kept.
    pub fn set_follower(&mut self, follower: &'static dyn Follower) {
        self.0.iter_mut().for_each(|kept| kept.follower = Some(follower));
    }

    /// Has who may follow it look.
    pub fn call(&self) {
        self.0.as_ref().and_then(|kept| kept.follower).into_iter().for_each(Follower::call);
    }

    /// Whether anything is kept.
    pub const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Forgets what was written.
    pub fn clear(&mut self) {
        let Some(kept) = &mut self.0 else { return };
        kept.end = 0;
        // What comes is told of, whatever of the old was not read.
        (kept.lost, kept.told) = (0, false);
        if kept.next.is_some() {
            kept.next = Some(0);
        }
    }

    /// Takes what `line`, which the console has not taken yet, has that is not here.
    pub fn take(&mut self, line: &[u8]) {
        let Some(kept) = &mut self.0 else { return };
        for byte in line.iter().skip(kept.shown) {
            if let Some(place) = kept.bytes.get_mut((kept.end % LOG_KEPT) as usize) {
                *place = *byte;
            }
            kept.end = kept.end.wrapping_add(1);
        }
        kept.shown = line.len();
    }

    /// The console has left `length` bytes of the line.
    pub fn left(&mut self, length: usize) {
        self.0.iter_mut().for_each(|kept| kept.shown = length);
    }

    /// Copies what comes from `position` on, counted from the first byte that was ever written, or from the oldest one that is
    /// kept. Returns the position behind it, and how many bytes it is; none if there is nothing.
    pub fn read(&self, position: u64, to: &mut [u8]) -> Option<(u64, usize)> {
        self.0.as_ref()?.read(position, to)
    }

    /// Somebody follows what is written from now on, and is shown the last lines before it.
    pub fn follow(&mut self) {
        let Some(kept) = &mut self.0 else { return };
        let mut from = kept.end.saturating_sub(BEFORE);
        if from > 0 {
            // What stands there is a part of a line.
            let mut lines = [0; BEFORE as usize];
            let count = kept.read(from, &mut lines).map_or(0, |(_, count)| count);
            let part = lines.iter().take(count).position(|byte| *byte == b'\n');
            from = from.saturating_add(part.map_or(0, |part| part.saturating_add(1) as u64));
        }
        (kept.next, kept.lost, kept.told) = (Some(from), 0, false);
    }

    /// Nobody follows it any more.
    pub fn leave(&mut self) {
        self.0.iter_mut().for_each(|kept| (kept.next, kept.lost) = (None, 0));
    }

    /// Whether there is something for who follows it.
    pub fn has_next(&self) -> bool {
        self.0.as_ref().is_some_and(|kept| kept.next.is_some_and(|next| next < kept.end))
    }

    /// Whether who follows it is to be told that there is something: once, until that one reads.
    pub fn take_call(&mut self) -> bool {
        let has = self.has_next();
        self.0.as_mut().is_some_and(|kept| has && !core::mem::replace(&mut kept.told, true))
    }

    /// How many bytes who follows it was too slow for, which are not kept any more. They are counted once.
    pub fn take_lost(&mut self) -> u64 {
        let Some(kept) = &mut self.0 else { return 0 };
        kept.pass_lost();
        core::mem::take(&mut kept.lost)
    }

    /// Copies what comes next for who follows it. Returns how many bytes that are.
    pub fn read_next(&mut self, to: &mut [u8]) -> usize {
        let Some(kept) = &mut self.0 else { return 0 };
        kept.told = false;
        // It may have written since somebody asked what is lost.
        kept.pass_lost();
        let Some((next, count)) = kept.next.and_then(|next| kept.read(next, to)) else { return 0 };
        kept.next = Some(next);
        count
    }
}

impl Kept {
    /// Counts what who follows it was too slow for.
    fn pass_lost(&mut self) {
        let oldest = self.oldest();
        if let Some(next) = &mut self.next {
            self.lost = self.lost.saturating_add(oldest.saturating_sub(*next));
            *next = oldest.max(*next);
        }
    }

    /// Position of the oldest byte that is here.
    const fn oldest(&self) -> u64 {
        self.end.saturating_sub(LOG_KEPT)
    }

    fn read(&self, position: u64, to: &mut [u8]) -> Option<(u64, usize)> {
        let from = position.max(self.oldest());
        let count = usize::try_from(self.end.checked_sub(from)?).unwrap_or(KEPT).min(to.len());
        // The ring from there to its end, and from its beginning.
        let at = (from % LOG_KEPT) as usize;
        let (last, first) = to.get_mut(..count)?.split_at_mut_checked(count.min(KEPT.saturating_sub(at)))?;
        last.copy_from_slice(self.bytes.get(at..at.saturating_add(last.len()))?);
        first.copy_from_slice(self.bytes.get(..first.len())?);
        (count != 0).then_some((from.saturating_add(count as u64), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(log: &Log) -> Vec<u8> {
        let (mut position, mut all) = (0, Vec::new());
        let mut piece = [0; 16];
        while let Some((next, count)) = log.read(position, &mut piece) {
            assert!(next > position);
            all.extend(&piece[..count]);
            position = next;
        }
        all
    }

    #[test]
    fn it_has_the_last_bytes_in_their_order() {
        let mut log = Log::new();
        log.take(b"nobody wants it");
        assert_eq!((log.read(0, &mut [0; 16]), all(&log).len()), (None, 0));
        log.keep();
        log.clear();
        let mut written = Vec::new();
        for number in 0..3000 {
            let line = format!("line {number}\n");
            written.extend(line.bytes());
            log.take(line.as_bytes());
            log.left(0);
            let kept = written.len().min(KEPT);
            if number % 97 == 0 || written.len().abs_diff(KEPT) < 20 {
                assert_eq!(all(&log), written[written.len() - kept..], "{number}");
            }
        }
        assert!(written.len() > 2 * KEPT);
        // Behind the end there is nothing, and a position that is too old is the oldest.
        assert_eq!(log.read(written.len() as u64, &mut [0; 16]), None);
        assert_eq!(log.read(u64::MAX, &mut [0; 16]), None);
        let mut first = [0; 4];
        assert_eq!(log.read(3, &mut first), Some((written.len() as u64 - LOG_KEPT + 4, 4)));
        log.clear();
        assert_eq!(all(&log), b"");
    }

    #[test]
    fn what_the_console_leaves_is_not_taken_twice() {
        let mut log = Log::new();
        log.keep();
        log.take(b"one\ntw");
        log.left(2);
        log.take(b"two");
        log.take(b"two\n");
        log.left(0);
        log.take(b"three");
        assert_eq!(all(&log), b"one\ntwo\nthree");
    }

    #[test]
    fn who_follows_it_has_the_last_lines_and_what_comes() {
        let (mut log, mut room) = (Log::new(), [0; 4096]);
        log.keep();
        let line = |log: &mut Log, text: &str| {
            log.take(text.as_bytes());
            log.left(0);
        };
        line(&mut log, "before\n");
        assert_eq!((log.read_next(&mut room), log.take_call(), log.has_next()), (0, false, false), "nobody follows");
        log.follow();
        assert_eq!((log.read_next(&mut room), &room[..7]), (7, &b"before\n"[..]), "all of it, if that is little");
        (0..200).for_each(|number| line(&mut log, &format!("line {number}\n")));
        assert!(log.take_call() && !log.take_call(), "it is told once");
        log.follow();
        assert!(log.has_next());
        let count = log.read_next(&mut room);
        let text = str::from_utf8(&room[..count]).unwrap();
        assert!(count <= 1024 && count > 1024 - 10, "{count}");
        assert!(text.starts_with("line ") && text.ends_with("\nline 199\n"), "{text}");
        // What comes is told anew, and comes in pieces.
        assert!(!log.take_call() && !log.has_next());
        line(&mut log, "a prompt");
        assert!(log.take_call());
        assert_eq!((log.read_next(&mut room[..3]), log.take_call()), (3, true), "there is more");
        assert_eq!((log.read_next(&mut room), log.take_call(), log.take_lost()), (5, false, 0));
        log.leave();
        line(&mut log, "unheard");
        assert_eq!((log.has_next(), log.take_call(), log.take_lost()), (false, false, 0));
    }

    #[test]
    fn who_is_slow_is_told_what_is_lost() {
        let (mut log, mut room) = (Log::new(), [0; KEPT + 1]);
        log.keep();
        log.follow();
        let written: Vec<u8> = (0..3 * KEPT + 5).map(|n| (n % 251) as u8).collect();
        for part in written.chunks(100) {
            log.take(part);
            log.left(0);
        }
        assert_eq!((log.take_lost(), log.take_lost()), (2 * LOG_KEPT + 5, 0));
        assert_eq!(log.read_next(&mut room), KEPT);
        assert_eq!(room[..KEPT], written[2 * KEPT + 5..]);
        // It was asked what is lost before the VM wrote what takes the place of what was to be read.
        log.take(&written[..LOG_KEPT as usize]);
        log.left(0);
        log.take(&written[..7]);
        log.left(0);
        assert_eq!((log.read_next(&mut room[..KEPT - 7]), log.take_lost()), (KEPT - 7, 7));
        assert_eq!((log.read_next(&mut room), log.take_lost(), &room[..7]), (7, 0, &written[..7]));
    }

    /// A VM that is made anew begins again, and who has not read what it had to say before is told of what it says then.
    #[test]
    fn who_follows_it_is_told_of_the_next_life() {
        let (mut log, mut room) = (Log::new(), [0; 16]);
        log.keep();
        log.follow();
        for _ in 0..2 * KEPT {
            log.take(b"old");
            log.left(0);
        }
        assert!(log.take_call() && log.read_next(&mut room) == 16 && log.take_call());
        log.clear();
        assert_eq!((log.has_next(), log.take_lost()), (false, 0));
        log.take(b"new");
        assert!(log.take_call());
        assert_eq!((log.read_next(&mut room), &room[..3], log.take_lost()), (3, &b"new"[..], 0));
    }
}
