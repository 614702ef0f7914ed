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
// The macros of firmware calls are in answers.S, the rest of calls in calls.S; what comes from EL2 itself is in faults.S, and the
// vectors of cores whose exits begin with more in hardening.S.

.pushsection .text.vectors, "ax"

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
// stands at the base of the stack since the guest was entered. \otherwise is where what is not 0 leads.
.macro handle function, otherwise=leave
    mov     x0, sp
    ldr     x2, [sp, #{STACK}]
    mov     sp, x2
    bl      \function
    handled \otherwise
.endm

.macro handled otherwise=leave
    cbnz    x0, \otherwise
    ldr     x1, [sp]
    mov     sp, x1
.endm

.macro resume
    ldp     x2, x3, [sp, #{X} + 16]
    ldp     x0, x1, [sp, #{X}]
    exception_return
.endm

.macro el2_vector table, number, target=el2_fault
    .org    \table + \number * 128
    msr     tpidr_el1, x0               // the guest's word is lost, and with it all hope
    mov     x0, #\number
    b       \target
.endm

.macro el2_vectors table
    el2_vector \table, 0
    el2_vector \table, 1
    el2_vector \table, 2
    el2_vector \table, 3
    el2_vector \table, 4, el2_synchronous
    el2_vector \table, 5
    el2_vector \table, 6
    el2_vector \table, 7, el2_serror
.endm

// What comes from AArch32 at EL0 comes where AArch64 does: these are for an EL1 in AArch32 (Arm ARM, D1.3.1), which no guest has.
.macro aarch32_vectors table
    el2_vector \table, 12
    el2_vector \table, 13
    el2_vector \table, 14
    el2_vector \table, 15
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
    el2_vectors portcullis_vectors

    .org    portcullis_vectors + 8 * 128                         // synchronous
    stp     x2, x3, [sp, #{X} + 16]
synchronous:
    mrs     x2, esr_el2
    ror     w2, w2, #25                 // EC and IL come lowest
    subs    w2, w2, #0x17 << 1 | 1      // SMC64, immediate 0: x2 is zero then
    b.eq    smc
    adds    w2, w2, #2                  // HVC64, immediate 0: the same
    b.ne    exception
    answer  0

    guest_vector 9, interrupt                                   // IRQ
    guest_vector 10, interrupt                                  // FIQ
    guest_vector 11, serror, syndrome=1                         // SError
    aarch32_vectors portcullis_vectors

    .org    portcullis_vectors + 16 * 128
smc:
    advance
    answer  1

    answer_rest 0
    answer_rest 1

interrupt:
    save_caller
    mov     x0, sp
    ldp     x3, x2, [sp, #{INTERRUPT}]
    mov     sp, x2
    blr     x3
    handled
    restore_caller
    resume

// What is no firmware call, or one with an immediate that is not 0. x2 and x3 are saved.
exception:
    stp     x0, x1, [sp, #{X}]
    mrs     x1, esr_el2
    save_caller
    save_callee
    mov     x0, sp
    ldp     x2, x3, [sp, #{STACK}]
    mov     sp, x2
    blr     x3
    handled not_resume
    restore_caller
    resume

serror:
    save_caller
    save_callee
    handle  portcullis_serror, not_resume
    restore_caller
    resume

// After an exception all registers are saved, and one may have a new value there.
not_resume:
    tbz     x0, #1, left
    ldr     x1, [sp]
    mov     sp, x1
    restore_callee
    restore_caller
    resume

// The vCPU may come back later, with all its registers.
leave:
    ldr     x1, [sp]
    mov     x2, sp
    mov     sp, x1
    save_callee
    mov     sp, x2
left:
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
.popsection
