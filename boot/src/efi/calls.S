// Calls of the firmware's functions (calls.rs). x18 is the platform's (AAPCS64, 6.1.1; UEFI 2.3.6.1), and compiled code here uses it as it
// likes; TPIDR_EL2 is the firmware's until boot services are left, and zero in between: no anchor yet.

.pushsection .text.efi_calls, "ax"
.global portcullis_efi_call
portcullis_efi_call:                    // arguments as the function in {REGISTERS} wants them, in registers; result as from it
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    adrp    x16, {REGISTERS}
    add     x16, x16, :lo12:{REGISTERS}
    ldp     x17, x18, [x16, #{FUNCTION}]
    mrs     x9, CurrentEL
    cmp     x9, #8
    b.ne    1f
    ldr     x9, [x16, #{THREAD}]
    msr     tpidr_el2, x9
1:  blr     x17
    mrs     x9, CurrentEL
    cmp     x9, #8
    b.ne    2f
    msr     tpidr_el2, xzr
2:  ldp     x29, x30, [sp], #16
    ret
.popsection
