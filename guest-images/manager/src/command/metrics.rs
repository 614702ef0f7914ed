//! `metrics`: once, into a file, or to whoever asks.

use std::fs::Permissions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::Session;
use crate::error::Error;
use crate::metrics::{Reading, Server, text};
use crate::port::Failed;

/// Looks without a pause would keep the port from others.
const SHORTEST: Duration = Duration::from_millis(100);

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
        replace(Path::new(&file), &text).map_err(|error| Error::File(file.clone(), error))?;
        let Some(pause) = pause else { return Ok(()) };
        thread::sleep(pause.max(SHORTEST));
    }
}

fn read(session: &Session) -> Result<String, Failed> {
    Ok(text(Reading::read(&mut session.port()?)?))
}

/// Puts a text in the place of a file: who reads that finds the old one or the new one, each whole.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A collector that takes what ends with .prom passes over this one.
    let mut fresh = tempfile::Builder::new()
        .prefix(".portcullis-")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.persist(file).map_err(|error| error.error)?;
    Ok(())
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
