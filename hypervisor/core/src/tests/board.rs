//! A board whose devices note what is asked of them, and do what a test tells them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_board::{Board, Entropy, Firmware, InterruptController, PowerControl, SerialPort, SocId, WallClock};

/// INTID of the maintenance interrupt.
pub const MAINTENANCE: u32 = 25;
/// INTID of the serial line.
pub const SERIAL: u32 = 33;

/// What was asked of the interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Private { core: usize, intid: u32, enabled: bool },
    Trigger { intid: u32, edge: bool },
    Shared { intid: u32, enabled: bool },
    Route { intid: u32, affinity: u64 },
    Quiet(u32),
}

/// The distributor.
#[derive(Default)]
pub struct Controller(Mutex<Vec<Asked>>);

impl Controller {
    fn note(&self, asked: Asked) {
        self.0.lock().unwrap().push(asked);
    }

    /// What was asked since the last call.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl InterruptController for Controller {
    fn init_core(&self, _: usize) -> bool {
        true
    }
    fn enable_private(&self, core: usize, intid: u32, enabled: bool) {
        self.note(Asked::Private { core, intid, enabled });
    }
    fn enable_shared(&self, _: u32, _: u64) {}
    fn set_trigger(&self, intid: u32, edge: bool) {
        self.note(Asked::Trigger { intid, edge });
    }
    fn set_shared(&self, intid: u32, enabled: bool) {
        self.note(Asked::Shared { intid, enabled });
    }
    fn route_shared(&self, intid: u32, affinity: u64) {
        self.note(Asked::Route { intid, affinity });
    }
    fn quiet_shared(&self, intid: u32) {
        self.note(Asked::Quiet(intid));
    }
    fn maintenance_interrupt(&self) -> u32 {
        MAINTENANCE
    }
}

/// The serial line.
#[derive(Default)]
pub struct Line(Mutex<LineState>);

#[derive(Default)]
struct LineState {
    typed: VecDeque<u8>,
    shown: Vec<u8>,
    /// Bytes that it takes until the test makes room.
    room: usize,
    /// How often it is asked yet until the last byte has left it.
    leaving: usize,
    receives: bool,
    transmits: bool,
}

impl Line {
    /// Somebody types.
    pub fn types(&self, text: &[u8]) {
        self.0.lock().unwrap().typed.extend(text);
    }

    /// Bytes that nobody has read.
    pub fn unread(&self) -> usize {
        self.0.lock().unwrap().typed.len()
    }

    /// It can take so many bytes more.
    pub fn make_room(&self, bytes: usize) {
        self.0.lock().unwrap().room = bytes;
    }

    /// It is idle when it has been asked so often.
    pub fn is_busy_for(&self, looks: usize) {
        self.0.lock().unwrap().leaving = looks;
    }

    /// Whether the last byte has left it, as far as anybody has asked.
    pub fn has_been_idle(&self) -> bool {
        self.0.lock().unwrap().leaving == 0
    }

    /// What was shown since the last call.
    pub fn take_shown(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.0.lock().unwrap().shown)).into_owned()
    }

    /// Whether what is typed interrupts, and whether room does.
    pub fn interrupts(&self) -> (bool, bool) {
        let state = self.0.lock().unwrap();
        (state.receives, state.transmits)
    }
}

impl SerialPort for Line {
    fn has_room(&self) -> bool {
        self.0.lock().unwrap().room != 0
    }
    fn put(&self, byte: u8) {
        let mut state = self.0.lock().unwrap();
        state.room = state.room.saturating_sub(1);
        state.shown.push(byte);
    }
    fn send(&self, next: &mut dyn FnMut() -> Option<u8>) {
        while self.has_room()
            && let Some(byte) = next()
        {
            self.put(byte);
        }
    }
    fn is_idle(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        state.leaving = state.leaving.saturating_sub(1);
        state.leaving == 0
    }
    fn get(&self) -> Option<u8> {
        self.0.lock().unwrap().typed.pop_front()
    }
    fn set_receive_interrupt(&self, enabled: bool) {
        self.0.lock().unwrap().receives = enabled;
    }
    fn set_transmit_interrupt(&self, enabled: bool) {
        self.0.lock().unwrap().transmits = enabled;
    }
    fn interrupt(&self) -> Option<u32> {
        Some(SERIAL)
    }
}

/// The power of the board: its end is a panic.
pub struct Power;

/// What a machine says that goes off.
pub const OFF: &str = "the machine was switched off";
/// What a machine says that is reset.
pub const RESET: &str = "the machine was reset";

impl PowerControl for Power {
    fn start_core(&self, _: u64, _: u64, _: u64) -> Result<(), i64> {
        Ok(())
    }

    fn power_off(&self) -> ! {
        panic!("{OFF}")
    }

    fn reset(&self) -> ! {
        panic!("{RESET}")
    }
}

/// A source of numbers that count up, as long as there are some.
pub struct Source(AtomicU64);

impl Source {
    /// It has `left` words.
    pub const fn with(left: u64) -> Self {
        Self(AtomicU64::new(left))
    }

    /// It has `left` words from now on.
    pub fn fill(&self, left: u64) {
        self.0.store(left, Ordering::Relaxed);
    }
}

impl Entropy for Source {
    fn draw(&self, words: &mut [u64]) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        let Some(rest) = left.checked_sub(words.len() as u64) else { return false };
        self.0.store(rest, Ordering::Relaxed);
        words.iter_mut().enumerate().for_each(|(n, word)| *word = 0xe0_0000 + rest + n as u64);
        true
    }
    fn uuid(&self) -> [u32; 4] {
        [1, 2, 3, 4]
    }
    fn name(&self) -> &'static str {
        "numbers"
    }
}

/// A clock by which the counter stood at zero at a time of day, in nanoseconds; its ticks are microseconds. It wants to look at its
/// hardware again after a second.
pub struct Clock(pub u64);

impl WallClock for Clock {
    fn at(&self, count: u64) -> Option<u64> {
        Some(self.0 + count * 1000)
    }
    fn tick(&self, count: u64) -> Option<u64> {
        Some(count + 1_000_000)
    }
    fn name(&self) -> &'static str {
        "a clock"
    }
}

/// Firmware that adds one to what it gets in x1 and returns that in x0.
pub struct El3;

impl Firmware for El3 {
    fn call(&self, x: &mut [u64; 18]) {
        x[0] = x[1] + 1;
    }
    fn is_wide(&self) -> bool {
        true
    }
}

/// The board, with what of it a test looks at.
pub struct Parts {
    pub board: Board,
    pub controller: &'static Controller,
    pub line: &'static Line,
    pub source: &'static Source,
}

impl Parts {
    /// A board with everything but a serial line that is connected.
    pub fn new() -> Self {
        let controller: &'static Controller = Box::leak(Box::default());
        let line: &'static Line = Box::leak(Box::default());
        let source: &'static Source = Box::leak(Box::new(Source::with(1_000_000)));
        line.make_room(usize::MAX);
        let board = Board {
            name: "test",
            serial: Some(line),
            interrupts: controller,
            power: &Power,
            firmware: Some(&El3),
            entropy: Some(source),
            wall_clock: Some(&Clock(1_795_970_000_000_000_000)),
            soc: Some(SocId { version: 0x043b_0102, revision: 3 }),
        };
        Self { board, controller, line, source }
    }
}
