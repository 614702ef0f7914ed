//! What breaks the program off: Ctrl-C, `kill`, a terminal that is gone. A command that would leave something behind takes note
//! of it and ends in order.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Where Linux tells which signals a program ignores (proc(5)).
const STATUS: &str = "/proc/self/status";

/// Takes note of these signals for as long as it is there.
#[derive(Debug)]
pub struct Interruption {
    raised: Arc<AtomicBool>,
    signals: Vec<SigId>,
}

impl Interruption {
    /// Begins to take note. What the program was begun to ignore, as by `nohup`, it ignores.
    pub fn begin() -> Self {
        let raised = Arc::new(AtomicBool::new(false));
        let ignored = ignored(&fs::read_to_string(STATUS).unwrap_or_default());
        let signals = [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|signal| ignored >> (signal - 1) & 1 == 0)
            .filter_map(|signal| signal_hook::flag::register(signal, raised.clone()).ok())
            .collect();
        Self { raised, signals }
    }

    /// Whether one has come.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        for signal in self.signals.drain(..) {
            signal_hook::low_level::unregister(signal);
        }
    }
}

/// The signals that are ignored, by their numbers less one, as this text has them.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read() {
        let status = "Name:\tportcullis\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t00000000\n";
        assert_eq!(ignored(status), 1 << (SIGHUP - 1) | 1 << 12);
        assert_eq!((ignored(""), ignored("SigIgn:\tx\n")), (0, 0));
    }
}
