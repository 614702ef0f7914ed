//! What a test types: steps that wait for the console, or write to it.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes a second of a line of 115,200 baud: eight bits, a start and a stop bit.
pub const LINE_RATE: u32 = 11_520;
/// Bytes written at once to a paced line: what comes in a millisecond.
const PIECE: usize = 12;

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Waits until the console has shown this text, behind what earlier steps have waited for.
    Wait(&'static str),
    /// Types this.
    Type(&'static str),
    /// Types lines, each a number of seven digits with a text before it.
    Lines {
        /// The text.
        before: &'static str,
        /// The numbers.
        numbers: Range<u32>,
        /// Bytes a second; none: as fast as the machine takes them.
        rate: Option<u32>,
    },
}

/// Plays the steps on `input`, in a thread. What the console shows is to be sent to the result.
pub fn play(steps: &'static [Step], input: impl Write + Send + 'static) -> Sender<Vec<u8>> {
    let (sender, output) = mpsc::channel();
    // It ends with the machine, whose input and output are closed then.
    thread::spawn(move || _ = Player { input, output, seen: Vec::new(), waiting: Vec::new() }.run(steps));
    sender
}

struct Player<W> {
    input: W,
    output: Receiver<Vec<u8>>,
    /// What the console has shown behind what was waited for.
    seen: Vec<u8>,
    /// What is typed and was not written: what follows each other without a wait comes without a gap.
    waiting: Vec<u8>,
}

impl<W: Write> Player<W> {
    fn run(mut self, steps: &[Step]) -> io::Result<()> {
        for step in steps {
            match step {
                Step::Type(text) => self.waiting.extend(text.bytes()),
                Step::Lines { before, numbers, rate } => {
                    let text: String = numbers.clone().map(|number| format!("{before}{number:07}\n")).collect();
                    match rate {
                        None => self.waiting.extend(text.bytes()),
                        Some(rate) => {
                            self.write()?;
                            self.write_paced(text.as_bytes(), *rate)?;
                        }
                    }
                }
                Step::Wait(text) => {
                    self.write()?;
                    self.wait(text.as_bytes())?;
                }
            }
        }
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        self.input.write_all(&std::mem::take(&mut self.waiting))?;
        self.input.flush()
    }

    fn write_paced(&mut self, text: &[u8], rate: u32) -> io::Result<()> {
        let start = Instant::now();
        for (number, piece) in text.chunks(PIECE).enumerate() {
            let due = Duration::from_secs_f64((number * PIECE) as f64 / f64::from(rate));
            thread::sleep(due.saturating_sub(start.elapsed()));
            self.input.write_all(piece)?;
            self.input.flush()?;
        }
        Ok(())
    }

    fn wait(&mut self, text: &[u8]) -> io::Result<()> {
        loop {
            if let Some(at) = self.seen.windows(text.len()).position(|window| window == text) {
                self.seen.drain(..at + text.len());
                return Ok(());
            }
            self.seen.extend(self.output.recv().map_err(|_| io::ErrorKind::UnexpectedEof)?);
        }
    }
}
