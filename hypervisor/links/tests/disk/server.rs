//! An NBD server as simple as can be, written from the protocol's description, which can also misbehave.

use std::collections::{HashSet, VecDeque};

/// How the server is.
#[derive(Clone)]
pub struct Manner {
    pub fixed: bool,
    pub no_zeroes: bool,
    /// It knows NBD_OPT_GO.
    pub go: bool,
    /// It says what its block sizes are: smallest, preferred, longest.
    pub blocks: Option<[u32; 3]>,
    /// Transmission flags.
    pub flags: u16,
    /// What it answers to the option, if not by the protocol.
    pub option: Option<Vec<u8>>,
    /// Error of every reply.
    pub error: u32,
    pub export: String,
}

impl Manner {
    pub fn good() -> Self {
        let blocks = Some([1, 4096, 32 << 20]);
        let flags = 1 | 1 << 2 | 1 << 5 | 1 << 6;
        Self { fixed: true, no_zeroes: true, go: true, blocks, flags, option: None, error: 0, export: String::new() }
    }
}

#[derive(PartialEq)]
enum Phase {
    Flags,
    Option,
    Ready,
}

pub struct Server {
    pub manner: Manner,
    pub store: Vec<u8>,
    phase: Phase,
    inbox: Vec<u8>,
    /// Replies that are not out yet; they may go in any order.
    pub replies: Vec<Vec<u8>>,
    /// What is on its way to the client.
    pub out: VecDeque<u8>,
    /// Cookies that were seen, in all connections.
    pub cookies: HashSet<u64>,
    /// Requests that were done.
    pub count: usize,
}

impl Server {
    pub fn new(manner: Manner, store: Vec<u8>) -> Self {
        let (inbox, replies, out, cookies) = (Vec::new(), Vec::new(), VecDeque::new(), HashSet::new());
        let mut server = Self { manner, store, phase: Phase::Flags, inbox, replies, out, cookies, count: 0 };
        server.greet();
        server
    }

    /// A new connection.
    pub fn greet(&mut self) {
        self.phase = Phase::Flags;
        self.inbox.clear();
        self.replies.clear();
        self.out.clear();
        let flags = u16::from(self.manner.fixed) | u16::from(self.manner.no_zeroes) << 1;
        self.out.extend(b"NBDMAGICIHAVEOPT".iter().chain(&flags.to_be_bytes()));
    }

    /// Takes bytes of the client.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.inbox.extend(bytes);
        while self.step() {}
    }

    fn step(&mut self) -> bool {
        let inbox = &self.inbox;
        let word = |at: usize| u32::from_be_bytes(inbox[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_be_bytes(inbox[at..at + 8].try_into().unwrap());
        let used = match self.phase {
            Phase::Flags if inbox.len() >= 4 => {
                assert_eq!(word(0) & !3, 0, "flags that no server has offered");
                self.phase = Phase::Option;
                4
            }
            Phase::Option if inbox.len() >= 16 && inbox.len() >= 16 + word(12) as usize => {
                assert_eq!(&inbox[..8], b"IHAVEOPT");
                let data = inbox[16..16 + word(12) as usize].to_vec();
                let option = word(8);
                self.answer(option, &data);
                16 + data.len()
            }
            Phase::Ready if inbox.len() >= 28 => {
                assert_eq!(word(0), 0x2560_9513);
                let (flags, kind) = (word(4) >> 16, word(4) & 0xffff);
                let (cookie, offset, length) = (long(8), long(16) as usize, word(24) as usize);
                let longest = self.manner.blocks.map_or(32 << 20, |blocks| blocks[2] as usize);
                assert!(kind > 1 || length <= longest, "{length} bytes at once");
                let data = if kind == 1 { length } else { 0 };
                if inbox.len() < 28 + data {
                    return false;
                }
                assert!(self.cookies.insert(cookie), "a cookie that was used");
                self.count += 1;
                let mut reply = [&0x6744_6698_u32.to_be_bytes()[..], &self.manner.error.to_be_bytes()].concat();
                reply.extend(cookie.to_be_bytes());
                if self.manner.error == 0 {
                    match (kind, flags) {
                        (0, 0) => reply.extend(&self.store[offset..offset + length]),
                        (1, 0) => self.store[offset..offset + length].copy_from_slice(&self.inbox[28..28 + length]),
                        (3 | 4, 0) => {}
                        (6, 0 | 2) => self.store[offset..offset + length].fill(0),
                        _ => panic!("command {kind} with flags {flags}"),
                    }
                }
                self.replies.push(reply);
                28 + data
            }
            _ => return false,
        };
        self.inbox.drain(..used);
        true
    }

    fn reply(&mut self, option: u32, kind: u32, data: &[u8]) {
        let head = [&0x0003_e889_0455_65a9_u64.to_be_bytes()[..], &option.to_be_bytes(), &kind.to_be_bytes()].concat();
        self.out.extend(head.iter().chain(&(data.len() as u32).to_be_bytes()).chain(data));
    }

    fn answer(&mut self, option: u32, data: &[u8]) {
        if let Some(bytes) = self.manner.option.clone() {
            self.out.extend(bytes);
            return;
        }
        let size = self.store.len() as u64;
        let export = [&size.to_be_bytes()[..], &self.manner.flags.to_be_bytes()].concat();
        match option {
            1 => {
                assert_eq!(data, self.manner.export.as_bytes());
                self.out.extend(&export);
                self.out.extend(vec![0; if self.manner.no_zeroes { 0 } else { 124 }]);
                self.phase = Phase::Ready;
            }
            7 if self.manner.go => {
                let length = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
                assert_eq!(&data[4..4 + length], self.manner.export.as_bytes());
                assert_eq!(&data[4 + length..], [0, 1, 0, 3], "the block sizes are asked for");
                self.reply(7, 3, &[&[0, 0][..], &export].concat());
                // A name, which nobody has asked for, and what nobody knows.
                self.reply(7, 3, &[0, 1, b'x']);
                self.reply(7, 3, &[&[0x7f, 0xff][..], &[1; 300]].concat());
                if let Some(blocks) = self.manner.blocks {
                    let sizes: Vec<u8> = blocks.iter().flat_map(|size| size.to_be_bytes()).collect();
                    self.reply(7, 3, &[&[0, 3][..], &sizes].concat());
                }
                self.reply(7, 1, &[]);
                self.phase = Phase::Ready;
            }
            other => self.reply(other, 1 << 31 | 1, b"no such option"),
        }
    }
}
