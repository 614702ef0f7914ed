// What a call costs that saves every register, finds out what it was, and restores them.

.macro at_vector
    b       trap
.endm

.pushsection .text
trap:
    sub     sp, sp, #272
    stp     x0, x1, [sp]
    save_x2_to_x29
    mrs     x1, elr_el2
    stp     x30, x1, [sp, #240]
    mrs     x2, spsr_el2
    mrs     x3, esr_el2
    stp     x2, x3, [sp, #256]
    mov     x0, sp
    bl      handle
    ldp     x30, x1, [sp, #240]
    msr     elr_el2, x1
    ldr     x2, [sp, #256]
    msr     spsr_el2, x2
    ldp     x0, x1, [sp]
    restore_x2_to_x29
    add     sp, sp, #272
    eret
handle:
    ldr     x1, [x0, #264]          // ESR
    lsr     x1, x1, #26
    cmp     x1, #0x16
    b.eq    1f
    cmp     x1, #0x17
    b.ne    .
    ldr     x2, [x0, #248]          // SMC: step over it
    add     x2, x2, #4
    str     x2, [x0, #248]
1:      movn    x2, #0
    str     x2, [x0]
    ret
.popsection
