// The arm64 Image header (Linux Documentation/arch/arm64/booting.rst) and the first instructions.
//
// The image runs wherever it was loaded. Firmware enters the first core here at EL2 with the MMU off and the device tree's
// address in x0. EFI firmware finds the PE header by the Image's last word and enters elsewhere (efi/header.S, efi/entry.S), which
// leads to primary_after_efi. The others enter at secondary_entry, by PSCI CPU_ON, with the address of their Start block in x0.

.pushsection .text.head, "ax"
.global _start
_start:
    ccmp    x18, #0, #0xd, pl           // changes the flags, which nobody reads: its first bytes are "MZ" (PE format, 3.1)
    b       primary
    .quad   0                           // text_offset
    .quad   __image_end - _start        // image_size
    .quad   0xa                         // little endian, 4 KiB pages, anywhere in memory
    .quad   0
    .quad   0
    .quad   0
    .ascii  "ARM\x64"
    .long   pe_header - _start          // an EFI application's header, where "MZ" promises one; GRUB 2.06 looks right behind this one
.popsection

.pushsection .text.first, "ax"
primary:
    mov     x20, x0
    mov     x21, xzr                    // nothing is handed over but the device tree
    adrp    x19, _start                 // what is added to every address

    // From EFI: x20 and x21 as above, x19 = 0, as the image is relocated already.
.global primary_after_efi
primary_after_efi:
    msr     daifset, #0xf
    mrs     x1, CurrentEL
    cmp     x1, #8
    b.ne    .                           // not EL2: nothing can be done, and no console is known yet

    msr     tpidr_el2, xzr              // no anchor yet: a fault stops here and writes nowhere
    mov     x1, #1 << 31                // EL1 is AArch64, and EL2's own registers have their plain format (E2H = 0)
    msr     hcr_el2, x1
    isb

    // An early map: 1 GiB blocks, Normal write-back, for this image and for the device tree. It lets everything that
    // follows run with caches and with atomics; the final map replaces it.
    adrp    x1, early_table
    add     x1, x1, :lo12:early_table
    add     x3, x1, #4096
    mov     x2, x1
0:  stp     xzr, xzr, [x2], #16
    cmp     x2, x3
    b.lo    0b
    mov     x2, #0x745                  // attribute index 1, AP[1] RES1, inner shareable, access flag, block
    adrp    x3, _start
    lsr     x3, x3, #30
    orr     x4, x2, x3, lsl #30
    str     x4, [x1, x3, lsl #3]
    adrp    x3, __image_end             // the image may reach into the next GiB
    lsr     x3, x3, #30
    orr     x4, x2, x3, lsl #30
    str     x4, [x1, x3, lsl #3]
    lsr     x3, x20, #30
    cbz     x20, 1f
    cmp     x3, #512
    b.hs    1f
    orr     x4, x2, x3, lsl #30
    str     x4, [x1, x3, lsl #3]
1:  // The table was written past the caches: drop what they may hold of it.
    dmb     sy
    mov     x2, x1
    add     x3, x1, #4096
2:  dc      ivac, x2
    add     x2, x2, #16
    cmp     x2, x3
    b.lo    2b
    dsb     sy

    ldr     x2, ={MAIR}
    msr     mair_el2, x2
    mrs     x2, id_aa64mmfr0_el1
    and     x2, x2, #0xf
    mov     x3, #5
    cmp     x2, x3
    csel    x2, x2, x3, lo
    lsl     x2, x2, #16
    ldr     x3, =0x80803519             // TCR_EL2: RES1, 4 KiB, walks cacheable and inner shareable, T0SZ 25
    orr     x2, x2, x3
    msr     tcr_el2, x2
    msr     ttbr0_el2, x1
    tlbi    alle2
    dsb     nsh
    isb
    ldr     x2, =0x30c5183d             // SCTLR_EL2: RES1, M, C, SA, I
    msr     sctlr_el2, x2
    isb
    ic      iallu
    dsb     nsh
    isb

    adrp    x1, __bss_start
    adrp    x2, __bss_end
    b       4f
3:  stp     xzr, xzr, [x1]              // both ends are multiples of a page
    stp     xzr, xzr, [x1, #16]
    stp     xzr, xzr, [x1, #32]
    stp     xzr, xzr, [x1, #48]
    add     x1, x1, #64
4:  cmp     x1, x2
    b.lo    3b

    bl      relocate
    adrp    x1, __boot_stack_end
    mov     sp, x1
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x20
    mov     x1, x21
    bl      portcullis_primary
    brk     #0

    .ltorg

.global secondary_entry
secondary_entry:
    msr     daifset, #0xf
    msr     tpidr_el2, xzr
    mov     x1, #1 << 31
    msr     hcr_el2, x1
    isb
    ldp     x1, x2, [x0]
    ldp     x3, x4, [x0, #16]
    ldp     x5, x6, [x0, #32]
    msr     ttbr0_el2, x1
    msr     mair_el2, x2
    msr     tcr_el2, x3
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    msr     sctlr_el2, x4
    isb
    mov     sp, x5
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x6
    bl      portcullis_secondary
    brk     #0
.popsection

.pushsection .text.relocate, "ax"
// The image was linked at 0, and every word that holds an address gets x19 added. The words are packed (ELF gABI, SHT_RELR):
// an even entry is the place of one; an odd one has a bit, from bit 1 up, for each of the 63 that follow. Uses x0 to x6.
.global relocate
relocate:
    adrp    x0, _start
    adrp    x1, __relr_start
    add     x1, x1, :lo12:__relr_start
    adrp    x2, __relr_end
    add     x2, x2, :lo12:__relr_end
5:  cmp     x1, x2
    b.hs    9f
    ldr     x3, [x1], #8
    tbnz    x3, #0, 6f
    add     x4, x0, x3
    ldr     x5, [x4]
    add     x5, x5, x19
    str     x5, [x4], #8
    b       5b
6:  mov     x6, x4
    add     x4, x4, #63 * 8
7:  lsr     x3, x3, #1
    tbz     x3, #0, 8f
    ldr     x5, [x6]
    add     x5, x5, x19
    str     x5, [x6]
8:  add     x6, x6, #8
    cbnz    x3, 7b
    b       5b

9:  ret
.popsection

.pushsection .early_table, "aw", @nobits
.balign 4096
early_table:
    .skip   4096
.popsection
