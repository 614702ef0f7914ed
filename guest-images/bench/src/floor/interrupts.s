// The least that an EL2 program can do for the interrupts guest: passes physical interrupts on through a list register
// with the HW bit, sends SGIs physically, does accesses to the GIC one to one, answers one ID register. No isolation, no
// checks, list register 0 only, two CPUs. It enters the guest at 0x50000000 in EL1h. The numbers in the comments count the
// instructions from the vector on.

primary_entry:
    mov     x19, #0                 // CPU number
    adr     x0, l1
    adr     x1, l2
    orr     x2, x1, #3
    str     x2, [x0]                // 0..1 GiB: table
    mov     x2, #0x7fd              // AF, SH inner, S2AP rw, normal, block
    mov     x3, #1
1:      orr     x4, x2, x3, lsl #30
    str     x4, [x0, x3, lsl #3]
    add     x3, x3, #1
    cmp     x3, #4
    b.ne    1b
    mov     x2, #0x4c5              // AF, rw, device nGnRE, block
    mov     x3, #0
2:      orr     x4, x2, x3, lsl #21
    cmp     x3, #64                 // 0x08000000..0x081fffff: GIC, not mapped
    csel    x4, xzr, x4, eq
    str     x4, [x1, x3, lsl #3]
    add     x3, x3, #1
    cmp     x3, #512
    b.ne    2b
    dsb     sy
    mrs     x0, mpidr_el1
    ldr     x0, =0xc4000003         // CPU_ON(1), if there is one
    mov     x1, #1
    adr     x2, second
    mov     x3, #0
    smc     #0
    b       both
second:
    mov     x19, #1
both:
    adr     x0, vectors
    msr     vbar_el2, x0
    adr     x0, stacks
    add     x0, x0, #4096
    add     x0, x0, x19, lsl #12
    mov     sp, x0
    ldr     x0, =0x800c0019         // RW TSC TID3 IMO FMO VM
    msr     hcr_el2, x0
    ldr     x0, =0x80023559         // 39 bits, start at level 1, 4 KiB, WB inner shareable, PS 40
    msr     vtcr_el2, x0
    adr     x0, l1
    msr     vttbr_el2, x0
    mov     x0, #3
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mov     x0, #0x33ff
    msr     cptr_el2, x0
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    mov     x0, #0xf
    msr     S3_4_C12_C9_5, x0       // ICC_SRE_EL2
    isb
    mov     x0, #0xf0
    msr     S3_0_C4_C6_0, x0        // ICC_PMR_EL1
    mov     x0, #2
    msr     S3_0_C12_C12_4, x0      // ICC_CTLR_EL1: EOImode 1
    mov     x0, #1
    msr     S3_0_C12_C12_7, x0      // ICC_IGRPEN1_EL1
    msr     S3_4_C12_C11_0, x0      // ICH_HCR_EL2.En
    ldr     x0, =0x30d00800
    msr     sctlr_el1, x0
    mov     x0, #0x3c5
    msr     spsr_el2, x0
    tlbi    vmalls12e1
    dsb     sy
    isb
    cbnz    x19, 3f
    ldr     x0, =0x50000000           // the guest
    b       4f
3:      adr     x1, mailbox             // the second CPU waits here for the guest's CPU_ON
    ldr     x0, [x1]
    yield
    cbz     x0, 3b
4:      msr     elr_el2, x0
    mov     x0, x19                 // the context of the guest's CPU_ON is the number
    eret
    .ltorg

    .balign 2048
vectors:
    .rept 8
    .balign 128
    b       .
    .endr
    .balign 128                     // +0x400 synchronous, AArch64 lower EL
    b       sync
    .balign 128                     // +0x480 IRQ: 11 instructions
    stp     x0, x1, [sp, #-16]!
    mrs     x0, S3_0_C12_C12_0      // IAR1
    msr     S3_0_C12_C12_1, x0      // EOIR1: priority drop
    cmp     w0, #16
    b.lo    5f
    orr     x1, x0, x0, lsl #32     // virtual and physical INTID
    movz    x0, #0x7000, lsl #48    // pending, HW, group 1
    orr     x1, x1, x0
    msr     S3_4_C12_C12_0, x1      // ICH_LR0_EL2
    ldp     x0, x1, [sp], #16
    eret
5:      msr     S3_0_C12_C11_1, x0      // DIR          (SGI: also 11)
    movz    x1, #0x5000, lsl #48
    orr     x1, x1, x0
    msr     S3_4_C12_C12_0, x1
    ldp     x0, x1, [sp], #16
    eret
    .rept 6
    .balign 128
    b       .
    .endr
    .balign 128
sync:
    stp     x0, x1, [sp, #-256]!    // with the branch: 2
    mrs     x0, esr_el2
    lsr     x1, x0, #26
    cmp     x1, #0x16
    b.eq    hvc                     // 6
    save_x2_to_x29
    stp     x30, xzr, [sp, #240]    // 21
    cmp     x1, #0x18
    b.eq    sys                     // 23
    cmp     x1, #0x24
    b.ne    smc                     // 25
    mrs     x1, hpfar_el2
    mrs     x2, far_el2
    lsl     x1, x1, #8
    and     x2, x2, #0xfff
    orr     x1, x1, x2
    ubfx    x3, x0, #16, #5
    tbnz    x0, #6, 1f              // 32
    ldr     w4, [x1]
    str     x4, [sp, x3, lsl #3]
    b       out                     // read: 35
1:      ldr     x4, [sp, x3, lsl #3]
    str     w4, [x1]                // write: 34
out:
    mrs     x0, elr_el2
    add     x0, x0, #4
    msr     elr_el2, x0
    restore_x2_to_x29
    ldr     x30, [sp, #240]
    ldp     x0, x1, [sp], #256
    eret                            // out: 20
hvc:
    ldp     x0, x1, [sp], #256
    movn    x0, #0
    eret                            // 9
sys:
    ubfx    x3, x0, #5, #5
    tbnz    x0, #0, 2f              // 25
    ldr     x4, [sp, x3, lsl #3]
    msr     S3_0_C12_C11_5, x4      // SGI1R
    b       out                     // 28 + 20
2:      mrs     x4, id_aa64pfr0_el1
    str     x4, [sp, x3, lsl #3]
    b       out                     // 28 + 20
smc:
    cmp     x1, #0x17               // not measured: CPU_ON posts the entry address
    b.ne    .
    ldr     x0, [sp]
    ldr     x1, =0xc4000003
    cmp     x0, x1
    b.ne    3f
    adr     x1, mailbox
    ldr     x0, [sp, #16]
    str     x0, [x1]
    dsb     sy
    str     xzr, [sp]
    b       out
3:      mov     x0, #-1
    str     x0, [sp]
    b       out
    .ltorg

.bss
    .balign 4096
l1:
    .skip   4096
l2:
    .skip   4096
stacks:
    .skip   8192
mailbox:
    .skip  8
