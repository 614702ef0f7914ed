//! From the first instruction to the guest's main function.

use core::arch::global_asm;

use dtoolkit::fdt::Fdt;
use portcullis_abi::map;

use crate::{console, cpu, exception, gic, power, tree};

/// Descriptor of a block or page: valid, access flag, inner shareable, attribute index.
const fn leaf(attribute: u64) -> u64 {
    0b01 | 1 << 10 | 0b11 << 8 | attribute << 2
}

const DEVICE: u64 = 0;
const NORMAL: u64 = 1;
/// TCR_EL1: 39-bit TTBR0 with 4 KiB granule, write-back inner-shareable walks, no TTBR1, 36-bit physical addresses.
const TCR: u64 = 25 | 1 << 8 | 1 << 10 | 0b11 << 12 | 1 << 23 | 1 << 32;
/// SCTLR_EL1: its RES1 bits, MMU, data and instruction cache, stack alignment check.
const SCTLR: u64 = 0x30d0_0800 | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 12;

global_asm!(
    include_str!("../../assembly/head.s"),
    include_str!("../../assembly/settle.s"),
    include_str!("entry.s"),
    normal_block = const leaf(NORMAL),
    normal_page_low = const leaf(NORMAL) | 0b10,
    device_block_low = const leaf(DEVICE),
    execute_never_high = const 0x60, // UXN and PXN, bits 54 and 53
    uart = const map::UART,
    pv_time = const map::PV_TIME,
    tcr_low = const TCR & 0xffff,
    tcr_middle = const TCR >> 16 & 0xffff,
    tcr_high = const TCR >> 32,
    sctlr_low = const SCTLR & 0xffff,
    sctlr_high = const SCTLR >> 16,
);

unsafe extern "Rust" {
    /// The guest's main function, defined by [`crate::main!`].
    safe fn guest_main(arguments: &'static str) -> !;
}

/// The boot CPU arrives here with a stack, the MMU on and the image relocated.
// SAFETY: the name is used by entry.s only, which calls it with this signature.
#[unsafe(no_mangle)]
extern "C" fn guest_primary(address: usize, general: u64, system: u64) -> ! {
    exception::settle();
    cpu::note_residue(cpu::Residue { general, system });
    // SAFETY: the arm64 boot protocol promises a device tree at x0, and nobody writes to it; the blob's own size field
    // (checked by the parser next) says how long it is.
    let blob = unsafe {
        let size = u32::from_be(((address + 4) as *const u32).read());
        core::slice::from_raw_parts(address as *const u8, size as usize)
    };
    if Fdt::new(blob).is_err() {
        console::line(format_args!("case boot.tree: FAIL expected a device tree in x0 got something else"));
        power::off();
    }
    tree::set(blob);
    if let Some(method) = tree::string("/psci", "method") {
        power::set_conduit(if method == "smc" { power::Conduit::Smc } else { power::Conduit::Hvc });
    }
    gic::choose(tree::string("/intc", "compatible").unwrap_or(""));
    guest_main(tree::string("/chosen", "bootargs").unwrap_or(""))
}

/// A CPU that PSCI started arrives here with a stack and the MMU on.
// SAFETY: the name is used by entry.s only, which calls it with this signature.
#[unsafe(no_mangle)]
extern "C" fn guest_secondary(context: u64, level: u64, masks: u64, control: u64, general: u64, system: u64) -> ! {
    exception::settle();
    cpu::note_residue(cpu::Residue { general, system });
    cpu::arrive(cpu::Arrival { context, level, masks, control })
}
