//! The other vCPU as one that listens: it takes interrupts and answers one of them.

use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

use guest_runtime::{counter, cpu, gic};

use crate::guest::interrupts::{self, PATIENCE};

/// The other vCPU answers this SGI with [`ANSWER`].
pub const QUESTION: u32 = 4;
/// The SGI that answers [`QUESTION`].
pub const ANSWER: u32 = 8;
/// Wakes the other vCPU so that it sees that it may stop.
const STOP: u32 = 0;

static STOPPED: AtomicBool = AtomicBool::new(false);
static LISTENING: AtomicBool = AtomicBool::new(false);

/// The other vCPU: takes interrupts until it is told to stop.
fn listen() {
    gic::init_cpu();
    for sgi in 0..16 {
        gic::enable(sgi);
    }
    let mut answered = 0;
    LISTENING.store(true, SeqCst);
    while !STOPPED.load(SeqCst) {
        cpu::wait_for_interrupt();
        cpu::with_interrupts(|| {});
        while answered < interrupts::count(1, QUESTION) {
            answered += 1;
            gic::send(ANSWER, 1);
        }
    }
}

/// Starts the other vCPU's listener, runs `work`, and stops it. Says whether both worked.
pub fn with_listener(work: impl FnOnce()) -> bool {
    STOPPED.store(false, SeqCst);
    LISTENING.store(false, SeqCst);
    if cpu::launch(1, listen, 0).is_err() || !counter::wait_until(PATIENCE, || LISTENING.load(SeqCst)) {
        return false;
    }
    work();
    STOPPED.store(true, SeqCst);
    gic::send(STOP, 1 << 1);
    cpu::join(1, PATIENCE)
}
