// Copies, fills and compares memory that is Normal, for code whose SCTLR_ELx.A is 0: unaligned accesses are fine there (Arm ARM,
// B2.7), which the compiler's own versions for this target may not assume. Device memory is never touched by these: what is
// copied here may be read and written twice. There is no SIMD at EL2, so 64 bytes are four pairs of general registers.
//
// memory.rs gives them the names that compiled code calls. A guest of the tests runs the same lines under these.

.pushsection .text.memory, "ax"

// void *portcullis_memcpy(void *to, const void *from, size_t count)
//
// Up to 64 bytes are read before the first is written, or are copied upwards. Of more than that the last 64 are copied twice. A
// turn of 256 takes 34 instructions, where four of 64 take 40.
.global portcullis_memcpy
.balign 16
portcullis_memcpy:
    cmp     x2, #32
    b.hs    4f
    tbz     x2, #4, 1f                  // 16 to 31
    add     x12, x1, x2
    add     x13, x0, x2
    ldp     x4, x5, [x1]
    ldp     x6, x7, [x12, #-16]
    stp     x4, x5, [x0]
    stp     x6, x7, [x13, #-16]
    ret
1:  tbz     x2, #3, 2f                  // 8 to 15
    sub     x3, x2, #8
    ldr     x4, [x1]
    ldr     x5, [x1, x3]
    str     x4, [x0]
    str     x5, [x0, x3]
    ret
2:  tbz     x2, #2, 3f                  // 4 to 7
    sub     x3, x2, #4
    ldr     w4, [x1]
    ldr     w5, [x1, x3]
    str     w4, [x0]
    str     w5, [x0, x3]
    ret
3:  mov     x3, x0
    tbz     x2, #1, 31f
    ldrh    w4, [x1], #2
    strh    w4, [x3], #2
31: tbz     x2, #0, 32f
    ldrb    w4, [x1]
    strb    w4, [x3]
32: ret
4:  add     x12, x1, x2
    add     x13, x0, x2
    cmp     x2, #64
    b.hi    5f                          // 32 to 64
    ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    ldp     x8, x9, [x12, #-32]
    ldp     x10, x11, [x12, #-16]
    stp     x4, x5, [x0]
    stp     x6, x7, [x0, #16]
    stp     x8, x9, [x13, #-32]
    stp     x10, x11, [x13, #-16]
    ret
5:  mov     x3, x0
    subs    x2, x2, #320                // a turn of 256 for as long as more than 64 are left behind it
    b.ls    61f
51: ldp     x4, x5, [x1], #256
    ldp     x6, x7, [x1, #-240]
    ldp     x8, x9, [x1, #-224]
    ldp     x10, x11, [x1, #-208]
    stp     x4, x5, [x3], #256
    stp     x6, x7, [x3, #-240]
    stp     x8, x9, [x3, #-224]
    stp     x10, x11, [x3, #-208]
    .irp at, 192, 128, 64
    ldp     x4, x5, [x1, #-\at]
    ldp     x6, x7, [x1, #-\at + 16]
    ldp     x8, x9, [x1, #-\at + 32]
    ldp     x10, x11, [x1, #-\at + 48]
    stp     x4, x5, [x3, #-\at]
    stp     x6, x7, [x3, #-\at + 16]
    stp     x8, x9, [x3, #-\at + 32]
    stp     x10, x11, [x3, #-\at + 48]
    .endr
    subs    x2, x2, #256
    b.hi    51b
61: add     x2, x2, #255                // and one of 64 for as long as more than 64 are left
6:  ldp     x4, x5, [x1], #64
    ldp     x6, x7, [x1, #-48]
    ldp     x8, x9, [x1, #-32]
    ldp     x10, x11, [x1, #-16]
    stp     x4, x5, [x3], #64
    stp     x6, x7, [x3, #-48]
    stp     x8, x9, [x3, #-32]
    stp     x10, x11, [x3, #-16]
    subs    x2, x2, #64
    b.hs    6b
    ldp     x4, x5, [x12, #-64]
    ldp     x6, x7, [x12, #-48]
    ldp     x8, x9, [x12, #-32]
    ldp     x10, x11, [x12, #-16]
    stp     x4, x5, [x13, #-64]
    stp     x6, x7, [x13, #-48]
    stp     x8, x9, [x13, #-32]
    stp     x10, x11, [x13, #-16]
    ret

// void *portcullis_memmove(void *to, const void *from, size_t count)
.global portcullis_memmove
.balign 16
portcullis_memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.lo    3f                          // the target begins within the source
    cmp     x2, #64
    b.ls    portcullis_memcpy
    cmn     x3, #64
    b.ls    portcullis_memcpy           // it is no less than 64 bytes in front of it: what is read last is not written yet
    mov     x3, x0
1:  ldr     x4, [x1], #8
    str     x4, [x3], #8
    sub     x2, x2, #8
    cmp     x2, #8
    b.hs    1b
2:  cbz     x2, 6f
    ldrb    w4, [x1], #1
    strb    w4, [x3], #1
    sub     x2, x2, #1
    b       2b
3:  add     x1, x1, x2
    add     x3, x0, x2
4:  subs    x2, x2, #8
    b.lo    5f
    ldr     x4, [x1, #-8]!
    str     x4, [x3, #-8]!
    b       4b
5:  adds    x2, x2, #8
    b.eq    6f
51: ldrb    w4, [x1, #-1]!
    strb    w4, [x3, #-1]!
    subs    x2, x2, #1
    b.ne    51b
6:  ret

// void *portcullis_memset(void *to, int byte, size_t count)
.global portcullis_memset
.balign 16
portcullis_memset:
    and     w1, w1, #0xff
    mov     x4, #0x0101010101010101
    mul     x4, x4, x1
    cmp     x2, #32
    b.hs    4f
    tbz     x2, #4, 1f                  // 16 to 31
    add     x5, x0, x2
    stp     x4, x4, [x0]
    stp     x4, x4, [x5, #-16]
    ret
1:  tbz     x2, #3, 2f                  // 8 to 15
    sub     x3, x2, #8
    str     x4, [x0]
    str     x4, [x0, x3]
    ret
2:  tbz     x2, #2, 3f                  // 4 to 7
    sub     x3, x2, #4
    str     w4, [x0]
    str     w4, [x0, x3]
    ret
3:  mov     x3, x0
    tbz     x2, #1, 31f
    strh    w4, [x3], #2
31: tbz     x2, #0, 32f
    strb    w4, [x3]
32: ret
4:  add     x5, x0, x2
    cmp     x2, #64
    b.ls    8f                          // 32 to 64
    mov     x3, x0
    cmp     x2, #256
    b.lo    5f
    cbnz    w1, 5f
    mrs     x6, dczid_el0               // zero whole blocks, if they are of 64 bytes and may be used
    and     x6, x6, #0x1f
    cmp     x6, #4
    b.eq    9f
5:  sub     x2, x2, #65                 // a turn for as long as more than 64 are left
6:  stp     x4, x4, [x3], #64
    stp     x4, x4, [x3, #-48]
    stp     x4, x4, [x3, #-32]
    stp     x4, x4, [x3, #-16]
    subs    x2, x2, #64
    b.hs    6b
7:  stp     x4, x4, [x5, #-64]
    stp     x4, x4, [x5, #-48]
    stp     x4, x4, [x5, #-32]
    stp     x4, x4, [x5, #-16]
    ret
8:  stp     x4, x4, [x0]
    stp     x4, x4, [x0, #16]
    stp     x4, x4, [x5, #-32]
    stp     x4, x4, [x5, #-16]
    ret
9:  stp     xzr, xzr, [x3]
    stp     xzr, xzr, [x3, #16]
    stp     xzr, xzr, [x3, #32]
    stp     xzr, xzr, [x3, #48]
    add     x6, x3, #64
    and     x6, x6, #~63
    sub     x7, x6, x3
    sub     x2, x2, x7
    mov     x3, x6
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
    b.lo    7b
12: dc      zva, x3
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    12b
    b       7b

// int portcullis_memcmp(const void *a, const void *b, size_t count)
.global portcullis_memcmp
.balign 16
portcullis_memcmp:
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
