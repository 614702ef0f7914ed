// Loops of two guests on one core. Between mark 1, in the guest that goes, and mark 2, in the one that comes, lies the
// switch. Floating point is in use in all of them. x0: ticks, x1: how often.

.arch_extension fp

.macro arm_timer                    // the virtual timer fires x0 ticks from now
    mrs     x9, cntvct_el0
    add     x9, x9, x0
    msr     cntv_cval_el0, x9
    mov     x10, #1
    msr     cntv_ctl_el0, x10
    isb
.endm
.macro acknowledge                  // the handler turns the timer off
    msr     daifclr, #2
    isb
    msr     daifset, #2
.endm
.macro compute
    fmov    d0, x9
    fadd    d1, d1, d0
    .rept   28
    nop
    .endr
.endm

.section .text.measured, "ax"

// void go_by_waiting(u64 ticks, u64 count): goes by WFI, and comes back for the timer.
.global go_by_waiting
go_by_waiting:
    fmov    d1, x0
1:  arm_timer
    sub     xzr, xzr, xzr, lsl #1
    wfi
    acknowledge
    subs    x1, x1, #1
    b.ne    1b
    ret

// void come_by_interrupt(u64 ticks, u64 count): the same; its coming is what counts.
.global come_by_interrupt
come_by_interrupt:
    fmov    d1, x0
2:  arm_timer
    wfi
    sub     xzr, xzr, xzr, lsl #2
    acknowledge
    subs    x1, x1, #1
    b.ne    2b
    ret

// void spin_going(u64 ticks): spins, and whenever it goes counts.
.global spin_going
spin_going:
    mrs     x10, cntvct_el0
    add     x10, x10, x0
3:  sub     xzr, xzr, xzr, lsl #1
    mrs     x9, cntvct_el0
    compute
    cmp     x9, x10
    b.lo    3b
    ret

// void spin_coming(u64 ticks): spins, and whenever it comes counts.
.global spin_coming
spin_coming:
    mrs     x10, cntvct_el0
    add     x10, x10, x0
4:  sub     xzr, xzr, xzr, lsl #2
    mrs     x9, cntvct_el0
    compute
    cmp     x9, x10
    b.lo    4b
    ret

// void spin_through(u64 ticks): spins, and all that happens meanwhile counts.
.global spin_through
spin_through:
    mrs     x10, cntvct_el0
    add     x10, x10, x0
    sub     xzr, xzr, xzr, lsl #1
5:  mrs     x9, cntvct_el0
    compute
    cmp     x9, x10
    b.lo    5b
    sub     xzr, xzr, xzr, lsl #2
    ret
