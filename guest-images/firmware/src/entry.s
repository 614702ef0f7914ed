// The first instructions after reset, the way down to EL2, and the vectors of EL3. The MMU stays off: all memory is
// Device memory to EL3, and the code has no unaligned accesses.

.section .reset, "ax"
.global reset
reset:
    mrs     x0, mpidr_el1           // every core starts here
    ldr     x1, =0xff00ffff00       // all affinity fields but the lowest one, which is the core's number
    tst     x0, x1
    b.ne    0f
    and     x0, x0, #0xff
    cmp     x0, #{most}
    b.hs    0f                      // there is no stack for this one, of which the first core tells
    ldr     x1, =0x30c50830         // SCTLR_EL3: RES1, all off
    msr     sctlr_el3, x1
    adr     x1, vectors
    msr     vbar_el3, x1
    isb
    ldr     x1, =stack_top
    mov     x2, #{stack}
    msub    x1, x0, x2, x1          // a stack for each core, the first one's is the highest
    mov     sp, x1
    mov     x29, xzr
    mov     x30, xzr
    bl      firmware_start
0:  wfi
    b       0b
    .ltorg

.section .vectors, "ax"
.balign 2048
vectors:
.set number, 0
.rept 16
    .balign 128
.if number == 8
    b       lower                   // synchronous, from EL2 or EL1 in AArch64
.else
    mov     x0, #number
    b       unexpected
.endif
    .set number, number + 1
.endr

.section .text.exception, "ax"
// An SMC: the caller's x0 to x30 in a block on the stack, from which they are taken again.
lower:
    sub     sp, sp, #256
    stp     x0, x1, [sp]
    save_x2_to_x29
    str     x30, [sp, #240]
    mrs     x2, esr_el3
    mov     w3, #0x5e000000         // EC 0x17, SMC from AArch64; IL; immediate 0
    cmp     w2, w3
    mov     x0, #8
    b.ne    unexpected
    mov     x0, sp
    mrs     x1, tpidr_el3
    bl      firmware_call
    ldp     x0, x1, [sp]
    restore_x2_to_x29
    ldr     x30, [sp, #240]
    add     sp, sp, #256
    eret

// x0: number of the vector.
unexpected:
    mrs     x1, esr_el3
    mrs     x2, elr_el3
    mrs     x3, far_el3
    b       firmware_unexpected
