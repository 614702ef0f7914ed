// Vectors for cores whose branch predictor a guest could turn against EL2, and against the guests that follow. They are as
// portcullis_vectors, but begin with what makes the predictor forget, ahead of every branch of EL2's that is predicted by more than
// its own address. A core has the table that it needs in VBAR_EL2, so others do not pay. SP_EL2 points to the guest's Context.
//
// What the core is to do, the number of iterations or the function, is in its anchor. None of it can be passed by speculation: at
// the end stands a barrier, or EL3.

.pushsection .text.vectors, "ax"

// Overwrites the history of branches: so many iterations with two branches each (Arm, "Spectre-BHB"). x2 is lost.
.macro loop_over_history
    mrs     x2, tpidr_el2
    ldr     x2, [x2, #{ANCHOR_HARDENING}]
1:  b       2f
2:  subs    x2, x2, #1
    b.ne    1b
    dsb     nsh
    isb
.endm

// CLRBHB, which older assemblers know as a hint (Arm ARM, C6.2).
.macro clear_history
    hint    #22
    isb
.endm

// Has EL3 do it: SMCCC_ARCH_WORKAROUND_1 or _3, of which x0 to x3 are lost (DEN0028, section 7).
.macro have_it_done
    mrs     x0, tpidr_el2
    ldr     x0, [x0, #{ANCHOR_HARDENING}]
    smc     #0
.endm

.macro hardened_vector table, number, means, target, syndrome=0
    .org    \table + \number * 128
    stp     x0, x1, [sp, #{X}]
    stp     x2, x3, [sp, #{X} + 16]
    \means
    .if \syndrome
    mrs     x1, esr_el2
    .endif
    b       \target
.endm

.macro hardened_vectors table, means
.balign 2048
.global \table
\table:
    el2_vectors \table
    .org    \table + 8 * 128            // synchronous: a call has x0 and x1 as the guest has them
    stp     x0, x1, [sp, #{X}]
    stp     x2, x3, [sp, #{X} + 16]
    \means
    ldp     x0, x1, [sp, #{X}]
    b       synchronous
    hardened_vector \table, 9, \means, interrupt
    hardened_vector \table, 10, \means, interrupt
    hardened_vector \table, 11, \means, serror, syndrome=1
    aarch32_vectors \table
    .org    \table + 16 * 128
.endm

hardened_vectors portcullis_vectors_loop, loop_over_history
hardened_vectors portcullis_vectors_clear, clear_history
hardened_vectors portcullis_vectors_call, have_it_done
.popsection
