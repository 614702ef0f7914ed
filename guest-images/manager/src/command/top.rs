//! `top`.

use std::time::Duration;

use super::Session;
use crate::cli;
use crate::error::Error;
use crate::top::{self, Terminal};

/// Looks without a pause would keep the port from others.
const SHORTEST: Duration = Duration::from_millis(100);

/// `top`.
pub fn top(session: &mut Session) -> Result<(), Error> {
    if session.output.json {
        return Err(Error::Wrong("top is a screen, not JSON; `vms --json` and `stats VM --json` are".to_owned()));
    }
    let interval = cli::time(session.matches, "interval").max(SHORTEST);
    let limit = session.matches.get_one::<Duration>("for").copied();
    // What is wrong with the port is said where people will read it.
    drop(session.port()?);
    top::run(&|| session.port(), &mut Terminal::enter()?, interval, limit)
}
