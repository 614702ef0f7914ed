//! The other vCPUs, which take their interrupts; one of them also does what it is told.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use guest_runtime::{counter, cpu, gic};
use spin::Mutex;

use crate::guest::interrupts::PATIENCE;

/// The SGI that has a vCPU look at what there is to do.
pub const WAKE: u32 = 15;
/// The vCPU that does what it is told.
pub const SECOND: usize = 1;

static ATTENDING: AtomicUsize = AtomicUsize::new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);
static ORDER: Mutex<Option<fn()>> = Mutex::new(None);

/// Has all vCPUs but this one, of `cpus`, take their interrupts while `work` runs. Whether all of them came and went.
pub fn with(cpus: usize, work: impl FnOnce()) -> bool {
    STOPPED.store(false, SeqCst);
    ATTENDING.store(0, SeqCst);
    let launched = (1..cpus).all(|index| cpu::launch(index, attend, 0).is_ok());
    if !launched || !counter::wait_until(PATIENCE, || ATTENDING.load(SeqCst) == cpus - 1) {
        return false;
    }
    work();
    STOPPED.store(true, SeqCst);
    gic::send_to_others(WAKE);
    (1..cpus).all(|index| cpu::join(index, PATIENCE))
}

/// Has the second vCPU do something, and waits for it.
pub fn on_second(work: fn()) -> bool {
    *ORDER.lock() = Some(work);
    gic::send(WAKE, 1 << SECOND);
    counter::wait_until(PATIENCE, || ORDER.lock().is_none())
}

fn attend() {
    gic::init_cpu();
    (0..16).for_each(gic::enable);
    ATTENDING.fetch_add(1, SeqCst);
    while !STOPPED.load(SeqCst) {
        cpu::wait_for_interrupt();
        cpu::with_interrupts(|| {});
        if cpu::index() == SECOND {
            let order = *ORDER.lock();
            if let Some(work) = order {
                work();
                *ORDER.lock() = None;
            }
        }
    }
}
