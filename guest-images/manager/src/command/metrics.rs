//! `metrics`: once, into a file, or to whoever asks.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::Session;
use crate::error::Error;
use crate::file::Replacement;
use crate::metrics::{Reading, Server, text};
use crate::port::Failed;

/// Looks without a pause would keep the port from others.
const SHORTEST: Duration = Duration::from_millis(100);
/// A collector of another user's reads it.
const MODE: u32 = 0o644;

/// `metrics`.
pub fn metrics(session: &mut Session) -> Result<(), Error> {
    if session.output.json {
        return Err(Error::Wrong(
            "metrics are in Prometheus' format; `vms --json` and `stats VM --json` are JSON".to_owned(),
        ));
    }
    if let Some(address) = session.matches.get_one::<SocketAddr>("listen") {
        return listen(session, *address);
    }
    let Some(file) = session.matches.get_one::<String>("out").cloned() else {
        let text = read(session)?;
        return Ok(session.output.report(&text, || text.as_str().into())?);
    };
    let pause = session.matches.get_one::<Duration>("every").copied();
    loop {
        let text = read(session)?;
        let replaced = Replacement::of(Path::new(&file), MODE).and_then(|fresh| fresh.put(text.as_bytes()));
        replaced.map_err(|error| Error::File(file.clone(), error))?;
        let Some(pause) = pause else { return Ok(()) };
        thread::sleep(pause.max(SHORTEST));
    }
}

fn read(session: &Session) -> Result<String, Failed> {
    Ok(text(Reading::read(&mut session.port()?)?))
}

fn listen(session: &mut Session, address: SocketAddr) -> Result<(), Error> {
    let failed = |error| Error::Socket(address, error);
    let server = Server::listen(address).map_err(failed)?;
    // Who has asked for any port learns which one it is.
    session
        .output
        .done(format_args!("http://{}/metrics", server.address().map_err(failed)?), || serde_json::Value::Null)?;
    loop {
        server.answer(&mut || read(session).map_err(|error| error.to_string())).map_err(failed)?;
    }
}
