// Exceptions from EL2 itself (portcullis_fault in vectors.S), and the SErrors that it lets in on purpose.

.pushsection .text.vectors, "ax"

// u64 portcullis_take_serror(): takes an SError that is pending (ISR_EL1.A). Returns its syndrome, or zero if there was none. It
// comes when it is unmasked, or at the latest after the ISB (Arm ARM, D1.3.6), and is the only one: it masks itself.
// What it writes of a guest's registers, and x1, is put back.
.global portcullis_take_serror
portcullis_take_serror:
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    mrs     x4, tpidr_el1
    mrs     x5, sp_el0
    mov     x0, #0
    msr     daifclr, #4
serror_window:
    isb
    msr     daifset, #4
    msr     elr_el2, x2
    msr     spsr_el2, x3
    msr     tpidr_el1, x4
    msr     sp_el0, x5
    ret

// An SError while EL2 runs, x0 in TPIDR_EL1: in the window, which is left behind its two instructions with the syndrome in x0, or a
// fault as any other.
el2_serror:
    msr     sp_el0, x1
    mrs     x0, elr_el2
    adr     x1, serror_window
    sub     x0, x0, x1
    cmp     x0, #8
    b.hi    1f
    add     x1, x1, #8
    msr     elr_el2, x1
    mrs     x1, spsr_el2
    orr     x1, x1, #1 << 8             // A: the next one waits for its own window
    msr     spsr_el2, x1
    mrs     x0, esr_el2
    eret
1:  mrs     x1, sp_el0
    mov     x0, #7

// An exception from EL2 itself. Its stack may be what is broken, so the registers go to the core's anchor.
el2_fault:
    msr     sp_el0, x1
    mrs     x1, tpidr_el2
    cbz     x1, no_anchor
    stp     x2, x3, [x1, #{ANCHOR_FRAME} + 16]
    stp     x4, x5, [x1, #{ANCHOR_FRAME} + 32]
    stp     x6, x7, [x1, #{ANCHOR_FRAME} + 48]
    stp     x8, x9, [x1, #{ANCHOR_FRAME} + 64]
    stp     x10, x11, [x1, #{ANCHOR_FRAME} + 80]
    stp     x12, x13, [x1, #{ANCHOR_FRAME} + 96]
    stp     x14, x15, [x1, #{ANCHOR_FRAME} + 112]
    stp     x16, x17, [x1, #{ANCHOR_FRAME} + 128]
    stp     x18, x19, [x1, #{ANCHOR_FRAME} + 144]
    stp     x20, x21, [x1, #{ANCHOR_FRAME} + 160]
    stp     x22, x23, [x1, #{ANCHOR_FRAME} + 176]
    stp     x24, x25, [x1, #{ANCHOR_FRAME} + 192]
    stp     x26, x27, [x1, #{ANCHOR_FRAME} + 208]
    stp     x28, x29, [x1, #{ANCHOR_FRAME} + 224]
    mov     x2, sp
    stp     x30, x2, [x1, #{ANCHOR_FRAME} + 240]
    mrs     x2, tpidr_el1
    mrs     x3, sp_el0
    stp     x2, x3, [x1, #{ANCHOR_FRAME}]
    ldr     x2, [x1, #{ANCHOR_FAULT_STACK}]
    mov     sp, x2
    mov     x2, x0
    mov     x0, x1
    mov     x1, x2
    bl      portcullis_fault
    brk     #0

// Before there is an anchor there is nothing to print with either. Only a device that is looked for may be absent.
no_anchor:
    mrs     x1, elr_el2
    adrp    x0, portcullis_probe_read
    add     x0, x0, :lo12:portcullis_probe_read
    cmp     x1, x0
    b.ne    .
    adrp    x1, portcullis_probe_failed
    add     x1, x1, :lo12:portcullis_probe_failed
    msr     elr_el2, x1
    eret
.popsection
