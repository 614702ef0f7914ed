//! Where the image and its parts lie, by the linker script.

use portcullis_board::Range;

unsafe extern "C" {
    static _start: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static __boot_guard: u8;
    static __boot_stack: u8;
    static __boot_stack_end: u8;
    static __fault_stack_end: u8;
    static __image_end: u8;
}

macro_rules! address {
    ($symbol:ident) => {
        // The symbol is only named: its address is asked for, nothing is read.
        (&raw const $symbol) as u64
    };
}

/// The whole image, BSS and boot stack included.
pub fn whole() -> Range {
    Range { start: address!(_start), end: address!(__image_end) }
}

/// Instructions.
pub fn text() -> Range {
    Range { start: address!(_start), end: address!(__text_end) }
}

/// Constants.
pub fn read_only() -> Range {
    Range { start: address!(__text_end), end: address!(__rodata_end) }
}

/// Data and BSS, up to the boot stack's guard page.
pub fn data() -> Range {
    Range { start: address!(__rodata_end), end: address!(__boot_guard) }
}

/// The boot core's stacks: the one that it runs on, then the one for the handler of a fault in EL2.
pub fn stacks() -> Range {
    Range { start: address!(__boot_stack), end: address!(__fault_stack_end) }
}

/// Highest address of the boot core's stack.
pub fn boot_stack_end() -> u64 {
    address!(__boot_stack_end)
}
