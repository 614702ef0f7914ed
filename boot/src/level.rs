//! What is said where the hypervisor cannot run: at EL1 and at EL3. `level.S` leads here, with the early map and caches on.

use portcullis_arch::cpu;
use portcullis_core::serial::SERIAL;

use crate::stop::Stop;
use crate::{early_console, start_log, system};

/// The first core, at EL1 or EL3: says so, if a console is found, and halts.
#[unsafe(no_mangle)]
extern "C" fn portcullis_elsewhere(tree: usize, level: u64) -> ! {
    start_log();
    early_console::connect(tree);
    // Whatever is wrong with the tree, it is not what matters.
    _ = system::read_tree(tree, None);
    log::error!("{}: nothing was started", Stop::Level(level));
    SERIAL.drain();
    cpu::halt()
}
