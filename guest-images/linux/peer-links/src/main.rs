//! What VMs of another hypervisor do by their links while it is counted. `send` and `sink` are the two ends of a network, `disk`
//! reads one, `fill` has memory that is to be saved; of the host's, `copy` copies and `save` saves a VM; `seed` gives the kernel a
//! seed. A static program, started by `guest` beside this, and by `host`.

mod copy;
mod linux;
mod mark;
mod monitor;

use std::alloc::{Layout, alloc_zeroed};
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Error, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::process::ExitCode;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use peer_links::{BURST, FILLED, FRAMES, LONG_READS, ONES, PIECE, PIECES, Work};

/// Where the sink is; an address that is no text any more, as what is between two frames of a burst is to be short.
const SINK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), PORT);
const PORT: u16 = 9000;
/// Payload of UDP in a frame of 64 bytes, and of 1,514.
const SHORT: usize = 22;
const LONG: usize = 1472;
/// Payload by which the sink is asked how many others there were.
const QUESTION: [u8; 4] = *b"????";
/// Time between two lone frames, and between two bursts.
const PERIOD: Duration = Duration::from_millis(2);
const BURST_PERIOD: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let role = std::env::args().nth(1).unwrap_or_default();
    let result = match role.as_str() {
        "send" => send(),
        "sink" => sink(),
        "disk" => disk(),
        "fill" => fill(),
        "copy" => copy::all(),
        "save" => monitor::save(),
        "seed" => linux::seed(),
        _ => Err(Error::other("no such role")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("links: FAILED: {role}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Moments at equal distances, whatever happens between them.
struct Pace(Instant);

impl Pace {
    fn wait(&mut self, period: Duration) {
        self.0 += period;
        sleep(self.0.saturating_duration_since(Instant::now()));
    }
}

/// The end that sends, and measures.
fn send() -> io::Result<()> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    let sender = Sender { socket };
    // The kernel's work of its start is over then, and every part of the way is known.
    sleep(Duration::from_secs(2));
    for _ in 0..100 {
        sender.frame(SHORT);
        sleep(PERIOD);
    }
    sender.asked();
    sender.frames::<{ mark::of(Work::Idle) }>(None, ONES, 1, PERIOD);
    sender.frames::<{ mark::of(Work::Frame) }>(Some(SHORT), ONES, 1, PERIOD);
    sender.frames::<{ mark::of(Work::IdleBursts) }>(None, FRAMES, BURST, BURST_PERIOD);
    sender.frames::<{ mark::of(Work::Frames) }>(Some(SHORT), FRAMES, BURST, BURST_PERIOD);
    sender.frames::<{ mark::of(Work::LongFrames) }>(Some(LONG), FRAMES, BURST, BURST_PERIOD);
    pings()?;
    stream()
}

struct Sender {
    socket: UdpSocket,
}

impl Sender {
    fn frame(&self, payload: usize) {
        let sent = self.socket.send_to(&[0x5a; LONG][..payload], SINK);
        assert!(sent.is_ok_and(|sent| sent == payload), "a frame that is not sent");
    }

    /// How many frames came since this was asked for the last time.
    fn asked(&self) -> u64 {
        sleep(Duration::from_millis(5));
        let mut count = [0; 8];
        let sent = self.socket.send_to(&QUESTION, SINK);
        let answer = sent.and_then(|_| self.socket.recv(&mut count));
        assert!(answer.is_ok(), "the sink does not answer");
        u64::from_le_bytes(count)
    }

    /// So many frames of so much payload, if any, in bursts, one in each period.
    fn frames<const TEST: u32>(&self, payload: Option<usize>, count: u32, burst: u32, period: Duration) {
        let pace = RefCell::new(Pace(Instant::now()));
        let before = || {
            self.asked();
            *pace.borrow_mut() = Pace(Instant::now());
            pace.borrow_mut().wait(period);
        };
        let work = || {
            for _ in 0..count / burst {
                if let Some(payload) = payload {
                    (0..burst).for_each(|_| self.frame(payload));
                }
                pace.borrow_mut().wait(period);
            }
        };
        let after = || {
            let sent = if payload.is_some() { u64::from(count) } else { 0 };
            let came = self.asked();
            assert_eq!(came, sent, "frames were lost");
        };
        mark::test::<TEST>(before, work, after);
    }
}

/// Pings, each when the last one was answered.
fn pings() -> io::Result<()> {
    let socket = linux::icmp()?;
    let ping = |number: u16| {
        let mut message = [0; 64];
        message[0] = 8;
        message[4..6].copy_from_slice(&77_u16.to_be_bytes());
        message[6..8].copy_from_slice(&number.to_be_bytes());
        let sum: u32 = message.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let sum = !(((sum >> 16) + sum) as u16);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        assert!(socket.send_to(&message, SINK).is_ok(), "a ping that is not sent");
        let mut answer = [0; 256];
        loop {
            let came = socket.recv(&mut answer).unwrap_or_default();
            assert!(came >= 28, "no answer to a ping");
            // Behind IP's header: an answer with this number.
            if answer[20] == 0 && answer[26..28] == message[6..8] {
                break;
            }
        }
    };
    (0..5).for_each(ping);
    mark::test::<{ mark::of(Work::Ping) }>(|| (), || (0..ONES as u16).for_each(ping), || ());
    Ok(())
}

/// A connection whose other end says when all of it came.
fn stream() -> io::Result<()> {
    let mut connection = TcpStream::connect(SINK)?;
    let mut work = || {
        for _ in 0..PIECES {
            assert!(connection.write_all(&[0x5a; PIECE]).is_ok(), "a stream that ends");
        }
        assert!(connection.read_exact(&mut [0]).is_ok(), "a stream that is not acknowledged");
    };
    // The connection begins slowly.
    work();
    mark::test::<{ mark::of(Work::Stream) }>(|| sleep(Duration::from_millis(20)), work, || ());
    Ok(())
}

/// The end that takes.
fn sink() -> io::Result<()> {
    let socket = UdpSocket::bind(("0.0.0.0", PORT))?;
    let listener = TcpListener::bind(("0.0.0.0", PORT))?;
    thread::spawn(move || match listener.accept() {
        Ok((connection, _)) => take(connection),
        Err(error) => println!("links: FAILED: no connection: {error}"),
    });
    println!("links: the sink is ready");
    let (mut frame, mut count) = ([0; 2048], 0_u64);
    loop {
        let (came, from) = socket.recv_from(&mut frame)?;
        if came == QUESTION.len() {
            socket.send_to(&count.to_le_bytes(), from)?;
            count = 0;
        } else {
            count += 1;
        }
    }
}

/// Takes streams until the connection is closed.
fn take(mut connection: TcpStream) {
    let mut buffer = vec![0; 4 * PIECE];
    loop {
        let mut left = PIECES as usize * PIECE;
        while left > 0 {
            match connection.read(&mut buffer) {
                Ok(came) if came > 0 => left = left.saturating_sub(came),
                _ => return,
            }
        }
        if connection.write_all(b"k").is_err() {
            return;
        }
    }
}

/// Reads the only disk, past the kernel's cache, one request at a time.
fn disk() -> io::Result<()> {
    const O_DIRECT: i32 = 0o200_000;
    let disk = OpenOptions::new().read(true).custom_flags(O_DIRECT).open("/dev/vda")?;
    let layout = Layout::from_size_align(PIECE, PIECE).map_err(Error::other)?;
    // SAFETY: the layout has a size; memory that is not there is looked for below, and what is there is zero and never freed.
    let memory = unsafe { alloc_zeroed(layout) };
    assert!(!memory.is_null(), "there is no memory");
    // SAFETY: as above, and nobody else has it.
    let buffer = unsafe { std::slice::from_raw_parts_mut(memory, PIECE) };
    buffer.fill(1);
    // The host's work of the start is over then.
    sleep(Duration::from_secs(10));
    reads::<{ mark::of(Work::Image) }>(&disk, &mut buffer[..4096], ONES);
    reads::<{ mark::of(Work::LongImage) }>(&disk, buffer, LONG_READS);
    Ok(())
}

/// Has memory of which no page is zeros, and no two are alike, for good.
fn fill() -> io::Result<()> {
    let mut memory = vec![0_u64; FILLED << 17];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in &mut memory {
        // xorshift64: never zero.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *word = state;
    }
    println!("links: the memory is filled: {:x}", memory.iter().fold(0, |sum, word| sum ^ word));
    loop {
        sleep(Duration::from_secs(3600));
        std::hint::black_box(&memory);
    }
}

fn reads<const TEST: u32>(disk: &File, buffer: &mut [u8], count: u32) {
    let mut read = |number: u32| {
        let whole = disk.read_at(buffer, u64::from(number) * buffer.len() as u64);
        assert!(whole.is_ok_and(|came| came == buffer.len()), "a read that fails");
    };
    (0..50).for_each(&mut read);
    mark::test::<TEST>(|| sleep(Duration::from_millis(20)), || (0..count).for_each(&mut read), || ());
}
