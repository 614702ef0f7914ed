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
    mrs     x22, CurrentEL
    cmp     x22, #8
    b.ne    0f                          // not EL2: what follows at EL1 or EL3 is to find a console and to say so (level.S)
    msr     tpidr_el2, xzr              // no anchor yet
    mov     x1, #1 << 31                // EL1 is AArch64, and EL2's own registers have their plain format (E2H = 0)
    msr     hcr_el2, x1
    isb

    // An early map, of this image alone, by pages: a core may speculate on whatever is mapped. It lets everything that follows run
    // with caches and with atomics, and other parts are added to it (early_map.rs); the final map replaces it. Tables: the root, two of
    // the third level, two of the second, as the image may reach into the next 2 MiB, and into the next GiB.
0:  adrp    x1, early_tables
    add     x2, x1, #5 << 12
    mov     x3, x1
1:  stp     xzr, xzr, [x3]
    stp     xzr, xzr, [x3, #16]
    stp     xzr, xzr, [x3, #32]
    stp     xzr, xzr, [x3, #48]
    add     x3, x3, #64
    cmp     x3, x2
    b.lo    1b
    adrp    x4, _start
    adrp    x5, __image_end
    sub     x5, x5, #1
    lsr     x6, x5, #39
    cbnz    x6, .                       // beyond all that can be mapped, a console included
    add     x7, x1, #3 << 12            // the second level: both tables are as one, from the image's GiB on
    orr     x8, x7, #3
    lsr     x9, x4, #30
    str     x8, [x1, x9, lsl #3]
    lsr     x10, x5, #30
    cmp     x9, x10
    b.eq    2f
    add     x8, x8, #1 << 12
    str     x8, [x1, x10, lsl #3]
2:  lsl     x9, x9, #9
    lsr     x10, x4, #21
    sub     x10, x10, x9
    lsr     x11, x5, #21
    sub     x11, x11, x9
    add     x12, x1, #1 << 12           // the third level: as one, too
    orr     x8, x12, #3
    str     x8, [x7, x10, lsl #3]
    cmp     x10, x11
    b.eq    3f
    add     x8, x8, #1 << 12
    str     x8, [x7, x11, lsl #3]
3:  mov     x6, #0x747                  // attribute index 1, AP[1] RES1, inner shareable, access flag, page
    cmp     x22, #4
    b.ne    4f
    mov     x6, #0x707                  // at EL1 AP[1] opens it to EL0, and what EL0 may write EL1 does not execute
4:  orr     x8, x6, #1 << 7             // instructions: read-only
    orr     x6, x6, #1 << 54            // all else: never executed
    ubfx    x9, x4, #12, #9
    add     x10, x12, x9, lsl #3
    adrp    x11, __text_end
5:  orr     x9, x4, x8
    str     x9, [x10], #8
    add     x4, x4, #1 << 12
    cmp     x4, x11
    b.lo    5b
6:  orr     x9, x4, x6
    str     x9, [x10], #8
    add     x4, x4, #1 << 12
    cmp     x4, x5
    b.lo    6b

    // The tables were written past the caches: drop what they may hold of them.
    dmb     sy
    mrs     x4, ctr_el0
    ubfx    x4, x4, #16, #4
    mov     x3, #4
    lsl     x4, x3, x4
    mov     x3, x1
7:  dc      ivac, x3
    add     x3, x3, x4
    cmp     x3, x2
    b.lo    7b
    dsb     sy

    ldr     x2, ={MAIR}
    mrs     x3, id_aa64mmfr0_el1
    and     x3, x3, #0xf
    mov     x4, #5
    cmp     x3, x4
    csel    x3, x3, x4, lo
    ldr     x4, =0x80803519             // TCR_EL2: RES1, 4 KiB, walks cacheable and inner shareable, T0SZ 25
    cmp     x22, #8
    b.ne    translate_elsewhere
    orr     x4, x4, x3, lsl #16
    msr     mair_el2, x2
    msr     tcr_el2, x4
    msr     ttbr0_el2, x1
    tlbi    alle2
    dsb     nsh
    isb
    ldr     x2, =0x30c5183d             // SCTLR_EL2: RES1, M, C, SA, I
    msr     sctlr_el2, x2
    isb
translated:
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
    cmp     x22, #8
    b.ne    elsewhere
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
    lsr     x3, x3, #1
    cbz     x3, 5b
7:  rbit    x5, x3                      // to the next word that is relocated: every second one, at most, where texts have lengths
    clz     x5, x5
    lsr     x3, x3, x5
    add     x6, x6, x5, lsl #3
    ldr     x5, [x6]
    add     x5, x5, x19
    str     x5, [x6], #8
    lsr     x3, x3, #1
    cbnz    x3, 7b
    b       5b

9:  ret
.popsection

.pushsection .early_tables, "aw", @nobits
.balign 4096
.global early_tables
early_tables:                           // five of entry.S, then those of early_map.rs
    .skip   {TABLES} * 4096
.popsection
