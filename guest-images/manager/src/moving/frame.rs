//! A stream in pieces, each with its length in front, little-endian in 32 bits; a piece of no bytes is the end. So the pipe can go
//! on behind it, and one that breaks in the middle is told from one that ends.

use std::io::{self, Read, Write};

/// Most bytes of a piece: what comes with a longer length is no piece.
const MOST: u32 = 1 << 20;

/// Puts a stream into a pipe, a piece a write.
#[derive(Debug)]
pub struct Sender<W>(pub W);

impl<W: Write> Sender<W> {
    /// Ends the stream.
    ///
    /// # Errors
    /// Those of the pipe.
    pub fn end(mut self) -> io::Result<()> {
        self.0.write_all(&[0; 4])?;
        self.0.flush()
    }
}

impl<W: Write> Write for Sender<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes.get(..MOST as usize).unwrap_or(bytes);
        if !piece.is_empty() {
            self.0.write_all(&(piece.len() as u32).to_le_bytes())?;
            self.0.write_all(piece)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Takes a stream out of a pipe, of which it reads nothing behind the stream's end.
#[derive(Debug)]
pub struct Receiver<R> {
    from: R,
    /// Bytes that are left of the piece; none behind the end.
    left: Option<u32>,
}

impl<R: Read> Receiver<R> {
    /// The stream that begins here.
    pub const fn new(from: R) -> Self {
        Self { from, left: Some(0) }
    }
}

impl<R: Read> Read for Receiver<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.left == Some(0) {
            let mut length = [0; 4];
            self.from.read_exact(&mut length)?;
            self.left = match u32::from_le_bytes(length) {
                0 => None,
                length if length > MOST => {
                    let text =
                        format!("a piece of {length} bytes has come, which is none: at most {MOST} are sent at once");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
                length => Some(length),
            };
        }
        let Some(left) = self.left else { return Ok(0) };
        let most = to.len().min(left as usize);
        let count = self.from.read(to.get_mut(..most).unwrap_or_default())?;
        if count == 0 && most != 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = Some(left.saturating_sub(count as u32));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut pipe = Vec::new();
        let mut sender = Sender(&mut pipe);
        for piece in pieces {
            sender.write_all(piece).unwrap();
        }
        sender.end().unwrap();
        pipe
    }

    #[test]
    fn what_was_sent_is_received_and_what_is_behind_it_stays() {
        let long = vec![7; 3_000_000];
        for pieces in [&[][..], &[&b"a"[..]], &[b"", b"abc", b"", &[0; 70_000]], &[&long[..]]] {
            let mut pipe = framed(pieces);
            pipe.extend_from_slice(b"go\n");
            let mut rest = &pipe[..];
            let mut got = Vec::new();
            Receiver::new(&mut rest).read_to_end(&mut got).unwrap();
            assert!(got == pieces.concat());
            assert_eq!(rest, b"go\n");
        }
    }

    #[test]
    fn every_pipe_that_breaks_is_an_error() {
        let pipe = framed(&[b"abc", b"defg"]);
        for length in 0..pipe.len() {
            let mut got = Vec::new();
            let error = Receiver::new(&pipe[..length]).read_to_end(&mut got).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length}");
        }
        let error = Receiver::new(&[0xff; 8][..]).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
