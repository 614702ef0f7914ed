//! Text of a VM that is not attached, on its way to the screen. Glyphs that stand side by side go there together: what is done
//! once for many of them costs a guest that prints a lot less of its core's time.

use super::escape::{Event, Glyph};
use super::screen::Screen;
use super::tail::Tail;

/// Bytes of glyphs that go together.
const CAPACITY: usize = 64;
/// Bytes of the longest glyph.
const LONGEST: usize = 4;

/// What is written, and what is still held back of it.
pub struct Cooked<'a> {
    screen: &'a mut Screen,
    tail: &'a mut Tail,
    vm: u8,
    name: &'a str,
    cancel: bool,
    bytes: [u8; CAPACITY],
    len: usize,
}

impl<'a> Cooked<'a> {
    /// Of VM `vm`, whose name is `name`. `cancel`: the attached VM has begun a sequence that would swallow what comes next.
    pub fn new(screen: &'a mut Screen, tail: &'a mut Tail, vm: u8, name: &'a str, cancel: bool) -> Self {
        Self { screen, tail, vm, name, cancel, bytes: [0; CAPACITY], len: 0 }
    }

    /// Takes what the guest did. What it wrote is on the screen after [`finish`](Self::finish).
    #[inline(always)]
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Text(glyph) => self.push(&glyph),
            Event::Newline | Event::Return | Event::Backspace => self.control(event),
        }
    }

    #[inline(always)]
    fn push(&mut self, glyph: &Glyph) {
        if self.len > CAPACITY - LONGEST {
            self.finish();
        }
        for &byte in glyph.bytes() {
            if let Some(cell) = self.bytes.get_mut(self.len) {
                *cell = byte;
                self.len = self.len.wrapping_add(1);
            }
        }
    }

    #[inline(never)]
    fn control(&mut self, event: Event) {
        self.finish();
        self.tail.apply(event);
        if event == Event::Newline {
            self.screen.end(self.vm, self.name, self.cancel);
        }
    }

    /// Puts on the screen what is held back.
    #[inline(never)]
    pub fn finish(&mut self) {
        let text = self.bytes.get(..core::mem::take(&mut self.len)).unwrap_or_default();
        if !text.is_empty() {
            self.tail.append(text);
            self.screen.text(self.vm, self.name, text, self.cancel);
        }
    }
}
