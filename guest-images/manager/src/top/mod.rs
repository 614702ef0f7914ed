//! `top`: the machine on a full screen, looked at again and again. Between two looks the port is others'.

mod draw;
mod keys;
mod rates;
mod sample;
mod screen;
mod view;

use std::time::{Duration, Instant};

pub use self::keys::{Key, action_of};
pub use self::screen::{Screen, Terminal};

use self::sample::Sample;
use self::view::{Asked, View};
use crate::action;
use crate::error::Error;
use crate::exit::Exit;
use crate::port::{Failed, Port};

/// From the first look to the second.
const SOON: Duration = Duration::from_millis(500);

/// Shows the machine until `q` is pressed, or for as long as `limit` says. A port that is busy or cut off for a while is said
/// in the last line, and what was seen last stays.
///
/// # Errors
/// The first look fails, or the screen.
pub fn run(
    open: &dyn Fn() -> Result<Port, Failed>,
    screen: &mut dyn Screen,
    interval: Duration,
    limit: Option<Duration>,
) -> Result<(), Error> {
    let start = Instant::now();
    let mut view = View::new(Sample::read(&mut open()?, None)?);
    // What happens in a time is known from the second look on.
    let mut pause = interval.min(SOON);
    loop {
        let next = Instant::now() + std::mem::replace(&mut pause, interval);
        loop {
            screen.draw(&mut |frame| draw::draw(frame, &view))?;
            let now = Instant::now();
            let end = limit.map_or(next, |limit| next.min(start + limit));
            let Some(key) = screen.key(end.saturating_duration_since(now))? else { break };
            match view.press(key) {
                Asked::Nothing => {}
                Asked::Leave => return Ok(()),
                Asked::Look => break,
                Asked::Do(what, vm) => {
                    let done = open().map_err(Error::from).and_then(|mut port| action::ask(&mut port, what, vm));
                    view.told(done);
                    break;
                }
            }
        }
        if limit.is_some_and(|limit| start.elapsed() >= limit) {
            return Ok(());
        }
        match open().and_then(|mut port| Sample::read(&mut port, Some(view.selected()))) {
            Ok(sample) => view.look(sample),
            Err(failed) => {
                let error = Error::from(failed);
                // What comes to pass by itself is waited for; what does not is the end.
                if matches!(error.exit(), Exit::NotPermitted | Exit::Version) {
                    return Err(error);
                }
                view.missed(&error);
            }
        }
    }
}
