//! The records of the port `portcullis.events`.

use portcullis_abi::manage::*;

use crate::names::name;

/// Bytes of the words that every record has.
const WORDS: usize = EVENT_SIZE as usize;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// An `EVENT_*`, or a number that a later hypervisor has.
    pub kind: u64,
    /// Events that were lost before this one.
    pub lost: u64,
    /// CNTPCT_EL0 then.
    pub time: u64,
    /// The VM.
    pub vm: u64,
    /// The link, and its end, if it is about one.
    pub link: u64,
    /// See `link`.
    pub end: u64,
    /// What the kind says.
    pub value: u64,
}

/// The bytes are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Event {
    /// Takes the record at the beginning of `bytes` apart. Returns it with its length; none if it is not there as a whole.
    ///
    /// # Errors
    /// What is there is shorter than any record.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some(&length) = bytes.first() else { return Ok(None) };
        let length = usize::from(length);
        if length < WORDS {
            return Err(Malformed);
        }
        let Some(record) = bytes.get(..length) else { return Ok(None) };
        let mut words = [0; WORDS / 8];
        for (word, bytes) in words.iter_mut().zip(record.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let [head, time, subject, value] = words;
        let (kind, lost) = (head >> 16 & 0xffff, head >> 32);
        let (vm, link, end) = (subject & 0xff, subject >> 16 & 0xffff, subject >> 32 & 0xffff);
        Ok(Some((Self { kind, lost, time, vm, link, end, value }, length)))
    }

    /// The kind in one word.
    pub fn kind_name(&self) -> &'static str {
        name(&EVENTS, self.kind)
    }

    /// The phases before and now, and the restarts, of a change of phase.
    pub const fn phases(&self) -> Option<(u64, u64, u64)> {
        match self.kind {
            EVENT_PHASE => Some((self.value & 0xff, self.value >> 8 & 0xff, self.value >> 32)),
            _ => None,
        }
    }

    /// Why a VM has failed, with the vCPU and its syndrome, if it has.
    pub const fn failure(&self) -> Option<(u64, u64, u64)> {
        match self.kind {
            EVENT_FAILED | EVENT_WATCHDOG => Some((self.value & 0xff, self.value >> 8 & 0xff, self.value >> 32)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn records_are_read_one_after_the_other_as_they_come() {
        let words = [32 | 1 << 8 | EVENT_LINK << 16 | 7 << 32, 1000, 2 | 3 << 16 | 4 << 32, 1];
        let event = Event { kind: EVENT_LINK, lost: 7, time: 1000, vm: 2, link: 3, end: 4, value: 1 };
        let two = [bytes(&words), bytes(&words)].concat();
        for length in 0..=two.len() {
            let expected = (length >= 32).then_some((event, 32));
            assert_eq!(Event::read(&two[..length]), Ok(expected), "{length}");
        }
        assert_eq!((event.kind_name(), event.phases(), event.failure()), ("link", None, None));
    }

    #[test]
    fn a_later_version_s_records_are_longer() {
        let longer = bytes(&[40 | 2 << 8 | 99 << 16, 1, 0, 5, 6]);
        let (event, length) = Event::read(&longer).unwrap().unwrap();
        assert_eq!((event.kind, event.kind_name(), event.value, length), (99, "?", 5, 40));
        assert_eq!(Event::read(&longer[..39]), Ok(None));
        for length in 0..32 {
            assert_eq!(Event::read(&[length; 64]), Err(Malformed));
        }
    }
}
