// What a call costs that saves every register, finds out what it was, and restores them: an EL2 program for comparison. It
// enters the guest at 0x50000000 in EL1h.

.section .head, "ax"
.global image_head
image_head:
    b       start
    .long   0
    .quad   0                       // text_offset
    .quad   image_size
    .quad   0xa                     // anywhere in memory, 4 KiB pages, little-endian
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

start:
    adr     x0, vectors
    msr     vbar_el2, x0
    adr     x0, stack_top
    mov     sp, x0
    mov     x0, #(1 << 31)          // HCR_EL2.RW
    orr     x0, x0, #(1 << 19)      // HCR_EL2.TSC: SMC traps here
    msr     hcr_el2, x0
    mov     x0, #3                  // EL1 counter and timer access
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mov     x0, #0x33ff
    msr     cptr_el2, x0
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    ldr     x0, =0x30d00800         // SCTLR_EL1 RES1, MMU off
    msr     sctlr_el1, x0
    mov     x0, #0x3c5              // EL1h, DAIF masked
    msr     spsr_el2, x0
    ldr     x0, =0x50000000           // the guest
    msr     elr_el2, x0
    mov     x0, xzr
    isb
    eret
    .ltorg

.balign 2048
vectors:
.rept 8
    .balign 128
    b       .
.endr
    .balign 128                     // synchronous, from AArch64
    b       trap
.rept 7
    .balign 128
    b       .
.endr
    .balign 128

trap:
    sub     sp, sp, #272
    stp     x0, x1, [sp]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
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
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
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

.bss
.balign 16
    .skip   4096
stack_top:
