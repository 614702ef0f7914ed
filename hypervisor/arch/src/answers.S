// Firmware calls. Most end here: the vectors look the function up in the VM's answers (portcullis_gate::answers), which the gate
// in Rust has worked out when the VM started, and hold no policy of their own.

.arch_extension crc

// Leaves the exception. A core may go on in memory order past an ERET by speculation, with what a guest left in the registers (Arm,
// "Straight-line speculation"). The barrier holds it back; it is never executed, and costs nothing. SB (FEAT_SB) would do it in one
// instruction on cores that have it, which these instructions do on all.
.macro exception_return
    eret
    dsb     nsh
    isb
.endm

// Finds the line that the function in \id would have: x3 its address, \scratch whose it is.
.macro find_line id, scratch, conduit
    ldr     x3, [sp, #{ANSWERS} + 8 * \conduit]
    crc32x  w\scratch, w\id, xzr
    bfi     x3, x\scratch, #{LINE_SHIFT}, #{LINE_BITS}
    ldr     w\scratch, [x3]
.endm

// A trapped SMC leaves the return address at itself, an HVC behind itself (Arm ARM, D1.3.1), and PSTATE as it was before the
// instruction: of a guest that is stepped through, or that came by a branch, SS and BTYPE are yet to be cleared, as by
// portcullis_arch::stepping. They are next to never set, and that is found out by one test: not equal if they may be. SSBS and
// ALLINT lie between them, so a guest that has set one of these takes the longer way too. x3 is lost.
.macro advance
    mrs     x3, elr_el2
    add     x3, x3, #4
    msr     elr_el2, x3
    mrs     x3, spsr_el2
    tst     x3, #0x3ffc00               // bits 21 (SS) to 10 (BTYPE)
.endm

// \scratch is lost.
.macro clear_step scratch
    mrs     x\scratch, spsr_el2
    and     x\scratch, x\scratch, #~(1 << 21)
    and     x\scratch, x\scratch, #~(3 << 10)
    msr     spsr_el2, x\scratch
.endm

// The call's function is in w0, its argument in w1; x2 and x3 are saved, and x2 is zero. Of an SMC, the flags say what `advance`
// has found. The results go to x0..x3; x4 and up are not touched. Counters are this vCPU's own words.
.macro answer conduit
    eor     w3, w0, #0x80008000         // ARCH_WORKAROUND_1 comes first: guests call it at every kernel entry
    cbz     w3, workaround_\conduit
look_up_\conduit:
    find_line 0, 2, \conduit
    .if \conduit
    ccmp    w2, w0, #1, eq              // not equal and overflown, if SS or BTYPE may be set
    .else
    cmp     w2, w0
    .endif
    b.ne    unknown_\conduit
found_\conduit:
    ldr     w2, [x3, #{WHAT}]
    tbnz    w2, #31, no_answer_\conduit
    ldr     x0, [sp, x2]                // the kind of an answer is zero, so this is the counter's offset
    add     x0, x0, #1
    str     x0, [sp, x2]
    ldp     w0, w1, [x3, #{RESULTS}]
    ldp     w2, w3, [x3, #{RESULTS} + 8]
    exception_return
.endm

// Notes a call that is refused, and says so.
.macro refuse conduit
    ldr     x1, [sp, #{REFUSED}]
    and     x3, x1, #{RING_MASK}
    add     x3, sp, x3, lsl #4
    mrs     x2, cntpct_el0
    mov     w0, w0
    .if \conduit
    orr     x0, x0, #1 << 32
    .endif
    stp     x2, x0, [x3, #{RING}]
    add     x1, x1, #1
    str     x1, [sp, #{REFUSED}]
    mov     x0, #-1
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    exception_return
.endm

// The rarer ends of a call.
.macro answer_rest conduit
workaround_\conduit:
    .if \conduit
    b.ne    stepped_workaround
step_cleared:
    ldp     x1, x0, [sp, #{WORKAROUNDS} + 8]
    .else
    ldp     x0, x1, [sp, #{WORKAROUNDS}]
    .endif
    cbnz    x0, look_up_\conduit        // it has no arguments: x1 need not be what it was
    exception_return                    // x2 and x3 are zero

no_answer_\conduit:
    tbz     w2, #30, feature
    tbz     w2, #29, not_denied
    uxth    w2, w2
    ldr     x3, [sp, x2]
    add     x3, x3, #1
    str     x3, [sp, x2]
    refuse  \conduit

unknown_\conduit:
    .if \conduit
    b.vs    stepped
    .endif
no_line_\conduit:
    ldr     w2, [x3, #{OTHERS}]
    cbnz    w2, beyond_\conduit
count_unknown_\conduit:
    ldr     x2, [sp, #{UNKNOWN} + {UNKNOWN_STEP} * \conduit]
    add     x2, x2, #1
    str     x2, [sp, #{UNKNOWN} + {UNKNOWN_STEP} * \conduit]
    refuse  \conduit

// The function has no line, and w2 says that the gate in Rust knows more of it or of others. Or it may lie in a range that goes to
// EL3: of the ranges, ascending, that is the last one which begins at the function or before it.
beyond_\conduit:
    tbz     w2, #{ONE_BIT}, search_\conduit
    tbnz    w2, #{ALL_BIT}, to_gate
    and     w3, w2, #~{FLAGS}
    cmp     w3, w0
    b.eq    to_gate
    tbz     w2, #{SEARCH_BIT}, count_unknown_\conduit
search_\conduit:
    str     x1, [sp, #{X} + 8]
    tst     w0, #0x00ff0000             // SVE hint and reserved bits
    b.ne    count_unknown_\conduit
    ldr     x3, [sp, #{FORWARD_RANGES}]
    halve   16
    halve   8
    halve   4
    halve   2
    halve   1
    ldp     w1, w2, [x3]
    cmp     w0, w1
    ccmp    w0, w2, #2, hs              // before the first: C set and Z clear, as above the last
    b.hi    count_unknown_\conduit
    ldr     x1, [sp, #{X} + 8]
    ldr     x3, [sp, #{FORWARD_COUNTER} + 8 * \conduit]
    add     x3, x3, #1
    str     x3, [sp, #{FORWARD_COUNTER} + 8 * \conduit]
    b       forward
.endm

// One step of the search: x3 moves up by \ranges ranges if the one there begins at the function in w0 or before it.
.macro halve ranges
    ldr     w1, [x3, #8 * \ranges]
    add     x2, x3, #8 * \ranges
    cmp     w1, w0
    csel    x3, x2, x3, ls
.endm
