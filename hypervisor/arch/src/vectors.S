// Exception vectors of EL2 (Arm ARM, D1.3.1).
//
// While a guest runs, SP_EL2 points to its Context, so the first store needs no scratch register. The handlers run on the
// core's own stack. They are Rust functions of the crate above, two of them named in the Context:
//   u64 portcullis_call(Context *, u64 esr)       HVC64, SMC64       x0..x18, x30 saved; the return address is behind it
//   u64 portcullis_serve(Context *, u32 code)     the same, of a service that the gate has let through and that is counted
//   u64 Context::interrupt(Context *)             IRQ, FIQ           x0..x18, x30 saved
//   u64 Context::exception(Context *, u64 esr)    everything else    x0..x30 saved
//   u64 portcullis_serror(Context *, u64 esr)     SError             x0..x30 saved
//   void portcullis_idle()                        a core without a vCPU to run; does not return
//   void portcullis_fault(Anchor *, u64 vector)   an exception from EL2 itself; does not return
// The result is a portcullis_arch::vectors::Next: 0 goes on with the guest; 1 means that the vCPU does not run on; 2 goes on
// after a register of x19..x29 was changed, which a function otherwise leaves as it found them.
//
// Most firmware calls end here: the vectors look the function up in the VM's answers (portcullis_gate::answers), which the
// gate in Rust has worked out when the VM started, and hold no policy of their own.

.pushsection .text.vectors, "ax"
.arch_extension crc

.macro save_x4_to_x17
    stp     x4, x5, [sp, #{X} + 32]
    stp     x6, x7, [sp, #{X} + 48]
    stp     x8, x9, [sp, #{X} + 64]
    stp     x10, x11, [sp, #{X} + 80]
    stp     x12, x13, [sp, #{X} + 96]
    stp     x14, x15, [sp, #{X} + 112]
    stp     x16, x17, [sp, #{X} + 128]
.endm

// Saves what the procedure call standard lets a function change, but x0 to x3.
.macro save_caller
    save_x4_to_x17
    str     x18, [sp, #{X} + 144]
    str     x30, [sp, #{X} + 240]
.endm

.macro restore_caller
    ldp     x4, x5, [sp, #{X} + 32]
    ldp     x6, x7, [sp, #{X} + 48]
    ldp     x8, x9, [sp, #{X} + 64]
    ldp     x10, x11, [sp, #{X} + 80]
    ldp     x12, x13, [sp, #{X} + 96]
    ldp     x14, x15, [sp, #{X} + 112]
    ldp     x16, x17, [sp, #{X} + 128]
    ldr     x18, [sp, #{X} + 144]
    ldr     x30, [sp, #{X} + 240]
.endm

.macro save_callee
    stp     x19, x20, [sp, #{X} + 152]
    stp     x21, x22, [sp, #{X} + 168]
    stp     x23, x24, [sp, #{X} + 184]
    stp     x25, x26, [sp, #{X} + 200]
    stp     x27, x28, [sp, #{X} + 216]
    str     x29, [sp, #{X} + 232]
.endm

.macro restore_callee
    ldp     x19, x20, [sp, #{X} + 152]
    ldp     x21, x22, [sp, #{X} + 168]
    ldp     x23, x24, [sp, #{X} + 184]
    ldp     x25, x26, [sp, #{X} + 200]
    ldp     x27, x28, [sp, #{X} + 216]
    ldr     x29, [sp, #{X} + 232]
.endm

// Calls a handler on the core's stack with the Context in x0, and leaves sp at the Context again. The Context's address
// stands at the base of the stack since the guest was entered.
.macro handle function
    mov     x0, sp
    ldr     x2, [sp, #{STACK}]
    mov     sp, x2
    bl      \function
    handled
.endm

.macro handled
    cbnz    x0, not_resume
    ldr     x1, [sp]
    mov     sp, x1
.endm

.macro resume
    ldp     x2, x3, [sp, #{X} + 16]
    ldp     x0, x1, [sp, #{X}]
    eret
.endm

// A trapped SMC leaves the return address at itself, an HVC behind itself (Arm ARM, D1.3.1).
.macro advance
    mrs     x2, elr_el2
    add     x2, x2, #4
    msr     elr_el2, x2
.endm

// Finds the line of the function in \id: x3 its address, flags equal if it is that function's. \scratch is lost.
.macro find_line id, scratch, conduit
    ldr     x3, [sp, #{ANSWERS} + 8 * \conduit]
    crc32w  w\scratch, wzr, w\id
    and     w\scratch, w\scratch, #{LINE_MASK}
    add     x3, x3, x\scratch, lsl #{LINE_SCALE}
    ldr     w\scratch, [x3]
    cmp     w\scratch, w\id
.endm

// The call's function is in w0, its argument in w1; x2 and x3 are saved. The results go to x0..x3; x4 and up are not
// touched. Counters are this vCPU's own words.
.macro answer conduit
    eor     w3, w0, #0x80008000         // ARCH_WORKAROUND_1 comes first: guests call it at every kernel entry
    cbz     w3, workaround_\conduit
look_up_\conduit:
    find_line 0, 2, \conduit
    b.ne    unknown_\conduit
    ldrb    w2, [x3, #{KIND}]
    cbnz    w2, no_answer_\conduit
    ldrh    w2, [x3, #{COUNTER}]
    ldr     x0, [sp, x2]
    add     x0, x0, #1
    str     x0, [sp, x2]
    ldp     w0, w1, [x3, #{RESULTS}]
    ldp     w2, w3, [x3, #{RESULTS} + 8]
    eret
.endm

// The rarer ends of a call.
.macro answer_rest conduit
workaround_\conduit:
    ldr     x2, [sp, #{WORKAROUND} + 8 * \conduit]
    cbnz    x2, look_up_\conduit
    mov     x0, #0
    mov     x1, #0
    eret                                // x2 and x3 are zero

no_answer_\conduit:
    tbnz    w2, #7, no_feature_\conduit
    ldrh    w0, [x3, #{COUNTER}]
    ldr     x3, [sp, x0]
    add     x3, x3, #1
    str     x3, [sp, x0]
    find_line 1, 0, \conduit
    b.ne    no_such_feature_\conduit
    ldrsb   x0, [x3, x2]                // the kind is the offset of the answer in the line of what was asked about
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    eret
no_such_feature_\conduit:
    mov     x0, #-1
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    eret

no_feature_\conduit:
    tbz     w2, #6, not_denied
    ldrh    w2, [x3, #{COUNTER}]
    ldr     x3, [sp, x2]
    add     x3, x3, #1
    str     x3, [sp, x2]
    b       refuse_\conduit

unknown_\conduit:
    ldr     x2, [sp, #{BEYOND} + 8 * \conduit]
    cbnz    x2, beyond_\conduit
count_unknown_\conduit:
    ldr     x2, [sp, #{UNKNOWN} + {UNKNOWN_STEP} * \conduit]
    add     x2, x2, #1
    str     x2, [sp, #{UNKNOWN} + {UNKNOWN_STEP} * \conduit]
refuse_\conduit:
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
    eret

// The function has no line: it may lie in a range that goes to EL3. Of the ranges, ascending, that is the last one which
// begins at the function or before it.
beyond_\conduit:
    tbz     x2, #{TO_GATE_BIT}, search_\conduit
    b       to_gate
search_\conduit:
    str     x1, [sp, #{X} + 8]
    tst     w0, #0x00ff0000             // SVE hint and reserved bits
    b.ne    not_forwarded_\conduit
    ldr     x3, [sp, #{FORWARD_RANGES}]
    halve   16
    halve   8
    halve   4
    halve   2
    halve   1
    ldp     w1, w2, [x3]
    cmp     w0, w1
    ccmp    w0, w2, #2, hs              // before the first: C set and Z clear, as above the last
    b.hi    not_forwarded_\conduit
    ldr     x1, [sp, #{X} + 8]
    mov     w2, #{FORWARD_COUNTER} + 8 * \conduit
    b       forward
not_forwarded_\conduit:
    ldr     x1, [sp, #{X} + 8]
    b       count_unknown_\conduit
.endm

// One step of the search: x3 moves up by \ranges ranges if the one there begins at the function in w0 or before it.
.macro halve ranges
    ldr     w1, [x3, #8 * \ranges]
    add     x2, x3, #8 * \ranges
    cmp     w1, w0
    csel    x3, x2, x3, ls
.endm

.macro el2_vector number
    .org    portcullis_vectors + \number * 128
    msr     tpidr_el1, x0               // the guest's word is lost, and with it all hope
    mov     x0, #\number
    b       el2_fault
.endm

.macro guest_vector number, target, syndrome=0
    .org    portcullis_vectors + \number * 128
    stp     x0, x1, [sp, #{X}]
    stp     x2, x3, [sp, #{X} + 16]
    .if \syndrome
    mrs     x1, esr_el2
    .endif
    b       \target
.endm

.balign 2048
.global portcullis_vectors
portcullis_vectors:
    el2_vector 0
    el2_vector 1
    el2_vector 2
    el2_vector 3
    el2_vector 4
    el2_vector 5
    el2_vector 6
    el2_vector 7

    .org    portcullis_vectors + 8 * 128                         // synchronous, from AArch64
    stp     x2, x3, [sp, #{X} + 16]
    mrs     x2, esr_el2
    tbnz    w2, #26, odd_class          // bit 0 of EC: HVC64 is 0x16, SMC64 is 0x17
    mov     w3, #0x5a000000             // HVC64, immediate 0
    cmp     w2, w3
    b.ne    slow
    answer  0

    guest_vector 9, interrupt                                   // IRQ, from AArch64
    guest_vector 10, interrupt                                  // FIQ, from AArch64
    guest_vector 11, serror, syndrome=1                         // SError, from AArch64
    guest_vector 12, exception, syndrome=1                      // synchronous, from AArch32 at EL0
    guest_vector 13, interrupt                                  // IRQ, from AArch32 at EL0
    guest_vector 14, interrupt                                  // FIQ, from AArch32 at EL0
    guest_vector 15, serror, syndrome=1                         // SError, from AArch32 at EL0

    .org    portcullis_vectors + 16 * 128
odd_class:
    mov     w3, #0x5e000000             // SMC64, immediate 0
    cmp     w2, w3
    b.ne    slow
    advance
    answer  1

    answer_rest 0
    answer_rest 1

// Everything that the vectors do not finish. x2 holds the syndrome; x2 and x3 are saved.
slow:
    stp     x0, x1, [sp, #{X}]
    mov     x1, x2
    ubfx    x2, x1, #27, #5             // EC without bit 0: 0xb is HVC64 and SMC64
    cmp     x2, #0xb
    b.ne    exception
    tbz     w1, #26, call
    advance
    b       call

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

// A call for EL3: x0, x1 and x4 to x6 are the guest's, x2 and x3 are saved, w2 is the offset of the counter. w7 tells EL3
// which VM it is for (SMCCC 1.1, client identifier). The arguments of an SMC32 call are 32 bits wide, and EL3 sees no more
// of them. An SMC64 call can have results in x4 to x7 from SMCCC 1.2 on, and otherwise they come back as they went in. In
// all other calls they are the guest's own, as x8 to x17 always are.
forward:
    ldr     x3, [sp, x2]
    add     x3, x3, #1
    str     x3, [sp, x2]
    ldp     x2, x3, [sp, #{X} + 16]
    save_x4_to_x17
    ldr     x7, [sp, #{CLIENT}]
    mov     w0, w0
    tbz     w0, #30, 1f
    smc     #0
    ldp     x8, x9, [sp, #{CLIENT}]
    cbz     x9, 2f
    cmp     x7, x8
    b.ne    3f
    ldr     x7, [sp, #{X} + 56]
    b       3f
1:  mov     w1, w1
    mov     w2, w2
    mov     w3, w3
    mov     w4, w4
    mov     w5, w5
    mov     w6, w6
    smc     #0
2:  ldp     x4, x5, [sp, #{X} + 32]
    ldp     x6, x7, [sp, #{X} + 48]
3:  ldp     x8, x9, [sp, #{X} + 64]
    ldp     x10, x11, [sp, #{X} + 80]
    ldp     x12, x13, [sp, #{X} + 96]
    ldp     x14, x15, [sp, #{X} + 112]
    ldp     x16, x17, [sp, #{X} + 128]
    eret

// A call that the gate in Rust decides. x0 and x1 are the guest's, x2 and x3 are saved.
to_gate:
    stp     x0, x1, [sp, #{X}]
    mrs     x1, esr_el2
call:
    save_caller
    handle  portcullis_call
    restore_caller
    resume

interrupt:
    save_caller
    mov     x0, sp
    ldp     x3, x2, [sp, #{INTERRUPT}]
    mov     sp, x2
    blr     x3
    handled
    restore_caller
    resume

exception:
    save_caller
    save_callee
    mov     x0, sp
    ldp     x2, x3, [sp, #{STACK}]
    mov     sp, x2
    blr     x3
    handled
    restore_caller
    resume

serror:
    save_caller
    save_callee
    handle  portcullis_serror
    restore_caller
    resume

not_resume:
    tbz     x0, #1, leave
    ldr     x1, [sp]
    mov     sp, x1
    restore_callee
    restore_caller
    resume

leave:
    bl      portcullis_idle
    brk     #0

// void portcullis_enter(Context *): loads everything and enters the guest.
.global portcullis_enter
portcullis_enter:
    mov     sp, x0
    ldr     x1, [x0, #{STACK}]
    str     x0, [x1]                    // for the handlers' way back
    ldp     x0, x1, [sp, #{ELR}]
    msr     elr_el2, x0
    msr     spsr_el2, x1
    restore_callee
    restore_caller
    resume

// An exception from EL2 itself. Its stack may be what is broken, so the registers go to the core's anchor.
el2_fault:
    msr     sp_el0, x1
    mrs     x1, tpidr_el2
    cbz     x1, no_anchor
    stp     x2, x3, [x1, #{ANCHOR_FRAME} + 16]
    stp     x4, x5, [x1, #{ANCHOR_FRAME} + 32]
    stp     x6, x7, [x1, #{ANCHOR_FRAME} + 48]
    stp     x8, x9, [x1, #{ANCHOR_FRAME} + 64]
    stp     x10, x11, [x1, #{ANCHOR_FRAME} + 80]
    stp     x12, x13, [x1, #{ANCHOR_FRAME} + 96]
    stp     x14, x15, [x1, #{ANCHOR_FRAME} + 112]
    stp     x16, x17, [x1, #{ANCHOR_FRAME} + 128]
    stp     x18, x19, [x1, #{ANCHOR_FRAME} + 144]
    stp     x20, x21, [x1, #{ANCHOR_FRAME} + 160]
    stp     x22, x23, [x1, #{ANCHOR_FRAME} + 176]
    stp     x24, x25, [x1, #{ANCHOR_FRAME} + 192]
    stp     x26, x27, [x1, #{ANCHOR_FRAME} + 208]
    stp     x28, x29, [x1, #{ANCHOR_FRAME} + 224]
    mov     x2, sp
    stp     x30, x2, [x1, #{ANCHOR_FRAME} + 240]
    mrs     x2, tpidr_el1
    mrs     x3, sp_el0
    stp     x2, x3, [x1, #{ANCHOR_FRAME}]
    ldr     x2, [x1, #{ANCHOR_FAULT_STACK}]
    mov     sp, x2
    mov     x2, x0
    mov     x0, x1
    mov     x1, x2
    bl      portcullis_fault
    brk     #0

// Before there is an anchor there is nothing to print with either. Only a device that is looked for may be absent.
no_anchor:
    mrs     x1, elr_el2
    adrp    x0, portcullis_probe_read
    add     x0, x0, :lo12:portcullis_probe_read
    cmp     x1, x0
    b.ne    .
    adrp    x1, portcullis_probe_failed
    add     x1, x1, :lo12:portcullis_probe_failed
    msr     elr_el2, x1
    eret
.popsection
