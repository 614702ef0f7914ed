// An EL2 program that enters the guest at 0x50000000 in EL1h. Its vector for synchronous exceptions goes to `trap` by the
// macro `at_vector`, which the program defines; any other exception hangs.

primary_entry:
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
    at_vector
.rept 7
    .balign 128
    b       .
.endr
    .balign 128

.pushsection .bss
.balign 16
    .skip   4096
stack_top:
.popsection
