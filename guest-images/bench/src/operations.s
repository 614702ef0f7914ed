// u64 op_NAME(u64 count, u32 ticks[], u64 a, u64 b, u64 c, u64 interrupt): does the operation `count` times, each
// between marks 1 and 2, and returns how often the handler saw another interrupt. x21: a, x23: b, x24: c,
// x26: interrupt. The handler leaves 1 in x15 and the interrupt's number in w14.

.macro operation name, before, body, after
    .global \name
    .balign 64
\name:
    stp     x29, x30, [sp, #-80]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    mov     x19, x0
    mov     x20, x1
    mov     x21, x2
    mov     x23, x3
    mov     x24, x4
    mov     x26, x5
    mov     x25, #0
1:  \before
    mov     x15, #0
    mov     w14, #-1
    dsb     sy
    sub     xzr, xzr, xzr, lsl #1
    isb
    mrs     x22, cntvct_el0
    \body
    mrs     x10, cntvct_el0
    sub     xzr, xzr, xzr, lsl #2
    \after
    sub     x10, x10, x22
    str     w10, [x20], #4
    subs    x19, x19, #1
    b.ne    1b
    mov     x0, x25
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x29, x30, [sp], #80
    ret
.endm

.macro nothing
.endm
.macro arm_timer                    // the virtual timer fires a ticks from now
    add     x10, x22, x21
    msr     cntv_cval_el0, x10
    mov     x11, #1
    msr     cntv_ctl_el0, x11
    isb
.endm
.macro timer
    msr     daifclr, #2
    arm_timer
9:  cbz     x15, 9b
    msr     daifset, #2
.endm
.macro sgi                          // a: value of ICC_SGI1R_EL1
    msr     daifclr, #2
    msr     S3_0_C12_C11_5, x21
    isb
9:  cbz     x15, 9b
    msr     daifset, #2
.endm
.macro wait                         // as an idle loop does it: masked, so that no wake-up is lost
    arm_timer
9:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cbz     x15, 9b
.endm
.macro ipi                          // a: value of ICC_SGI1R_EL1, b: address of the receiver's answer
    str     wzr, [x23]
    dsb     sy
    msr     S3_0_C12_C11_5, x21
    isb
9:  yield                           // under icount it lets QEMU run the other vCPU
    ldr     w10, [x23]
    cbz     w10, 9b
.endm
.macro pause                        // c ticks, so that the receiver is really idle
    mrs     x10, cntvct_el0
    add     x10, x10, x24
9:  yield
    .rept   32
    nop
    .endr
    mrs     x11, cntvct_el0
    cmp     x11, x10
    b.lo    9b
.endm
.macro check
    cmp     w14, w26
    cinc    x25, x25, ne
.endm
.macro call conduit
    mov     x0, x21
    mov     x1, x23
    mov     x2, #0
    mov     x3, #0
    \conduit #0
.endm
.macro call_hvc
    call    hvc
.endm
.macro call_smc
    call    smc
.endm
.macro load
    ldr     w11, [x21]
.endm
.macro store
    str     w23, [x21]
.endm
.macro store_before
    str     w23, [x24]
.endm
.macro id_aa64pfr0
    mrs     x11, id_aa64pfr0_el1
.endm
.macro actlr
    mrs     x11, actlr_el1
.endm
.macro cntp
    mrs     x11, cntp_ctl_el0
.endm
.macro mdscr
    mrs     x11, mdscr_el1
.endm
.macro ctr
    mrs     x11, ctr_el0
.endm
.macro cntpct
    mrs     x11, cntpct_el0
.endm
.macro wait_event
    wfe
.endm
.macro copy                         // a: what is copied onto itself, b: bytes. No device cares, and with the MMU off it is aligned
    mov     x0, x21
    mov     x1, x21
    mov     x2, x23
    bl      portcullis_memcpy
.endm

.section .text.measured, "ax"
    operation op_empty, nothing, nothing, nothing
    operation op_hvc, nothing, call_hvc, nothing
    operation op_smc, nothing, call_smc, nothing
    operation op_timer, nothing, timer, check
    operation op_sgi, nothing, sgi, check
    operation op_wfi, nothing, wait, check
    operation op_ipi, nothing, ipi, nothing
    operation op_ipi_idle, pause, ipi, nothing
    operation op_load, nothing, load, nothing
    operation op_store, nothing, store, nothing
    operation op_store_after, store_before, store, nothing
    operation op_id_aa64pfr0, nothing, id_aa64pfr0, nothing
    operation op_actlr, nothing, actlr, nothing
    operation op_cntp, nothing, cntp, nothing
    operation op_mdscr, nothing, mdscr, nothing
    operation op_ctr, nothing, ctr, nothing
    operation op_cntpct, nothing, cntpct, nothing
    operation op_wfe, nothing, wait_event, nothing
    operation op_copy, nothing, copy, nothing

// void receive_spinning(u32 *answer, const u32 *stop), void receive_idle(...): answer interrupts until told to stop.
.global receive_spinning
receive_spinning:
    mov     x15, #0
    msr     daifclr, #2
1:  yield
    ldr     w3, [x1]
    cbnz    w3, 3f
    cbz     x15, 1b
    mov     x15, #0
    mov     w3, #1
    str     w3, [x0]
    b       1b
.global receive_idle
receive_idle:
    mov     x15, #0
2:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cbz     x15, 2b
    mov     x15, #0
    mov     w3, #1
    str     w3, [x0]
    ldr     w3, [x1]
    cbz     w3, 2b
3:  msr     daifset, #2
    ret
