// Firmware calls that the answers do not finish (answers.S): services, calls for EL3, and what the gate in Rust decides.

.pushsection .text.vectors, "ax"

// One of the four calls that ask about a function, here the one in w1; w2 is from its line, at x3. What was asked about has its
// line in the same table.
feature:
    crc32x  w0, w1, xzr
    bfi     x3, x0, #{LINE_SHIFT}, #{LINE_BITS}
    ldr     w0, [x3]
    cmp     w0, w1
    b.ne    no_such_feature
    ubfx    w0, w2, #24, #4             // of the kind: the offset of the answer
    ldrsb   x0, [x3, x0]
    uxth    w2, w2
    ldr     x3, [sp, x2]
    add     x3, x3, #1
    str     x3, [sp, x2]
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    exception_return

// A function without a line may have been asked about if the line that it would have is of one of the few functions with this bit.
no_such_feature:
    tbnz    w0, #{SHARED_BIT}, shared_line
unknown_feature:
    uxth    w2, w2
    ldr     x3, [sp, x2]
    add     x3, x3, #1
    str     x3, [sp, x2]
    mov     x0, #-1
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    exception_return
shared_line:
    ldr     w0, [x3, #{OTHERS}]
    and     w0, w0, #~{FLAGS}
    cmp     w0, w1
    b.ne    unknown_feature
    adr     x0, asking - 4 * ({FEATURES_OFFSET})
    ubfx    w2, w2, #24, #4
    ldr     w0, [x0, x2, lsl #2]
    b       to_gate
asking:
    .word   {ARCH_FEATURES}, {PSCI_FEATURES}, {TRNG_FEATURES}, {PV_TIME_FEATURES}

// A call whose line, at x3, does not have the answer.
not_denied:
    tbnz    w2, #28, not_served
    stp     x0, x1, [sp, #{X}]
    uxth    w2, w2
    ldr     x0, [sp, x2]
    add     x0, x0, #1
    str     x0, [sp, x2]
    ldr     w1, [x3, #{RESULTS}]
    save_caller
    handle  portcullis_serve
    restore_caller
    resume

not_served:
    tbz     w2, #27, to_gate
    uxth    w2, w2
    ldr     x3, [sp, x2]
    add     x3, x3, #1
    str     x3, [sp, x2]

// A call for EL3: x0, x1 and x4 to x6 are the guest's, x2 and x3 are saved, and it is counted. w7 tells EL3
// which VM it is for (SMCCC 1.1, client identifier). The arguments of an SMC32 call are 32 bits wide, and EL3 sees no more
// of them. An SMC64 call can have results in x4 to x17 from SMCCC 1.2 on, and otherwise they come back as they went in. In
// all other calls they are the guest's own.
forward:
    save_x4_to_x17
    mov     w0, w0
    ldp     x7, x3, [sp, #{CLIENT}]
    tbz     w0, #30, 1f
    cbnz    x3, 3f
    ldp     x2, x3, [sp, #{X} + 16]
    smc     #0
    b       2f
1:  ldp     x2, x3, [sp, #{X} + 16]
    mov     w1, w1
    mov     w2, w2
    mov     w3, w3
    mov     w4, w4
    mov     w5, w5
    mov     w6, w6
    smc     #0
2:  ldp     x4, x5, [sp, #{X} + 32]
    ldp     x6, x7, [sp, #{X} + 48]
    ldp     x8, x9, [sp, #{X} + 64]
    ldp     x10, x11, [sp, #{X} + 80]
    ldp     x12, x13, [sp, #{X} + 96]
    ldp     x14, x15, [sp, #{X} + 112]
    ldp     x16, x17, [sp, #{X} + 128]
    exception_return

// An SMC64 call that may have results in x4 to x17. An x7 that is still the VM's identifier is the guest's own again.
3:  ldp     x2, x3, [sp, #{X} + 16]
    smc     #0
    str     x8, [sp, #{X} + 64]
    ldr     x8, [sp, #{CLIENT}]
    cmp     x7, x8
    ldr     x8, [sp, #{X} + 64]
    b.ne    4f
    ldr     x7, [sp, #{X} + 56]
4:  exception_return

// A call that the gate in Rust decides. x0 and x1 are the guest's, x2 and x3 are saved.
to_gate:
    stp     x0, x1, [sp, #{X}]
    mrs     x1, esr_el2
    save_caller
    handle  portcullis_call
    restore_caller
    resume

// An SMC after which SS or BTYPE may be set, or one of no function's line that overflows when it is compared.
stepped:
    clear_step 2
    find_line 0, 2, 1
    cmp     w2, w0
    b.eq    found_1
    b       no_line_1

// The same of ARCH_WORKAROUND_1. Afterwards x2 is zero again, and the flags say that nothing is left to clear.
stepped_workaround:
    clear_step 2
    subs    x2, x2, x2
    b       step_cleared
.popsection
