//! A register block that does what the real one does, failures included.

use std::collections::VecDeque;

use super::Block;

/// A generator in software.
#[derive(Default)]
pub struct Fake {
    pub control: u32,
    pub total_bits: u32,
    pub warm_up: u32,
    pub status: u32,
    pub fifo: VecDeque<u32>,
    /// The block and its generator are held in reset.
    pub held: [bool; 2],
    /// Every access that changes something, in order.
    pub log: Vec<&'static str>,
    /// Status bits that come back as soon as they are cleared.
    pub stuck: u32,
    /// Status bits that appear when so many more words have been taken out.
    pub fails_after: Option<(usize, u32)>,
}

impl Fake {
    /// Time passes: `words` are made if it runs, and those of the warm-up are dropped.
    pub fn make(&mut self, words: impl IntoIterator<Item = u32>) {
        for word in words {
            if self.control & 0x1fff == 0 || self.held != [false; 2] {
                return;
            }
            self.total_bits = self.total_bits.saturating_add(32);
            if self.total_bits > self.warm_up && self.fifo.len() < 16 {
                self.fifo.push_back(word);
            }
        }
    }
}

impl Block for Fake {
    fn control(&mut self) -> u32 {
        self.control
    }

    fn set_control(&mut self, value: u32) {
        self.log.push(if value & 0x1fff == 0 { "off" } else { "on" });
        self.control = value;
    }

    fn reset(&mut self, held: bool) {
        self.log.push(if held { "reset" } else { "go" });
        self.held[0] = held;
        self.fifo.clear();
    }

    fn reset_generator(&mut self, held: bool) {
        self.log.push(if held { "reset generator" } else { "generator goes" });
        self.held[1] = held;
        self.total_bits = 0;
    }

    fn total_bits(&mut self) -> u32 {
        self.total_bits
    }

    fn set_warm_up(&mut self, bits: u32) {
        self.warm_up = bits;
    }

    fn status(&mut self) -> u32 {
        self.status | self.stuck
    }

    fn clear_status(&mut self, bits: u32) {
        self.log.push("clear");
        self.status &= !bits;
    }

    fn pop(&mut self) -> u32 {
        if let Some((left, bits)) = self.fails_after.take() {
            match left {
                0 => self.status |= bits,
                left => self.fails_after = Some((left - 1, bits)),
            }
        }
        self.fifo.pop_front().expect("nobody reads an empty FIFO")
    }

    fn count(&mut self) -> u32 {
        2 << 8 | self.fifo.len() as u32
    }

    fn set_count(&mut self, _: u32) {}
}
