// The first instructions of the boot CPU, behind the header of the Image, and of the CPUs that PSCI CPU_ON starts, and
// the identity map.

// What nobody has put into registers: x18 becomes all bits of x1 to x30 and SP, x19 those of the registers that this
// program is about to write. Nothing but x18, x19 and SP may be relied on yet.
.macro residue
    orr     x18, x18, x1
    .irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    orr     x18, x18, x\n
    .endr
    mov     x19, sp
    orr     x18, x18, x19
    mrs     x19, vbar_el1
    .irp register, ttbr0_el1, mair_el1, tcr_el1
    mrs     x1, \register
    orr     x19, x19, x1
    .endr
.endm

.section .head, "ax"
// x0: the device tree.
primary_entry:
    residue
    mov     x20, x0
    bl      build_tables
    bl      enable_mmu

    clear_bss
    relocate
    mov     x0, #0
    bl      enter_stack
    mov     x0, x20
    mov     x1, x18
    mov     x2, x19
    bl      guest_primary
4:  wfi
    b       4b

// PSCI CPU_ON ends here. x0: the context. What PSCI promises about the entry state is handed to Rust.
.global secondary_entry
secondary_entry:
    residue
    mov     x20, x0
    mrs     x21, currentel
    mrs     x22, daif
    mrs     x23, sctlr_el1
    bl      enable_mmu
    mrs     x0, mpidr_el1
    and     x0, x0, #0xff
    bl      enter_stack
    mov     x0, x20
    mov     x1, x21
    mov     x2, x22
    mov     x3, x23
    mov     x4, x18
    mov     x5, x19
    bl      guest_secondary
5:  wfi
    b       5b

// x0: number of the vCPU. Takes its stack and the vectors.
enter_stack:
    adrp    x1, stacks_end
    add     x1, x1, :lo12:stacks_end
    sub     x1, x1, x0, lsl #15
    mov     sp, x1
    adrp    x1, vectors
    add     x1, x1, :lo12:vectors
    msr     vbar_el1, x1
    isb
    ret

// Identity map of 39 bits: GiB 0 as 2 MiB device blocks but for the page of the PV time structures, which is normal
// memory (DEN0057 section 4.1.1); GiB 1 to 3 as normal memory.
build_tables:
    adrp    x0, translation_tables      // level 1
    add     x1, x0, #0x1000             // level 2 of GiB 0
    add     x2, x0, #0x2000             // level 3 of the 2 MiB with the UART
    add     x4, x0, #0x3000
    mov     x3, x0
0:  stp     xzr, xzr, [x3], #16
    cmp     x3, x4
    b.lo    0b
    orr     x3, x1, #3
    str     x3, [x0]
    mov     x5, #{normal_block}
    mov     x6, #0x40000000
    mov     x7, #1
1:  add     x8, x5, x7, lsl #30
    str     x8, [x0, x7, lsl #3]
    add     x7, x7, #1
    cmp     x7, #4
    b.lo    1b
    mov     x5, #{device_block_low}
    movk    x5, #{execute_never_high}, lsl #48
    mov     x7, #0
2:  add     x8, x5, x7, lsl #21
    str     x8, [x1, x7, lsl #3]
    add     x7, x7, #1
    cmp     x7, #512
    b.lo    2b
    orr     x3, x2, #3
    str     x3, [x1, #({uart} >> 21) * 8]
    orr     x5, x5, #2                  // a page, not a block
    mov     x6, #{uart}
    add     x5, x5, x6
    mov     x7, #0
3:  add     x8, x5, x7, lsl #12
    str     x8, [x2, x7, lsl #3]
    add     x7, x7, #1
    cmp     x7, #512
    b.lo    3b
    mov     x5, #{normal_page_low}
    movk    x5, #{execute_never_high}, lsl #48
    mov     x6, #({pv_time} & 0xffff0000)
    add     x5, x5, x6
    str     x5, [x2, #(({pv_time} >> 12) & 511) * 8]
    dsb     sy
    mov     x3, x0                      // drop what a cache still held of the tables
4:  dc      ivac, x3
    add     x3, x3, #16
    cmp     x3, x4
    b.lo    4b
    dsb     sy
    ret

// MMU and both caches on.
enable_mmu:
    adrp    x0, translation_tables
    msr     ttbr0_el1, x0
    mov     x0, #0xff04                 // attribute 0: Device-nGnRE, 1: normal write-back
    msr     mair_el1, x0
    mov     x0, #{tcr_low}
    movk    x0, #{tcr_middle}, lsl #16
    movk    x0, #{tcr_high}, lsl #32
    msr     tcr_el1, x0
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     sy
    isb
    mov     x0, #{sctlr_low}
    movk    x0, #{sctlr_high}, lsl #16
    msr     sctlr_el1, x0
    isb
    ret
