// Exception vectors: every exception saves all registers in a frame and goes to Rust with its slot's number.

.section .text.vectors, "ax"
.balign 2048
.global vectors
vectors:
.set slot, 0
.rept 16
    .balign 128
    sub     sp, sp, #{size}
    stp     x0, x1, [sp]
    mov     x1, #slot
    b       exception_common
    .set slot, slot + 1
.endr
.balign 128

exception_common:
    save_x2_to_x29
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    mrs     x4, esr_el1
    mrs     x5, far_el1
    str     x30, [sp, #240]
    stp     x2, x3, [sp, #{elr}]
    stp     x4, x5, [sp, #{esr}]
    mov     x0, sp
    bl      guest_exception
    ldp     x2, x3, [sp, #{elr}]
    msr     elr_el1, x2
    msr     spsr_el1, x3
    restore_x2_to_x29
    ldr     x30, [sp, #240]
    ldp     x0, x1, [sp], #{size}
    eret
