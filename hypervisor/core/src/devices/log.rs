//! The last of what a guest has written to its UART, for who was not there to read it: kept over lives of its VM.

use alloc::boxed::Box;

use portcullis_abi::manage::LOG_KEPT;

/// Bytes that are kept.
const KEPT: usize = LOG_KEPT as usize;

/// See the module. It keeps nothing before it is told to.
#[derive(Debug, Default)]
pub struct Log {
    bytes: Option<Box<[u8; KEPT]>>,
    /// Bytes that were ever written: the next one's place, modulo `KEPT`.
    end: u64,
    /// Bytes at the beginning of the guest's line that are here already.
    shown: usize,
}

impl Log {
    /// One that keeps nothing.
    pub const fn new() -> Self {
        Self { bytes: None, end: 0, shown: 0 }
    }

    /// Keeps what is written from now on.
    pub fn keep(&mut self) {
        self.bytes = Some(Box::new([0; KEPT]));
    }

    /// Forgets what was written.
    pub const fn clear(&mut self) {
        self.end = 0;
    }

    /// Takes what `line`, which the console has not taken yet, has that is not here.
    pub fn take(&mut self, line: &[u8]) {
        let Some(bytes) = &mut self.bytes else { return };
        for byte in line.iter().skip(self.shown) {
            if let Some(place) = bytes.get_mut((self.end % LOG_KEPT) as usize) {
                *place = *byte;
            }
            self.end = self.end.wrapping_add(1);
        }
        self.shown = line.len();
    }

    /// The console has left `length` bytes of the line.
    pub const fn left(&mut self, length: usize) {
        self.shown = length;
    }

    /// Copies what comes from `position` on, counted from the first byte that was ever written, or from the oldest one that is
    /// kept. Returns the position behind it, and how many bytes it is; none if there is nothing.
    pub fn read(&self, position: u64, to: &mut [u8]) -> Option<(u64, usize)> {
        let bytes = self.bytes.as_ref()?;
        let mut from = position.max(self.end.saturating_sub(LOG_KEPT));
        let mut count = 0_usize;
        for place in to {
            if from >= self.end {
                break;
            }
            *place = *bytes.get((from % LOG_KEPT) as usize)?;
            from = from.saturating_add(1);
            count = count.saturating_add(1);
        }
        (count != 0).then_some((from, count))
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
}
