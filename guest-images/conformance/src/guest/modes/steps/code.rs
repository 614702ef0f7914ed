//! The instructions that are stepped over. Each is followed by one that sets x7 to 1, and one that ends the trip.

use core::arch::{asm, global_asm};

use crate::guest::tables;

/// An instruction.
#[derive(Clone, Copy)]
#[repr(usize)]
pub enum Code {
    Nop,
    Hvc,
    HvcOne,
    Smc,
    SmcOne,
    /// `ldr w1, [x0]`.
    Load,
    /// `ldr w20, [x0]`: a register that functions keep.
    LoadX20,
    /// `str wzr, [x0]`.
    Store,
    /// `dc civac, x0`.
    Clean,
    /// `mrs x1, id_aa64isar0_el1`.
    IdRegister,
    /// `msr icc_sgi1r_el1, x0`.
    Sgi,
    /// `mrs x1, icc_sre_el1`.
    InterfaceEnable,
    Wfi,
    NopT32,
    WfiT32,
    WideWfiT32,
    LoadT32,
    WideLoadT32,
    StoreT32,
}

global_asm!(
    ".section .text.steps, \"ax\"",
    ".macro step_64 instruction:vararg",
    ".balign 16",
    "\\instruction",
    "mov x7, #1",
    "brk #0",
    ".endm",
    // Half-words of T32; then movs r7, #1 and svc #0.
    ".macro step_32 halves:vararg",
    ".balign 16",
    ".hword \\halves",
    ".hword 0x2701, 0xdf00",
    ".endm",
    ".balign 16",
    "steps:",
    "step_64 nop",
    "step_64 hvc #0",
    "step_64 hvc #1",
    "step_64 smc #0",
    "step_64 smc #1",
    "step_64 ldr w1, [x0]",
    "step_64 ldr w20, [x0]",
    "step_64 str wzr, [x0]",
    "step_64 dc civac, x0",
    "step_64 mrs x1, id_aa64isar0_el1",
    "step_64 msr s3_0_c12_c11_5, x0",
    "step_64 mrs x1, s3_0_c12_c12_5",
    "step_64 wfi",
    "step_32 0xbf00",         // nop
    "step_32 0xbf30",         // wfi
    "step_32 0xf3af, 0x8003", // wfi.w
    "step_32 0x6801",         // ldr r1, [r0]
    "step_32 0xf8d0, 0x1000", // ldr.w r1, [r0]
    "step_32 0x6006",         // str r6, [r0]
);

/// Bytes between two of them.
const STRIDE: u64 = 16;
/// Bytes of a page.
const PAGE: usize = 4096;

/// Two pages: the first one ends with an instruction, the second one begins with what follows it.
#[repr(C, align(4096))]
struct Pages([u32; 2 * PAGE / 4]);

static mut PAGES: Pages = Pages([0; 2 * PAGE / 4]);

impl Code {
    /// Where it is.
    pub fn address(self) -> u64 {
        unsafe extern "C" {
            safe fn steps();
        }
        steps as *const () as u64 + self as u64 * STRIDE
    }
}

/// Puts an A64 instruction at the end of a page into which any branch may lead, before a page where one has to come to a BTI.
/// Returns where it is.
pub fn before_guarded_page(code: Code) -> u64 {
    let pages = &raw mut PAGES;
    let from = code.address() as *const u32;
    let last = PAGE / 4 - 1;
    for n in 0..3 {
        // SAFETY: three instructions, which nobody writes; nobody executes the pages meanwhile.
        unsafe { pages.cast::<u32>().add(last + n).write_volatile(from.add(n).read_volatile()) };
    }
    for n in [0, 64] {
        let line = pages as u64 + (PAGE - 64 + n) as u64;
        // SAFETY: cache maintenance of the lines just written.
        unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack)) };
    }
    // SAFETY: what is fetched from now on is what was written.
    unsafe { asm!("dsb ish", "ic iallu", "dsb ish", "isb", options(nostack)) };
    tables::show_guarded(5, pages as u64) + (last * 4) as u64
}

/// Opens the OS lock, so that the debug exceptions of this level are taken, and lets EL0 wait by WFI.
pub fn prepare() {
    /// SCTLR_EL1.nTWI.
    const WAITS: u64 = 1 << 16;
    // SAFETY: nothing sets a breakpoint, a watchpoint or a step but a trip; EL0 is where a trip goes.
    unsafe {
        asm!(
            "msr oslar_el1, xzr",
            "mrs {control}, sctlr_el1",
            "orr {control}, {control}, {waits}",
            "msr sctlr_el1, {control}",
            "isb",
            control = out(reg) _,
            waits = in(reg) WAITS,
            options(nostack),
        );
    }
}

/// ID_AA64PFR1_EL1.BT: pages can be guarded.
pub fn has_bti() -> bool {
    let features: u64;
    // SAFETY: reads what the CPU has.
    unsafe { asm!("mrs {}, id_aa64pfr1_el1", out(reg) features, options(nomem, nostack)) };
    features & 0xf != 0
}

/// ID_AA64PFR0_EL1.EL0: AArch32 as well.
pub fn has_aarch32() -> bool {
    let features: u64;
    // SAFETY: reads what the CPU has.
    unsafe { asm!("mrs {}, id_aa64pfr0_el1", out(reg) features, options(nomem, nostack)) };
    features & 0xf == 2
}
