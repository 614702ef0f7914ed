//! Whoever looks on while a VM is moved: what is said beside the result, on standard error.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Between two drawings.
const REDRAW: Duration = Duration::from_millis(250);
/// Begins the line anew, and clears it.
const ANEW: &str = "\r\x1b[K";
/// What is below a second says nothing of a rate.
const ENOUGH: Duration = Duration::from_secs(1);

/// Whoever looks on.
pub struct Onlooker<'a> {
    errors: RefCell<&'a mut dyn Write>,
    /// Something may be said beside the result.
    told: bool,
    /// A line may be drawn, and drawn anew.
    watched: bool,
    drawn: Cell<bool>,
}

impl<'a> Onlooker<'a> {
    /// Whoever reads `errors`, unless it is to be `quiet`; on a terminal, if it is `watched`.
    pub fn new(errors: &'a mut dyn Write, quiet: bool, watched: bool) -> Self {
        Self { errors: RefCell::new(errors), told: !quiet, watched: watched && !quiet, drawn: Cell::new(false) }
    }

    /// Says why it takes so long, a line.
    pub fn say(&self, notice: &str) {
        if self.told {
            // ssh may ask for a password here, and then the line has begun.
            let begin = if self.watched && !self.drawn.replace(false) { "\n" } else { "" };
            let begin = if self.watched && begin.is_empty() { ANEW } else { begin };
            self.write(format_args!("{begin}portcullis: {notice}\n"));
        }
    }

    fn draw(&self, moved: &fmt::Arguments) {
        if self.watched {
            self.drawn.set(true);
            self.write(format_args!("{ANEW}{moved}"));
        }
    }

    /// What was drawn is gone.
    fn clear(&self) {
        if self.drawn.replace(false) {
            self.write(format_args!("{ANEW}"));
        }
    }

    fn write(&self, text: fmt::Arguments) {
        let mut errors = self.errors.borrow_mut();
        // Nothing hangs on it.
        let _ = errors.write_fmt(text).and_then(|()| errors.flush());
    }
}

/// What is moved through this is counted, and shown while it goes on.
pub struct Counted<'a, T> {
    through: T,
    onlooker: &'a Onlooker<'a>,
    what: String,
    bytes: u64,
    begin: Instant,
    drawn: Instant,
}

impl<'a, T> Counted<'a, T> {
    /// Shows how much was moved behind `what`.
    pub fn new(through: T, onlooker: &'a Onlooker<'a>, what: String) -> Self {
        let now = Instant::now();
        Self { through, onlooker, what, bytes: 0, begin: now, drawn: now }
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let now = Instant::now();
        if now.duration_since(self.drawn) >= REDRAW {
            self.drawn = now;
            let (what, moved) = (&self.what, Moved { bytes: self.bytes, time: now.duration_since(self.begin) });
            self.onlooker.draw(&format_args!("{what}: {moved}"));
        }
    }
}

impl<T> Drop for Counted<'_, T> {
    fn drop(&mut self) {
        self.onlooker.clear();
    }
}

impl<T: Write> Write for Counted<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.through.write(bytes)?;
        self.count(count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.through.flush()
    }
}

impl<T: Read> Read for Counted<'_, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.through.read(bytes)?;
        self.count(count);
        Ok(count)
    }
}

/// So much in such a time: MiB, and how many a second.
struct Moved {
    bytes: u64,
    time: Duration,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mib = self.bytes as f64 / f64::from(1 << 20);
        write!(f, "{mib:.1} MiB")?;
        if self.time >= ENOUGH {
            write!(f, ", {:.1} MiB/s", mib / self.time.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn so_much_in_such_a_time() {
        let text = |bytes, milliseconds| Moved { bytes, time: Duration::from_millis(milliseconds) }.to_string();
        assert_eq!(text(0, 0), "0.0 MiB");
        assert_eq!(text(50 << 20, 999), "50.0 MiB", "it says nothing of a rate");
        assert_eq!(text((50 << 20) + (512 << 10), 4000), "50.5 MiB, 12.6 MiB/s");
    }

    fn moves(quiet: bool, watched: bool) -> String {
        let mut errors = Vec::new();
        let onlooker = Onlooker::new(&mut errors, quiet, watched);
        let mut to = Counted::new(Vec::new(), &onlooker, "vm".to_owned());
        to.write_all(&[1; 5 << 20]).unwrap();
        thread::sleep(REDRAW);
        to.write_all(&[1; 5 << 20]).unwrap();
        onlooker.say("it takes long");
        thread::sleep(REDRAW);
        to.write_all(&[1; 1 << 20]).unwrap();
        assert_eq!(to.through.len(), 11 << 20);
        drop(to);
        onlooker.say("it has ended");
        String::from_utf8(errors).unwrap()
    }

    #[test]
    fn it_is_drawn_on_a_terminal_and_nothing_of_it_stays() {
        let (drawn, said) = ("\r\x1b[Kvm: 10.0 MiB", "\r\x1b[Kportcullis: it takes long\n");
        let text = moves(false, true);
        assert_eq!(text, format!("{drawn}{said}\r\x1b[Kvm: 11.0 MiB{ANEW}\nportcullis: it has ended\n"));
        assert_eq!(moves(false, false), "portcullis: it takes long\nportcullis: it has ended\n");
        assert_eq!((moves(true, true), moves(true, false)), (String::new(), String::new()));
    }
}
