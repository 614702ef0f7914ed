//! The hypervisor image: from the first instruction to the first guest.
#![no_std]
#![no_main]
#![cfg(target_os = "none")]

extern crate alloc;

mod early;
mod early_console;
mod efi;
mod heap;
mod image;
mod level;
mod memory;
mod panic;
mod room;
mod secondary;
mod stop;
mod system;

use portcullis_arch::vectors;
use portcullis_core::logger::Logger;
use portcullis_core::machine::Machine;
use portcullis_core::run::worker::Worker;
use portcullis_core::serial::SERIAL;
use portcullis_efi::Handover;

core::arch::global_asm!(
    include_str!("entry.S"),
    include_str!("level.S"),
    MAIR = const portcullis_arch::paging::MAIR,
    TABLES = const early::TABLES,
);

/// The first core, on its boot stack, with the early map, caches on. `handover` is there if EFI firmware has started the image.
#[unsafe(no_mangle)]
extern "C" fn portcullis_primary(tree: usize, handover: Option<&'static Handover>) -> ! {
    panic::arm(image::stacks().end);
    vectors::install();
    start_log();
    early_console::connect(tree);
    match system::bring_up(tree, handover) {
        Ok(worker) => worker.work(),
        Err(stop) => {
            log::error!("{stop}: nothing was started");
            SERIAL.drain();
            system::end()
        }
    }
}

/// Has the `log` crate's lines come to the serial line.
fn start_log() {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
}

/// A core that has no vCPU to run any more, on its empty stack.
#[unsafe(no_mangle)]
extern "C" fn portcullis_idle() -> ! {
    match Worker::current() {
        Some(worker) => worker.work(),
        None => Machine::get().power_off(),
    }
}
