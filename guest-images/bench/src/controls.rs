//! What is measured of the control VM: REGISTER_GET of a firmware register of the other VM by a port, events that it is told of,
//! and a call of its own while a trace follows it.

use portcullis_abi::firmware::STD;
use portcullis_abi::manage::REGISTER_GET;

/// What is measured, by the number of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Control {
    /// A request by the port, and its answer.
    Get = 0,
    /// From the call that pauses the other VM to the vector of the interrupt of the event that says so.
    Pause = 1,
    /// From the interrupt of the timer by which EL2 looks how many calls were refused, to that of the event that says so.
    Refusals = 2,
    /// A call of PSCI_VERSION while a trace follows the VM.
    Traced = 3,
    /// The other VM is paused and an event says so: all of that, up to an interrupt that the guest can take.
    Told = 4,
    /// The same while nobody reads events.
    Untold = 5,
}

impl Control {
    /// Every one, in the order of their tests.
    pub const ALL: [Self; 6] = [Self::Get, Self::Pause, Self::Refusals, Self::Traced, Self::Told, Self::Untold];

    /// Its name in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "port-get",
            Self::Pause => "port-event",
            Self::Refusals => "port-refusals",
            Self::Traced => "traced-call",
            Self::Told => "pause-told",
            Self::Untold => "pause-untold",
        }
    }

    /// Whether the VM reads events.
    pub const fn reads_events(self) -> bool {
        matches!(self, Self::Pause | Self::Refusals | Self::Told)
    }
}

/// The request: four little-endian words, of which the last is nothing.
pub const REQUEST: [u8; 32] = request([REGISTER_GET as u64, 1, STD, 0]);

const fn request(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (words[at / 8] >> (at % 8 * 8)) as u8;
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_list() {
        assert!(Control::ALL.into_iter().enumerate().all(|(number, control)| control as usize == number));
    }

    #[test]
    fn a_request_is_four_little_endian_words() {
        assert_eq!(REQUEST[..16], [u64::from(REGISTER_GET).to_le_bytes(), 1_u64.to_le_bytes()].concat());
        assert_eq!(REQUEST[16..], [STD.to_le_bytes(), [0; 8]].concat());
    }
}
