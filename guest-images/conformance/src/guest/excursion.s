// A trip to code of another state, which ends with the first synchronous exception there.

.section .text.excursion, "ax"

.macro trip_registers instruction
    \instruction    x2, x3, [x0, #16]
    \instruction    x4, x5, [x0, #32]
    \instruction    x6, x7, [x0, #48]
.endm

// x0: the Trip. Everything that the procedure call standard wants kept is kept, the vectors too.
.global excursion
excursion:
    sub     sp, sp, #112
    stp     x19, x20, [sp]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    mrs     x9, vbar_el1
    stp     x0, x9, [sp, #96]
    adrp    x9, excursion_vectors
    add     x9, x9, :lo12:excursion_vectors
    msr     vbar_el1, x9
    ldp     x9, x10, [x0, #{pc}]
    msr     elr_el1, x9
    msr     spsr_el1, x10
    ldr     x9, [x0, #{debug}]
    mrs     x10, mdscr_el1
    orr     x10, x10, x9
    msr     mdscr_el1, x10
    isb
    trip_registers ldp
    ldp     x0, x1, [x0]
    eret

.balign 2048
excursion_vectors:
.set trip_slot, 0
.rept 16
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x1, #trip_slot
    b       returned
    .set trip_slot, trip_slot + 1
.endr
.balign 128

returned:
    ldr     x0, [sp, #16 + 96]
    trip_registers stp
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x2, x3, [x0, #{pc}]
    ldr     x9, [x0, #{debug}]
    mrs     x10, mdscr_el1
    bic     x10, x10, x9
    msr     mdscr_el1, x10
    str     x1, [x0, #{slot}]
    mrs     x2, esr_el1
    mrs     x3, far_el1
    stp     x2, x3, [x0, #{esr}]
    ldr     x9, [sp, #104]
    msr     vbar_el1, x9
    isb
    ldp     x19, x20, [sp]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    add     sp, sp, #112
    ret
