//! The console as a person sees it.

mod flow;
mod keys;
mod model;
mod property;
mod screen;

use portcullis_devices::uart::{Pl011, registers};

use super::line::STANDING_TICKS;
use super::*;

/// A machine of VMs with a UART each, a console, and a board's UART that takes everything unless told otherwise.
struct Bench {
    console: Console,
    attachment: Attachment,
    vms: Vec<(Pl011, LineBuffer)>,
    out: Vec<u8>,
    /// The board's UART takes characters only by [`Bench::pump`].
    slow: bool,
}

impl Bench {
    fn new(names: &[&str]) -> Self {
        let mut console = Console::new();
        for (vm, name) in names.iter().enumerate() {
            assert_eq!(console.add_vm(name), Some(vm));
        }
        let vms = names.iter().map(|_| (Pl011::new(), LineBuffer::new())).collect();
        Self { console, attachment: Attachment::new(), vms, out: Vec::new(), slow: false }
    }

    /// What the caller does after a guest's write.
    fn flush(&mut self, vm: usize) {
        let (uart, line) = &mut self.vms[vm];
        while line.fill(|| uart.transmitted(), self.attachment.is(vm)) && self.console.submit(vm, line) {}
    }

    /// Lets the board's UART take up to `count` characters, then resumes VMs that had stalled.
    fn pump(&mut self, count: usize) {
        for _ in 0..count {
            let Some(byte) = self.console.pop() else { break };
            self.out.push(byte);
        }
        let ready = self.console.take_ready();
        for vm in (0..32).filter(|vm| ready >> vm & 1 != 0) {
            self.flush(vm);
        }
    }

    fn settle(&mut self) {
        while !self.slow {
            let before = self.out.len();
            self.pump(usize::MAX);
            if self.out.len() == before {
                break;
            }
        }
    }

    /// The guest sends what fits; the number of bytes sent.
    fn send(&mut self, vm: usize, bytes: &[u8]) -> usize {
        for (sent, &byte) in bytes.iter().enumerate() {
            if self.vms[vm].0.read(registers::FR) & registers::FR::TXFF::SET.value != 0 {
                return sent;
            }
            self.vms[vm].0.write(registers::DR, u32::from(byte));
            self.flush(vm);
            self.settle();
        }
        bytes.len()
    }

    fn say(&mut self, vm: usize, text: &str) {
        assert_eq!(self.send(vm, text.as_bytes()), text.len());
    }

    fn log(&mut self, text: &str) {
        assert!(self.console.log(format_args!("{text}")));
        self.settle();
    }

    fn key(&mut self, byte: u8) -> InputAction {
        let action = self.console.input(byte, false, &self.attachment, &|vm| if vm == 0 { "running" } else { "off" });
        self.settle();
        action
    }

    fn escape(&mut self, byte: u8) -> InputAction {
        assert_eq!(self.key(0x1d), InputAction::None);
        self.key(byte)
    }

    /// Lets enough time pass for unfinished lines to be shown.
    fn wait(&mut self) {
        for _ in 0..=STANDING_TICKS {
            for vm in 0..self.vms.len() {
                if self.vms[vm].1.tick() {
                    self.console.submit_partial(vm, &mut self.vms[vm].1);
                }
            }
        }
        self.settle();
    }

    /// What has been printed since the last call, row by row.
    fn rows(&mut self) -> String {
        String::from_utf8(core::mem::take(&mut self.out)).unwrap()
    }

    /// What has been printed since the last call, each line in one piece.
    fn seen(&mut self) -> String {
        let rows = self.rows();
        let mut pieces = rows.split("\r\n");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for row in pieces {
            let rest = row.split_once("> ").filter(|(owner, _)| {
                *owner == "portcullis" || owner.starts_with('[') && owner.ends_with(']') && !owner.contains(' ')
            });
            match rest {
                Some((_, rest)) => text += rest,
                None => text = text + "\r\n" + row,
            }
        }
        text
    }
}
