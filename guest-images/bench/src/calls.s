// u64 loop_NAME(u64 rounds, const u64 arguments[4], u64 results[4]): ticks for the rounds. Between the two reads of the
// counter each round is four moves, the instruction, and the loop's own two.

.macro measured_loop name, instruction:vararg
    .global \name
    .balign 64
\name:
    stp     x29, x30, [sp, #-64]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    mov     x19, x0
    mov     x20, x2
    ldp     x21, x22, [x1]
    ldp     x23, x24, [x1, #16]
    sub     xzr, xzr, xzr, lsl #1
    isb
    mrs     x29, cntvct_el0
    isb
1:  mov     x0, x21
    mov     x1, x22
    mov     x2, x23
    mov     x3, x24
    \instruction
    subs    x19, x19, #1
    b.ne    1b
    isb
    mrs     x4, cntvct_el0
    isb
    sub     xzr, xzr, xzr, lsl #2
    stp     x0, x1, [x20]
    stp     x2, x3, [x20, #16]
    sub     x0, x4, x29
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x29, x30, [sp], #64
    ret
.endm

.section .text.measured, "ax"
    measured_loop loop_empty
    measured_loop loop_hvc, hvc #0
    measured_loop loop_smc, smc #0
