//! Another VM's console: a person's terminal, or a script's pipes, at the port `console.VM`.

mod keys;
mod terminal;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::keys::Key;
pub use self::keys::{DEFAULT, Escape, Keys};
pub use self::terminal::Terminal;
use crate::error::Error;
use crate::port::{Failed, Line};

/// Between two looks at whether the VM still runs.
const LOOK: Duration = Duration::from_secs(1);
/// The longest that the program does not see that it is to end.
const STEP: Duration = Duration::from_millis(200);
/// A terminal does not pause for so long within what it says by itself.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes that are typed and that the VM does not take, from which on more of them are dropped.
const TYPED: usize = 1 << 20;

/// Why an attachment is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By the keys, or because the program or its terminal ends.
    Detached,
    /// It was to last for so long.
    TimeOver,
    /// The VM has ended: what is to be said of it.
    Vm(String),
}

/// Attaches a terminal to a VM's console until one of them ends, or `limit` is over. `look` tells what to say of a VM that has
/// ended; it is asked now and then.
///
/// # Errors
/// The port is gone, or the terminal cannot be used.
pub fn attach(
    line: &mut Line,
    terminal: &mut Terminal,
    escape: Escape,
    look: &mut dyn FnMut() -> Option<String>,
    limit: Option<Duration>,
) -> Result<End, Error> {
    let start = Instant::now();
    let mut keys = Keys::new(escape, terminal.is_terminal());
    let (mut typed, mut looked, mut heard, mut over) = (VecDeque::new(), start, start, false);
    loop {
        let rest = limit.map_or(STEP, |limit| limit.saturating_sub(start.elapsed()));
        if rest.is_zero() {
            return Ok(End::TimeOver);
        }
        if terminal.is_ended() {
            return Ok(End::Detached);
        }
        // A pipe waits for the VM; a person's escape key does not.
        let hears = !over && (terminal.is_terminal() || typed.is_empty());
        let (came, has_room, pressed) = wait(line, terminal, hears, !typed.is_empty(), rest.min(STEP))?;
        if came {
            show(line, terminal)?;
        }
        if pressed {
            let mut bytes = [0; 4096];
            let count = terminal.read(&mut bytes)?;
            over = count == 0;
            if over && terminal.is_terminal() {
                return Ok(End::Detached);
            }
            let mut paused = heard.elapsed() > PAUSE;
            heard = Instant::now();
            for byte in bytes.iter().take(count) {
                match keys.press(*byte, core::mem::take(&mut paused)) {
                    Key::None => {}
                    Key::Typed(byte) if typed.len() < TYPED => typed.push_back(byte),
                    Key::Typed(_) => {}
                    Key::Detach => {
                        // What was typed before it is the VM's, if that has room.
                        type_on(line, &mut typed)?;
                        return Ok(End::Detached);
                    }
                    Key::Help => terminal.say(&keys.help())?,
                }
            }
        }
        if has_room {
            type_on(line, &mut typed)?;
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            if let Some(why) = look() {
                // Its last words came before.
                while show(line, terminal)? {}
                return Ok(End::Vm(why));
            }
        }
    }
}

/// Types what was typed, as far as there is room for it.
fn type_on(line: &mut Line, typed: &mut VecDeque<u8>) -> Result<(), Error> {
    if !typed.is_empty() {
        let taken = line.write(typed.make_contiguous()).map_err(Failed::from)?;
        typed.drain(..taken);
    }
    Ok(())
}

/// Shows what has come. Returns whether anything had.
fn show(line: &mut Line, terminal: &mut Terminal) -> Result<bool, Error> {
    let mut bytes = [0; 4096];
    let count = line.read(&mut bytes).map_err(Failed::from)?;
    terminal.show(bytes.get(..count).unwrap_or_default())?;
    Ok(count != 0)
}

/// Waits until something came from the VM, there is room for what is typed, or something was typed, whichever is wanted.
fn wait(
    line: &Line,
    terminal: &Terminal,
    hears: bool,
    types: bool,
    most: Duration,
) -> Result<(bool, bool, bool), Error> {
    let most = Timespec { tv_sec: most.as_secs().cast_signed(), tv_nsec: most.subsec_nanos().into() };
    let at_line = if types { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
    let mut ends = [PollFd::new(line, at_line), PollFd::new(terminal, PollFlags::IN)];
    let ends = ends.get_mut(..if hears { 2 } else { 1 }).unwrap_or_default();
    match poll(ends, Some(&most)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Error::Output(error.into())),
    }
    let gone = PollFlags::HUP | PollFlags::ERR;
    let is = |end: usize, flags: PollFlags| ends.get(end).is_some_and(|end| end.revents().intersects(flags));
    Ok((is(0, PollFlags::IN | gone), is(0, PollFlags::OUT), is(1, PollFlags::IN | gone)))
}
