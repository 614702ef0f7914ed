// What every program does before it uses its statics: the linker scripts align both ends of .bss to 16 bytes.

// The address of a symbol that lies within 4 GiB.
.macro address register, symbol
    adrp    \register, \symbol
    add     \register, \register, :lo12:\symbol
.endm

// Writes zeros to .bss. Uses x0 and x1.
.macro clear_bss
    address x0, bss_start
    address x1, bss_end
0:  cmp     x0, x1
    b.hs    1f
    stp     xzr, xzr, [x0], #16
    b       0b
1:
.endm

// Applies the relocations of an image that is linked at 0. Uses x0 to x5.
.macro relocate
    adrp    x2, image_start
    address x0, relocations_start
    address x1, relocations_end
0:  cmp     x0, x1
    b.hs    1f
    ldp     x3, x4, [x0], #16
    ldr     x5, [x0], #8
    cmp     w4, #1027               // R_AARCH64_RELATIVE
    b.ne    0b
    add     x5, x5, x2
    str     x5, [x3, x2]
    b       0b
1:
.endm
