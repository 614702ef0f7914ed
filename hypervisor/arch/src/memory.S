// memcpy, memmove, memset and memcmp for EL2, whose memory is Normal and whose SCTLR_EL2.A is 0: unaligned accesses are
// fine there, which the compiler's own versions for this target may not assume. Device memory is never touched by these.

.pushsection .text.memory, "ax"

// void *memcpy(void *to, const void *from, size_t count)
.global memcpy
.balign 16
memcpy:
    mov     x3, x0
    subs    x2, x2, #32
    b.lo    2f
1:  ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    add     x1, x1, #32
    stp     x4, x5, [x3]
    stp     x6, x7, [x3, #16]
    add     x3, x3, #32
    subs    x2, x2, #32
    b.hs    1b
2:  // The low five bits of what is left count.
    tbz     x2, #4, 3f
    ldp     x4, x5, [x1], #16
    stp     x4, x5, [x3], #16
3:  tbz     x2, #3, 4f
    ldr     x4, [x1], #8
    str     x4, [x3], #8
4:  tbz     x2, #2, 5f
    ldr     w4, [x1], #4
    str     w4, [x3], #4
5:  tbz     x2, #1, 6f
    ldrh    w4, [x1], #2
    strh    w4, [x3], #2
6:  tbz     x2, #0, 7f
    ldrb    w4, [x1]
    strb    w4, [x3]
7:  ret

// void *memmove(void *to, const void *from, size_t count)
.global memmove
.balign 16
memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.hs    memcpy                      // the target does not begin within the source
    add     x1, x1, x2
    add     x3, x0, x2
1:  subs    x2, x2, #8
    b.lo    2f
    ldr     x4, [x1, #-8]!
    str     x4, [x3, #-8]!
    b       1b
2:  adds    x2, x2, #8
    b.eq    4f
3:  ldrb    w4, [x1, #-1]!
    strb    w4, [x3, #-1]!
    subs    x2, x2, #1
    b.ne    3b
4:  ret

// void *memset(void *to, int byte, size_t count)
.global memset
.balign 16
memset:
    mov     x3, x0
    and     w1, w1, #0xff
    cmp     x2, #256
    b.lo    3f
    cbnz    w1, 3f
    mrs     x4, dczid_el0               // zero whole blocks, if they are of 64 bytes and may be used
    and     x4, x4, #0x1f
    cmp     x4, #4
    b.ne    3f
    stp     xzr, xzr, [x3]
    stp     xzr, xzr, [x3, #16]
    stp     xzr, xzr, [x3, #32]
    stp     xzr, xzr, [x3, #48]
    add     x4, x3, #64
    and     x4, x4, #~63
    sub     x5, x4, x3
    sub     x2, x2, x5
    mov     x3, x4
    subs    x2, x2, #256
    b.lo    11f
10: dc      zva, x3                     // a VM's whole RAM comes by here
    add     x3, x3, #64
    dc      zva, x3
    add     x3, x3, #64
    dc      zva, x3
    add     x3, x3, #64
    dc      zva, x3
    add     x3, x3, #64
    subs    x2, x2, #256
    b.hs    10b
11: adds    x2, x2, #192
    b.lo    12f
2:  dc      zva, x3
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    2b
12: add     x2, x2, #64
3:  mov     x4, #0x0101010101010101
    mul     x4, x4, x1
    subs    x2, x2, #16
    b.lo    5f
4:  stp     x4, x4, [x3], #16
    subs    x2, x2, #16
    b.hs    4b
5:  // The low four bits of what is left count.
    tbz     x2, #3, 6f
    str     x4, [x3], #8
6:  tbz     x2, #2, 7f
    str     w4, [x3], #4
7:  tbz     x2, #1, 8f
    strh    w4, [x3], #2
8:  tbz     x2, #0, 9f
    strb    w4, [x3]
9:  ret

// int memcmp(const void *a, const void *b, size_t count)
.global memcmp
.global bcmp
.balign 16
memcmp:
bcmp:
    mov     x3, x0
1:  subs    x2, x2, #8
    b.lo    2f
    ldr     x4, [x3], #8
    ldr     x5, [x1], #8
    cmp     x4, x5
    b.eq    1b
    rev     x4, x4
    rev     x5, x5
    cmp     x4, x5
    cset    w0, hi
    csinv   w0, w0, wzr, hs
    ret
2:  adds    x2, x2, #8
    b.eq    4f
3:  ldrb    w4, [x3], #1
    ldrb    w5, [x1], #1
    subs    w0, w4, w5
    b.ne    5f
    subs    x2, x2, #1
    b.ne    3b
4:  mov     w0, #0
5:  ret
.popsection
