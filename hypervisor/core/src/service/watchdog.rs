//! The watchdog: the call of Linux' `arm,smc-wdt`.

use portcullis_gate::Return;

use crate::vm::Vm;
use crate::vm::countdown::Answer;

/// Serves the call of a guest of `vm`; the function is x1, its argument x2.
pub fn serve(vm: &Vm, [function, argument, _]: [u64; 3]) -> Return {
    // An SMC32 call: its arguments are 32 bits wide.
    let Answer { code, values: [x1, x2] } = vm.call_watchdog(function as u32, argument as u32);
    Return([code.cast_unsigned(), x1.into(), x2.into(), 0])
}
