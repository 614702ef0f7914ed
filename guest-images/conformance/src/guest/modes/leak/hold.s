// leak_hold(x0: what to hold, x1: what is left of it, x2: how long): loads every general and floating point register and
// the flags, lets time pass, and stores them. x2 is 0 for one WFI; else so many turns of a loop, which counts in x0 if
// x3 is 0 and else in x30. Only SP is relied on, and that is stored too.

.arch_extension fp
.arch_extension simd

.macro load_v base
    ldp     q0, q1, [\base, #{v} + 0]
    ldp     q2, q3, [\base, #{v} + 32]
    ldp     q4, q5, [\base, #{v} + 64]
    ldp     q6, q7, [\base, #{v} + 96]
    ldp     q8, q9, [\base, #{v} + 128]
    ldp     q10, q11, [\base, #{v} + 160]
    ldp     q12, q13, [\base, #{v} + 192]
    ldp     q14, q15, [\base, #{v} + 224]
    ldp     q16, q17, [\base, #{v} + 256]
    ldp     q18, q19, [\base, #{v} + 288]
    ldp     q20, q21, [\base, #{v} + 320]
    ldp     q22, q23, [\base, #{v} + 352]
    ldp     q24, q25, [\base, #{v} + 384]
    ldp     q26, q27, [\base, #{v} + 416]
    ldp     q28, q29, [\base, #{v} + 448]
    ldp     q30, q31, [\base, #{v} + 480]
.endm

.macro store_v base
    stp     q0, q1, [\base, #{v} + 0]
    stp     q2, q3, [\base, #{v} + 32]
    stp     q4, q5, [\base, #{v} + 64]
    stp     q6, q7, [\base, #{v} + 96]
    stp     q8, q9, [\base, #{v} + 128]
    stp     q10, q11, [\base, #{v} + 160]
    stp     q12, q13, [\base, #{v} + 192]
    stp     q14, q15, [\base, #{v} + 224]
    stp     q16, q17, [\base, #{v} + 256]
    stp     q18, q19, [\base, #{v} + 288]
    stp     q20, q21, [\base, #{v} + 320]
    stp     q22, q23, [\base, #{v} + 352]
    stp     q24, q25, [\base, #{v} + 384]
    stp     q26, q27, [\base, #{v} + 416]
    stp     q28, q29, [\base, #{v} + 448]
    stp     q30, q31, [\base, #{v} + 480]
.endm

// x0: the registers.
.macro load_x
    ldp     x1, x2, [x0, #8]
    ldp     x3, x4, [x0, #24]
    ldp     x5, x6, [x0, #40]
    ldp     x7, x8, [x0, #56]
    ldp     x9, x10, [x0, #72]
    ldp     x11, x12, [x0, #88]
    ldp     x13, x14, [x0, #104]
    ldp     x15, x16, [x0, #120]
    ldp     x17, x18, [x0, #136]
    ldp     x19, x20, [x0, #152]
    ldp     x21, x22, [x0, #168]
    ldp     x23, x24, [x0, #184]
    ldp     x25, x26, [x0, #200]
    ldp     x27, x28, [x0, #216]
    ldp     x29, x30, [x0, #232]
    ldr     x0, [x0]
.endm

.section .text.leak_hold, "ax"
.global leak_hold
leak_hold:
    stp     x29, x30, [sp, #-128]!
    stp     x27, x28, [sp, #16]
    stp     x25, x26, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x21, x22, [sp, #64]
    stp     x19, x20, [sp, #80]
    stp     x1, x2, [sp, #96]
    mov     x4, sp
    str     x4, [x0, #{sp}]
    ldr     x4, [x0, #{flags}]
    msr     nzcv, x4
    ldp     x4, x5, [x0, #{fpcr}]
    msr     fpcr, x4
    msr     fpsr, x5
    load_v  x0
    cbz     x2, 2f
    cbz     x3, 1f

    load_x
    ldr     x30, [sp, #104]
0:  sub     x30, x30, #1
    cbnz    x30, 0b
    b       3f

1:  load_x
    ldr     x0, [sp, #104]
0:  sub     x0, x0, #1
    cbnz    x0, 0b
    b       3f

2:  load_x
    dsb     sy
    wfi

3:  str     x0, [sp, #112]
    ldr     x0, [sp, #96]
    stp     x1, x2, [x0, #8]
    stp     x3, x4, [x0, #24]
    stp     x5, x6, [x0, #40]
    stp     x7, x8, [x0, #56]
    stp     x9, x10, [x0, #72]
    stp     x11, x12, [x0, #88]
    stp     x13, x14, [x0, #104]
    stp     x15, x16, [x0, #120]
    stp     x17, x18, [x0, #136]
    stp     x19, x20, [x0, #152]
    stp     x21, x22, [x0, #168]
    stp     x23, x24, [x0, #184]
    stp     x25, x26, [x0, #200]
    stp     x27, x28, [x0, #216]
    stp     x29, x30, [x0, #232]
    ldr     x1, [sp, #112]
    str     x1, [x0]
    mrs     x1, nzcv
    str     x1, [x0, #{flags}]
    mov     x1, sp
    str     x1, [x0, #{sp}]
    bl      leak_show
    ldp     x19, x20, [sp, #80]
    ldp     x21, x22, [sp, #64]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #32]
    ldp     x27, x28, [sp, #16]
    ldp     x29, x30, [sp], #128
    ret

// leak_show(x0: where to): stores the floating point registers as they are.
.global leak_show
leak_show:
    store_v x0
    mrs     x1, fpcr
    mrs     x2, fpsr
    stp     x1, x2, [x0, #{fpcr}]
    ret

.arch_extension nosimd
.arch_extension nofp
