// The first instructions, and the vectors. The configuration stands between the Image header and them, in 64 bytes.
// MMU off, nothing but CNTVCT_EL0 and PSCI is needed. `sub xzr, xzr, xzr, lsl #N` does nothing and no compiler emits
// it: it is mark N for the instruction counter (see mark.rs).

.section .entry, "ax"
primary_entry:                      // offset 128
    sub     xzr, xzr, xzr, lsl #0
    sub     xzr, xzr, xzr, lsl #63
    sub     xzr, xzr, xzr, lsl #0
    mrs     x20, cntvct_el0
    msr     daifset, #0xf
    mov     x0, #0
    bl      settle
    clear_bss
    relocate
    mov     x0, x20
    bl      bench_primary
4:  wfi
    b       4b

// PSCI CPU_ON ends here. x0: number of the vCPU.
.global secondary_entry
secondary_entry:
    msr     daifset, #0xf
    mov     x20, x0
    bl      settle
    mov     x0, x20
    bl      bench_secondary
5:  wfi
    b       5b

// x0: number of the vCPU, below 4. Takes its stack and the vectors; uses x0 to x2.
settle:
    adrp    x1, stack_top
    add     x1, x1, :lo12:stack_top
    sub     x1, x1, x0, lsl #11
    mov     sp, x1
    adrp    x1, vectors
    add     x1, x1, :lo12:vectors
    msr     vbar_el1, x1
    mov     x1, #(3 << 20)
    msr     cpacr_el1, x1
    isb
    ret

.section .vectors, "ax"
.balign 2048
.global vectors
vectors:
.rept 5
    .balign 128
    b       unexpected
.endr
    .balign 128                     // IRQ, SPx. Unmasked within operations only, which leave x14 to x17 alone
    sub     xzr, xzr, xzr, lsl #3
    mrs     x16, S3_0_C12_C12_0     // ICC_IAR1_EL1
    mov     w14, w16
    cmp     w16, #27
    b.ne    1f
    msr     cntv_ctl_el0, xzr
    isb
1:  cmp     w16, #1020
    b.hs    2f
    msr     S3_0_C12_C12_1, x16     // ICC_EOIR1_EL1
    isb
    mov     x15, #1
2:  eret
.rept 10
    .balign 128
    b       unexpected
.endr
    .balign 128

.section .text.measured, "ax"
// Any other exception: remember the syndrome, count, step over the instruction. Uses x16 and x17.
unexpected:
    adrp    x16, EXCEPTIONS
    add     x16, x16, :lo12:EXCEPTIONS
    mrs     x17, esr_el1
    str     x17, [x16]
    ldr     x17, [x16, #8]
    add     x17, x17, #1
    str     x17, [x16, #8]
    ldr     x17, [x16]
    lsr     x17, x17, #26
    cmp     x17, #0x16              // an HVC or SMC leaves the return address behind it
    b.eq    3f
    cmp     x17, #0x17
    b.eq    3f
    mrs     x17, elr_el1
    add     x17, x17, #4
    msr     elr_el1, x17
3:  eret

// void mark_end(x0: test): mark 16 + test.
.global mark_end
mark_end:
    adr     x1, 6f
    add     x1, x1, x0, lsl #3
    br      x1
6:
.set number, 16
.rept 48
    sub     xzr, xzr, xzr, lsl #number
    ret
    .set number, number + 1
.endr

// u64 loop_nops(u64 rounds): ticks for rounds of 64 instructions.
.global loop_nops
.balign 64
loop_nops:
    isb
    mrs     x9, cntvct_el0
    isb
7:  .rept   62
    nop
    .endr
    subs    x0, x0, #1
    b.ne    7b
    isb
    mrs     x1, cntvct_el0
    isb
    sub     x0, x1, x9
    ret

// void xen_console_write(const u8 *, u64 length): hypercall console_io of Xen.
.global xen_console_write
xen_console_write:
    mov     x2, x0
    mov     x0, #0                  // CONSOLEIO_write: length in x1, text in x2
    mov     x16, #18
    hvc     #0xea1
    ret
