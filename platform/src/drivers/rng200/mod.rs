//! Entropy from a Broadcom RNG200, the random number generator of the BCM2711 (Linux, `rng/brcm,iproc-rng200.yaml` and
//! `drivers/char/hw_random/iproc-rng200.c`; no public data sheet has it).
//!
//! Nobody waits for it: it makes a word in some 32 microseconds and keeps 16 of them. Who asks for more than there is
//! gets nothing and asks again, and what there is stays.

mod block;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use core::ptr::NonNull;

use portcullis_abi::function::TRNG_UUID_RNG200_WORDS;
use portcullis_arch::timer;
use portcullis_board::Entropy;
use spin::{Mutex, Once};

pub use self::block::{Block, Mmio};
use crate::driver::{DrivenDevice, Driver, Offer};

/// This driver.
pub static DRIVER: Driver =
    Driver { name: "an RNG200", compatible: &[b"brcm,bcm2711-rng200"], offer: Offer::Entropy(bind) };

/// CTRL: any of these bits lets it run.
const ENABLE: u32 = 0x1fff;
/// CTRL: the rate that Raspberry Pi's kernel chooses, "1 MHz".
const RATE: u32 = 3 << 13;
/// First bits after a reset, which the generator itself drops.
const WARM_UP: u32 = 0x4_0000;
/// What must have been made before anything is read from one that the firmware left running.
const STARTED: u32 = 16;
/// INT_STATUS: failures of its own tests, NIST's statistical one and the lockout of the whole block.
const FAILED: u32 = 1 << 31 | 1 << 5;
/// FIFO_COUNT: words at hand.
const AVAILABLE: u32 = 0xff;
/// FIFO_COUNT: the count at which it would interrupt.
const THRESHOLD: u32 = 2 << 8;
/// Resets after which it is given up, if not one draw succeeded between them.
const RESETS: u32 = 3;
/// The same word this many times in a row is a failure (NIST SP 800-90B, section 4.4.1): once in 2^64 by chance.
const REPETITIONS: u32 = 3;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was started when the counter stood at `since`, and gives nothing before it has made `bits` of them.
    Warming { since: u64, bits: u32 },
    /// It works. `short` is when it had too few words for the first time since it last had enough.
    Working { short: Option<u64> },
    /// It was given up.
    Broken,
}

/// The generator, apart from where its registers are.
pub struct Generator<B> {
    block: B,
    state: State,
    /// Since the last draw that succeeded.
    resets: u32,
    last: Option<u32>,
    repetitions: u32,
    /// Ticks of the counter in a second: longer than that it may not be without words.
    patience: u64,
}

impl<B: Block> Generator<B> {
    /// Starts the generator, unless the firmware has. `now` is the counter, `frequency` that in Hz.
    pub fn new(mut block: B, now: u64, frequency: u64) -> Self {
        let bits = if block.control() & ENABLE == 0 {
            start(&mut block);
            WARM_UP
        } else {
            STARTED
        };
        let state = State::Warming { since: now, bits };
        Self { block, state, resets: 0, last: None, repetitions: 1, patience: frequency }
    }

    /// Fills `words`, or returns false, with `words` zero. Never waits: 14 accesses to the device for three words.
    pub fn draw(&mut self, words: &mut [u64], now: u64) -> bool {
        let drawn = self.is_ready(words.len(), now) && self.read(words, now);
        if !drawn {
            words.fill(0);
        }
        drawn
    }

    /// Whether there are enough words for so many of 64 bits, and all is well.
    fn is_ready(&mut self, words: usize, now: u64) -> bool {
        if self.state == State::Broken {
            return false;
        }
        let status = self.block.status();
        if status & FAILED != 0 {
            self.fail("its own test failed", now);
            return false;
        }
        if let State::Warming { since, bits } = self.state {
            if self.block.total_bits() <= bits {
                if now.saturating_sub(since) > self.patience {
                    self.fail("it does not start", now);
                }
                return false;
            }
            self.state = State::Working { short: None };
        }
        if (self.block.count() & AVAILABLE) as usize >= words.saturating_mul(2) {
            return true;
        }
        match self.state {
            State::Working { short: Some(since) } if now.saturating_sub(since) > self.patience => {
                self.fail("it makes no more words", now);
            }
            State::Working { short: None } => self.state = State::Working { short: Some(now) },
            _ => {}
        }
        false
    }

    fn read(&mut self, words: &mut [u64], now: u64) -> bool {
        for word in words {
            let mut halves = [0; 2];
            for half in &mut halves {
                *half = self.block.pop();
                self.repetitions = if self.last == Some(*half) { self.repetitions.saturating_add(1) } else { 1 };
                self.last = Some(*half);
                if self.repetitions >= REPETITIONS {
                    self.fail("it repeats itself", now);
                    return false;
                }
            }
            let [low, high] = halves;
            *word = u64::from(high) << 32 | u64::from(low);
        }
        // What was read while its test failed is worth nothing.
        if self.block.status() & FAILED != 0 {
            self.fail("its own test failed", now);
            return false;
        }
        (self.state, self.resets) = (State::Working { short: None }, 0);
        true
    }

    /// Resets it, or gives it up.
    #[cold]
    fn fail(&mut self, what: &str, now: u64) {
        (self.last, self.repetitions) = (None, 1);
        if self.resets >= RESETS {
            let control = self.block.control();
            self.block.set_control(control & !ENABLE);
            self.state = State::Broken;
            log::error!("RNG200: {what}, after {RESETS} resets: guests go without");
            return;
        }
        self.resets = self.resets.saturating_add(1);
        log::warn!("RNG200: {what}: reset");
        // The order is that of Linux.
        let control = self.block.control();
        self.block.set_control(control & !ENABLE);
        self.block.clear_status(u32::MAX);
        self.block.reset_generator(true);
        self.block.reset(true);
        self.block.reset(false);
        self.block.reset_generator(false);
        start(&mut self.block);
        self.state = State::Warming { since: now, bits: WARM_UP };
    }
}

fn start(block: &mut impl Block) {
    block.set_warm_up(WARM_UP);
    block.set_count(THRESHOLD);
    block.set_control(RATE | ENABLE);
}

/// An RNG200.
pub struct Rng200(Mutex<Generator<Mmio>>);

static RNG200: Once<Rng200> = Once::new();

/// Takes over the board's.
///
/// # Safety
///
/// As [`Bind`](crate::driver::Bind) says.
unsafe fn bind(device: &DrivenDevice) -> Option<&'static dyn Entropy> {
    let registers = NonNull::new(device.registers.start as *mut _)?;
    Some(RNG200.call_once(|| {
        // SAFETY: passed on to the caller; the static makes sure that there is one driver.
        let block = unsafe { Mmio::new(registers) };
        Rng200(Mutex::new(Generator::new(block, timer::count(), timer::frequency())))
    }))
}

impl Entropy for Rng200 {
    fn draw(&self, words: &mut [u64]) -> bool {
        self.0.lock().draw(words, timer::count())
    }

    fn uuid(&self) -> [u32; 4] {
        TRNG_UUID_RNG200_WORDS
    }

    fn name(&self) -> &'static str {
        "RNG200"
    }
}
