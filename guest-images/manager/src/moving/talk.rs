//! What the two programs say to each other, a line each: the giver its greeting, the taker the same back, `ready`, `go` and `done`.
//! Instead of its next line the taker says what is wrong.

use std::fmt;
use std::io::{self, Read, Write};

use super::wait::GivenUp;

/// What the giver says first, and the taker back: it is no saved VM, and tells the version of what follows.
pub const GREETING: &str = "portcullis-moves 1";
/// All of the VM is in place.
pub const READY: &str = "ready";
/// It is to run.
pub const GO: &str = "go";
/// It runs.
pub const DONE: &str = "done";
/// What is in front of what is wrong.
const ERROR: &str = "error: ";
/// Most bytes of a line.
const MOST: usize = 1000;
/// Lines that may come in front of the greeting.
const PASSED_OVER: usize = 200;

/// Whether these first bytes are a greeting, and of the version that is understood here.
pub fn is_greeting(bytes: &[u8]) -> Option<Result<(), String>> {
    let (ours, _) = GREETING.rsplit_once(' ')?;
    let version = bytes.strip_prefix(ours.as_bytes())?.strip_prefix(b" ")?;
    let same = bytes.strip_suffix(b"\n") == Some(GREETING.as_bytes());
    Some(if same {
        Ok(())
    } else {
        let version = String::from_utf8_lossy(version);
        Err(format!("the other side hands over by version {}, and {GREETING:?} is spoken here", version.trim_end()))
    })
}

/// Says a line.
///
/// # Errors
/// Those of the pipe.
pub fn say(to: &mut dyn Write, line: &str) -> io::Result<()> {
    to.write_all(format!("{line}\n").as_bytes())?;
    to.flush()
}

/// Says what is wrong.
///
/// # Errors
/// Those of the pipe.
pub fn say_wrong(to: &mut dyn Write, wrong: &str) -> io::Result<()> {
    say(to, &format!("{ERROR}{}", wrong.replace('\n', " ")))
}

/// Why what was waited for was not heard.
#[derive(Debug)]
pub enum Unheard {
    /// The pipe was closed instead of this, with what came before that, in words.
    Closed(&'static str, String),
    /// The pipe has broken, or was given up.
    Broken(io::Error),
    /// Something is wrong there: in the words of the other side.
    Wrong(String),
    /// This came instead of that.
    Another(String, &'static str),
    /// There is a terminal between the two.
    Terminal,
}

impl fmt::Display for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Closed(line, before) => write!(f, "it has closed the pipe instead of saying {line:?}{before}"),
            Self::Broken(error) => match GivenUp::of(error) {
                Some(given_up) => given_up.fmt(f),
                None => write!(f, "the pipe has broken: {error}"),
            },
            Self::Wrong(wrong) => f.write_str(wrong),
            Self::Another(heard, line) => write!(f, "it says {heard:?} instead of {line:?}"),
            Self::Terminal => {
                f.write_str("the command puts a terminal between the two machines, which changes what is sent; ssh does not with -T")
            }
        }
    }
}

/// Waits for a line. Nothing behind it is read.
///
/// # Errors
/// Why it did not come.
pub fn hear(from: &mut dyn Read, line: &'static str) -> Result<(), Unheard> {
    let heard = read(from, line, "")?;
    match heard.trim_end_matches('\r') {
        heard if heard == line => Ok(()),
        heard => Err(another(heard, line)),
    }
}

/// Waits for the greeting. What a shell says in front of it when somebody logs in is passed over: up to 200 lines, and
/// what has no line's end.
///
/// # Errors
/// Why it did not come.
pub fn hear_greeting(from: &mut dyn Read) -> Result<(), Unheard> {
    let mut before = String::new();
    for _ in 0..PASSED_OVER {
        let line = read(from, GREETING, &before)?;
        let heard = line.trim_end_matches('\r');
        if heard.ends_with(GREETING) {
            return if heard == line { Ok(()) } else { Err(Unheard::Terminal) };
        }
        if heard.starts_with(ERROR) {
            return Err(another(heard, GREETING));
        }
        before = heard.to_owned();
    }
    Err(another(&before, GREETING))
}

fn another(heard: &str, line: &'static str) -> Unheard {
    match heard.strip_prefix(ERROR) {
        Some(wrong) => Unheard::Wrong(wrong.to_owned()),
        None => Unheard::Another(heard.to_owned(), line),
    }
}

/// Reads a line, which should be `line`, and was none before.
fn read(from: &mut dyn Read, line: &'static str, before: &str) -> Result<String, Unheard> {
    let mut heard = Vec::new();
    let text = |heard: &[u8]| String::from_utf8_lossy(heard).into_owned();
    loop {
        let mut byte = [0];
        match from.read(&mut byte) {
            Ok(0) => {
                let last = if heard.is_empty() { before.to_owned() } else { text(&heard) };
                let last = if last.is_empty() { last } else { format!("; the last that it said: {last:?}") };
                return Err(Unheard::Closed(line, last));
            }
            Ok(_) if byte == *b"\n" => return Ok(text(&heard)),
            Ok(_) if heard.len() < MOST => heard.extend_from_slice(&byte),
            Ok(_) => return Ok(text(&heard)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unheard::Broken(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bytes: &[u8], line: &'static str) -> Result<(), String> {
        hear(&mut &bytes[..], line).map_err(|unheard| unheard.to_string())
    }

    fn greeted(bytes: &[u8]) -> Result<(), String> {
        hear_greeting(&mut &bytes[..]).map_err(|unheard| unheard.to_string())
    }

    #[test]
    fn what_is_said_is_heard() {
        for line in [GREETING, READY, GO, DONE] {
            let mut pipe = Vec::new();
            say(&mut pipe, line).unwrap();
            pipe.extend_from_slice(b"rest");
            let mut rest = &pipe[..];
            assert!(hear(&mut rest, line).is_ok() && rest == b"rest");
            for cut in 0..line.len() {
                assert!(heard(&pipe[..cut], line).unwrap_err().starts_with("it has closed the pipe"), "{cut}");
            }
        }
    }

    #[test]
    fn a_greeting_is_no_saved_vm() {
        assert_eq!(is_greeting(format!("{GREETING}\n").as_bytes()), Some(Ok(())));
        let other = is_greeting(b"portcullis-moves 2\n").unwrap().unwrap_err();
        assert_eq!(other, "the other side hands over by version 2, and \"portcullis-moves 1\" is spoken here");
        assert!(is_greeting(b"portcullis-moves 1 2").unwrap().is_err());
        for bytes in [&b""[..], b"PORTC-VM\x01\0\0\0\0\0\0\0\x01\0\0", b"portcullis-move", b"portcullis-moves"] {
            assert_eq!(is_greeting(bytes), None);
        }
    }

    #[test]
    fn what_a_login_says_is_passed_over() {
        let motd = "Linux other 6.12\n\nLast login: today\n";
        for before in ["", "\n", motd, "\x1b]0;other\x07", "Welcome! "] {
            let mut pipe = format!("{before}{GREETING}\nready\n").into_bytes();
            let mut rest = &pipe[..];
            assert!(hear_greeting(&mut rest).is_ok() && rest == b"ready\n", "{before:?}");
            pipe.truncate(before.len() + 3);
            let last = before.lines().last().unwrap_or_default();
            let last = if before.ends_with('\n') { "por".to_owned() } else { format!("{last}por") };
            let said = greeted(&pipe).unwrap_err();
            assert_eq!(
                said,
                format!("it has closed the pipe instead of saying {GREETING:?}; the last that it said: {last:?}")
            );
        }
        assert_eq!(greeted(format!("{motd}error: FROZEN: no\n").as_bytes()), Err("FROZEN: no".to_owned()));
        assert_eq!(
            greeted(motd.as_bytes()).unwrap_err().split("; ").last(),
            Some("the last that it said: \"Last login: today\"")
        );
        let ever = "y\n".repeat(100_000);
        assert_eq!(greeted(ever.as_bytes()), Err(format!("it says \"y\" instead of {GREETING:?}")));
        assert!(heard(b"Welcome\ngo\n", GO).is_err(), "later it is not");
    }

    #[test]
    fn a_terminal_in_between_is_named() {
        let said = greeted(format!("{GREETING}\r\n").as_bytes()).unwrap_err();
        assert!(said.contains("terminal") && said.ends_with("ssh does not with -T"), "{said}");
    }

    #[test]
    fn what_is_wrong_is_told_in_its_words() {
        let mut pipe = Vec::new();
        say_wrong(&mut pipe, "UNFIT: section UART:\nit is damaged").unwrap();
        assert_eq!(heard(&pipe, READY), Err("UNFIT: section UART: it is damaged".to_owned()));
        let said = heard(b"bash: portcullis: command not found\n", READY).unwrap_err();
        assert_eq!(said, "it says \"bash: portcullis: command not found\" instead of \"ready\"");
        assert!(heard(&[b'x'; 5000], GO).unwrap_err().len() < 1100, "it ends without a line's end");
        assert!(heard(b"\xff\n", GO).is_err());
    }
}
