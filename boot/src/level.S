// Entered at EL1 or EL3, where the hypervisor cannot run: the same early map there, as far as it takes to say so. What entry.S has in
// registers: x1 = the tables, x2 = MAIR, x3 = physical size, x4 = TCR_EL2, x20 = device tree, x22 = CurrentEL.

.pushsection .text.level, "ax"
translate_elsewhere:
    cmp     x22, #4
    b.ne    1f
    orr     x4, x4, x3, lsl #32         // bits 31 and 23, RES1 at EL2, are here TG1, 4 KiB, and EPD1
    msr     mair_el1, x2
    msr     tcr_el1, x4
    msr     ttbr0_el1, x1
    tlbi    vmalle1
    dsb     nsh
    isb
    ldr     x2, =0x30d0180d             // SCTLR_EL1: RES1, M, C, SA, I
    msr     sctlr_el1, x2
    isb
    b       translated
1:  orr     x4, x4, x3, lsl #16
    msr     mair_el3, x2
    msr     tcr_el3, x4
    msr     ttbr0_el3, x1
    tlbi    alle3
    dsb     nsh
    isb
    ldr     x2, =0x30c5183d             // SCTLR_EL3: RES1, M, C, SA, I
    msr     sctlr_el3, x2
    isb
    b       translated

elsewhere:
    lsr     x1, x22, #2
    bl      portcullis_elsewhere
    b       .
    .ltorg
.popsection
