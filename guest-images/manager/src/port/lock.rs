//! Takes turns at the port, which has one user at a time: a lock on a file, in which stands who has it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::PortError;

/// Between two attempts.
const STEP: Duration = Duration::from_millis(10);

/// The turn. The kernel ends it with the file.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the turn, no longer than `wait`.
    pub fn take(path: &Path, wait: Duration) -> Result<Self, PortError> {
        let failed = |error| PortError::Lock(path.into(), error);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let start = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if start.elapsed() < wait => thread::sleep(STEP.min(wait)),
                Err(Errno::WOULDBLOCK) => return Err(PortError::Busy(holder(&mut file), wait)),
                Err(error) => return Err(failed(error.into())),
            }
        }
        // For the messages of those who wait; the lock itself does not depend on it.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Who has the turn; none while it changes.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_turn_and_others_are_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let turn = Lock::take(&path, Duration::ZERO).unwrap();
        match Lock::take(&path, Duration::from_millis(20)) {
            Err(PortError::Busy(Some(pid), _)) => assert_eq!(pid, std::process::id()),
            other => panic!("{other:?}"),
        }
        drop(turn);
        Lock::take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn who_waits_gets_the_turn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let turn = Lock::take(&path, Duration::ZERO).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::take(&path, Duration::from_secs(600)).map(drop));
            drop(turn);
            waiting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_lock_file_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("lock");
        assert!(matches!(Lock::take(&path, Duration::ZERO), Err(PortError::Lock(..))));
    }
}
