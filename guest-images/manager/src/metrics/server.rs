//! Answers HTTP requests for the metrics, one at a time: `GET /metrics`, and nothing else.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::format::CONTENT_TYPE;

/// How long somebody may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of a request.
const LONGEST: usize = 8 << 10;
/// Most headers of a request.
const HEADERS: usize = 64;

/// The address that a word means: `ADDRESS:PORT`, or a port of the loopback address.
///
/// # Errors
/// It means none; what would be right.
pub fn address(word: &str) -> Result<SocketAddr, String> {
    let port = word.parse().map(|port: u16| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    port.or_else(|_| word.parse()).map_err(|_| {
        format!("{word:?} is no address: a port such as 9750, which is on 127.0.0.1, or ADDRESS:PORT such as 10.0.0.1:9750 or [::]:9750")
    })
}

/// A socket on which somebody may ask.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

/// An answer: its status line, the type of its text, the text.
struct Answer {
    status: &'static str,
    kind: &'static str,
    text: String,
}

impl Answer {
    fn plain(status: &'static str, text: &str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", text: format!("{text}\n") }
    }
}

impl Server {
    /// Listens on an address.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).map(|listener| Self { listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers the next request: with the metrics, or with why there are none. Who asks badly, slowly, or goes away meanwhile
    /// ends nothing but their own connection.
    ///
    /// # Errors
    /// Those of the socket on which it listens.
    pub fn answer(&self, metrics: &mut dyn FnMut() -> Result<String, String>) -> io::Result<()> {
        let (mut stream, _) = match self.listener.accept() {
            // The connection was over before it was taken.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return Ok(()),
            accepted => accepted?,
        };
        // The rest of a connection that has failed is nobody's.
        let _ = serve(&mut stream, metrics);
        Ok(())
    }
}

fn serve(stream: &mut TcpStream, metrics: &mut dyn FnMut() -> Result<String, String>) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let (answer, head) = match read(stream)? {
        Request::Metrics { head } => (
            match metrics() {
                Ok(text) => Answer { status: "200 OK", kind: CONTENT_TYPE, text },
                Err(error) => Answer::plain("503 Service Unavailable", &error),
            },
            head,
        ),
        Request::Elsewhere => (Answer::plain("404 Not Found", "there is /metrics here"), false),
        Request::Otherwise => (Answer::plain("405 Method Not Allowed", "this is only read: GET /metrics"), false),
        Request::Bad => (Answer::plain("400 Bad Request", "this is no request: GET /metrics HTTP/1.1"), false),
    };
    let Answer { status, kind, text } = answer;
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n"
    )?;
    if !head {
        stream.write_all(text.as_bytes())?;
    }
    stream.flush()
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    Metrics { head: bool },
    Elsewhere,
    Otherwise,
    Bad,
}

/// Reads a request to the end of its headers.
fn read(stream: &mut TcpStream) -> io::Result<Request> {
    let end = Instant::now() + PATIENCE;
    let (mut bytes, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(rest))?;
        let count = stream.read(&mut piece)?;
        bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
        match judge(&bytes) {
            Some(request) => return Ok(request),
            None if count == 0 || bytes.len() > LONGEST => return Ok(Request::Bad),
            None => {}
        }
    }
}

/// What the bytes ask for; none: they go on.
fn judge(bytes: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(_) => return Some(Request::Bad),
    }
    let path = request.path.unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Some(match (request.method, path) {
        (Some("GET"), "/metrics") => Request::Metrics { head: false },
        (Some("HEAD"), "/metrics") => Request::Metrics { head: true },
        (Some("GET" | "HEAD"), _) => Request::Elsewhere,
        _ => Request::Otherwise,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback() {
        assert_eq!(address("9750").unwrap().to_string(), "127.0.0.1:9750");
        assert_eq!(address("10.0.0.1:9750").unwrap().to_string(), "10.0.0.1:9750");
        assert_eq!(address("[::]:9750").unwrap().to_string(), "[::]:9750");
        for word in ["", "70000", "host:1", "10.0.0.1", "::"] {
            assert!(address(word).unwrap_err().contains("ADDRESS:PORT"), "{word}");
        }
    }

    #[test]
    fn requests_are_judged_when_they_are_whole() {
        let whole = b"GET /metrics?name=x HTTP/1.1\r\nHost: a\r\n\r\n";
        for length in 0..whole.len() {
            assert_eq!(judge(&whole[..length]), None, "{length}");
        }
        assert_eq!(judge(whole), Some(Request::Metrics { head: false }));
        assert_eq!(judge(b"HEAD /metrics HTTP/1.0\r\n\r\n"), Some(Request::Metrics { head: true }));
        assert_eq!(judge(b"GET / HTTP/1.1\r\n\r\n"), Some(Request::Elsewhere));
        assert_eq!(judge(b"POST /metrics HTTP/1.1\r\n\r\n"), Some(Request::Otherwise));
        assert_eq!(judge(b"\x16\x03\x01\x02\x00"), Some(Request::Bad));
    }
}
