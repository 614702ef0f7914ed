// Firmware calls that the answers do not finish (answers.S): services, calls for EL3, and what the gate in Rust decides.

.pushsection .text.vectors, "ax"

// A call whose line, at x3, does not have the answer.
not_denied:
    tbnz    w2, #5, not_served
    stp     x0, x1, [sp, #{X}]
    ldrh    w2, [x3, #{COUNTER}]
    ldr     x0, [sp, x2]
    add     x0, x0, #1
    str     x0, [sp, x2]
    ldr     w1, [x3, #{RESULTS}]
    save_caller
    handle  portcullis_serve
    restore_caller
    resume

not_served:
    tbz     w2, #4, to_gate
    ldrh    w2, [x3, #{COUNTER}]
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
