//! The status of a management call, in words.

use core::fmt;

use portcullis_abi::manage;

/// A status of a management call that is not success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub i64);

impl Status {
    /// The status's name as the interface's reference has it; none for a number that it does not have.
    pub fn name(self) -> Option<&'static str> {
        manage::STATUSES.iter().find(|(_, status)| *status == self.0).map(|(name, _)| *name)
    }

    /// Whether `word` names it: its name in small letters with `-`, or its number.
    pub fn is_called(self, word: &str) -> bool {
        let same = |(a, b): (u8, u8)| a == b.to_ascii_lowercase() || a == b'-' && b == b'_';
        self.name().is_some_and(|name| name.len() == word.len() && word.bytes().zip(name.bytes()).all(same))
            || word.parse() == Ok(self.0)
    }

    /// What it means for the person at the keyboard.
    pub fn explanation(self) -> &'static str {
        match self.0 {
            manage::NOT_SUPPORTED => "this is not the control VM: the manifest names it, [machine] control = \"NAME\"",
            manage::UNKNOWN_CALL => "the hypervisor does not know this call: it is older than this program",
            manage::WRONG_VERSION => "the hypervisor speaks another version of the interface",
            manage::UNKNOWN_VM => "no VM has this number; `vms` lists them",
            manage::UNKNOWN_REGISTER => "no firmware register has this identifier; `regs VM` lists them",
            manage::NOT_PERMITTED => "not permitted on this VM or this board",
            manage::UNSUPPORTED => "the board does not support this value; `regs VM` shows what it supports",
            manage::FROZEN => "the VM has started; `stop` and `recreate` make it writable again",
            manage::BAD_STATE => "not possible in the VM's present state; `vms` shows it",
            manage::BUSY => "something else is in progress with this VM; `vms` shows it",
            manage::BAD_ARGUMENT => "an argument has none of its values",
            manage::NO_ITEM => "the list has no such item",
            manage::RESERVED => "a reserved bit is set; it must be zero",
            manage::EMPTY => "the range has no function; it must have 1 or more",
            manage::UNFIT => {
                "the VM cannot be saved, or cannot be restored from this stream; the hypervisor's log says why"
            }
            manage::CLOSED => {
                "the port portcullis.data was closed, or is not open for this; open it anew and ask again"
            }
            manage::NO_MEMORY => "the hypervisor has no memory for it; `vms` shows how much is free",
            manage::WRAPS => "the range runs past 0xffffffff",
            manage::FORWARD_REFUSED => "the range has a function that is never forwarded; docs/gate.md lists them",
            manage::NO_FIRMWARE => "this board has no firmware at EL3 to forward to; handle or deny the range",
            manage::OVERLAPS => "the range overlaps another, 0x80000000-0x8000ffff or 0xc0000000-0xc000ffff",
            manage::FULL => "the filter is full: a VM has at most 32 ranges",
            _ => "a status that this program does not know: the hypervisor is newer",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}: {}", self.explanation()),
            None => write!(f, "{}: {}", self.0, self.explanation()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_name_and_an_explanation() {
        for (name, status) in manage::STATUSES.into_iter().skip(1) {
            let shown = std::format!("{}", Status(status));
            assert!(shown.starts_with(name) && !shown.contains("does not know:"), "{shown}");
            assert!(Status(status).is_called(&name.to_lowercase().replace('_', "-")), "{name}");
        }
        assert!(Status(-99).is_called("-99") && !Status(manage::BUSY).is_called("bus"));
    }
}
