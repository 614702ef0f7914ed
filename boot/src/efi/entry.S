// Where EFI firmware enters (UEFI 2.3.6: AAPCS64, MMU and caches on, identity map), and the way from there to the hypervisor's own
// first instructions, as the arm64 boot protocol has it: MMU off, the image cleaned to the point of coherency.

.pushsection .text.efi, "ax"
.global efi_entry
efi_entry:                              // x0 = image handle, x1 = system table
    stp     x29, x30, [sp, #-64]!
    mov     x29, sp
    stp     x18, x19, [sp, #16]         // x18 is the platform's, and ours to leave as it is
    stp     x20, x21, [sp, #32]
    mov     x20, x0
    mov     x21, x1
    adrp    x19, _start
    bl      relocate
    adrp    x9, {REGISTERS}
    add     x9, x9, :lo12:{REGISTERS}
    str     x18, [x9, #{PLATFORM}]
    mrs     x10, CurrentEL
    cmp     x10, #8
    b.ne    0f                          // not EL2, as will be said
    mrs     x10, tpidr_el2
    str     x10, [x9, #{THREAD}]
    msr     tpidr_el2, xzr              // no anchor: that is for a panic to see
0:  mov     x0, x20
    mov     x1, x21
    bl      portcullis_efi              // x0 = EFI status; zero: boot services are left
    cbz     x0, 1f
    mrs     x10, CurrentEL
    cmp     x10, #8
    b.ne    0f
    adrp    x9, {REGISTERS}
    add     x9, x9, :lo12:{REGISTERS}
    ldr     x10, [x9, #{THREAD}]
    msr     tpidr_el2, x10
0:  ldp     x20, x21, [sp, #32]
    ldp     x18, x19, [sp, #16]
    ldp     x29, x30, [sp], #64
    ret

1:  msr     daifset, #0xf
    adrp    x21, {HANDOVER}
    add     x21, x21, :lo12:{HANDOVER}
    // Clean and forget the whole image: what follows runs past the caches, and then with other attributes than the firmware's.
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4
    mov     x3, #4
    lsl     x3, x3, x2
    sub     x4, x3, #1
    adrp    x0, _start
    bic     x0, x0, x4
    adrp    x1, __image_end
2:  dc      civac, x0
    add     x0, x0, x3
    cmp     x0, x1
    b.lo    2b
    dsb     sy
    ldr     x2, =0x30c50830             // SCTLR_EL2: RES1; MMU and caches off
    isb                                 // nothing from before is still translated (Arm ARM, D8.2.12)
    msr     sctlr_el2, x2
    isb
    ldr     x20, [x21, #{TREE}]
    mov     x19, xzr
    b       primary_after_efi
    .ltorg
.popsection
