// conformance_fetch: executes at an address that EL1's own tables could not map: with the MMU off, on this CPU.
// x0: where. x0, x1: ESR_EL1 and FAR_EL1 of the exception that comes of it. Interrupts are masked throughout.
    .section .text.conformance_fetch, "ax"
    .global conformance_fetch
conformance_fetch:
    mrs     x9, vbar_el1
    mrs     x10, sctlr_el1
    mrs     x11, daif
    mov     x12, x30
    msr     daifset, #0xf
    adr     x13, 2f
    msr     vbar_el1, x13
    bic     x13, x10, #1
    msr     sctlr_el1, x13
    isb
    br      x0
1:  msr     sctlr_el1, x10
    isb
    msr     vbar_el1, x9
    isb
    msr     daif, x11
    ret     x12
    // Vectors of which the one for this level's own synchronous exceptions is used.
    .balign 0x800
2:  .skip   0x200
    mrs     x0, esr_el1
    mrs     x1, far_el1
    b       1b
