//! What the two programs say to each other, a line each: the giver its greeting, the taker the same back, `ready`, `go` and `done`.
//! Instead of its next line the taker says what is wrong.

use std::io::{self, Read, Write};

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

/// Waits for a line. Nothing behind it is read.
///
/// # Errors
/// Why it did not come: in words for a person.
pub fn hear(from: &mut dyn Read, line: &str) -> Result<(), String> {
    let mut heard = Vec::new();
    loop {
        let mut byte = [0];
        match from.read(&mut byte) {
            Ok(0) => return Err(format!("it has closed the pipe instead of saying {line:?}")),
            Ok(_) if byte == *b"\n" => break,
            Ok(_) if heard.len() < MOST => heard.extend_from_slice(&byte),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("the pipe has broken: {error}")),
        }
    }
    let heard = String::from_utf8_lossy(&heard);
    match heard.trim_end_matches('\r') {
        heard if heard == line => Ok(()),
        heard => Err(match heard.strip_prefix(ERROR) {
            Some(wrong) => wrong.to_owned(),
            None => format!("it says {heard:?} instead of {line:?}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bytes: &[u8], line: &str) -> Result<(), String> {
        hear(&mut &bytes[..], line)
    }

    #[test]
    fn what_is_said_is_heard() {
        for line in [GREETING, READY, GO, DONE] {
            let mut pipe = Vec::new();
            say(&mut pipe, line).unwrap();
            pipe.extend_from_slice(b"rest");
            let mut rest = &pipe[..];
            assert_eq!((hear(&mut rest, line), rest), (Ok(()), &b"rest"[..]));
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
    fn what_is_wrong_is_told_in_its_words() {
        let mut pipe = Vec::new();
        say_wrong(&mut pipe, "UNFIT: section UART:\nit is damaged").unwrap();
        assert_eq!(heard(&pipe, READY), Err("UNFIT: section UART: it is damaged".to_owned()));
        let said = heard(b"bash: portcullis: command not found\n", GREETING).unwrap_err();
        assert_eq!(said, "it says \"bash: portcullis: command not found\" instead of \"portcullis-moves 1\"");
        assert!(heard(&[b'x'; 5000], GO).unwrap_err().len() < 1100, "it ends without a line's end");
        assert!(heard(b"\xff\n", GO).is_err());
    }
}
