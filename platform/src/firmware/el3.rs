//! The firmware that is really there, by SMC.

use portcullis_arch::{smc, timer};
use portcullis_board::Firmware;
use smccc::Call;

/// Whoever answers our SMCs, and the counter beside it.
///
/// Of a 64-bit call x0 to x7 count, and the firmware's x0 is a status: a signed number of 32 bits, which an implementation of
/// [`Call`] here extends, since firmware extends it or does not (DEN0022 section 5.2.1, DEN0098 section 2.6).
pub trait El3: Call {
    /// The physical counter now.
    fn count() -> u64;
}

/// EL3. To be used only where the device tree says that it answers SMCs.
///
/// The calls are our own: those of `smccc` do not let SMCCC 1.0 firmware lose x8 to x17, and there are none on the host.
#[derive(Clone, Copy, Debug)]
pub struct Smc;

impl Call for Smc {
    fn call32(function: u32, [a, b, c, d, e, f, g]: [u32; 7]) -> [u32; 8] {
        smc::call([function, a, b, c, d, e, f, g].map(u64::from)).map(|x| x as u32)
    }

    fn call64(function: u32, [a, b, c, d, e, f, g, ..]: [u64; 17]) -> [u64; 18] {
        wide(smc::call([u64::from(function), a, b, c, d, e, f, g]))
    }
}

/// What a 64-bit call returns whose x0 to x7 came back like this.
pub const fn wide([status, b, c, d, e, f, g, h]: [u64; 8]) -> [u64; 18] {
    let status = (status as i32 as i64).cast_unsigned();
    [status, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

impl El3 for Smc {
    fn count() -> u64 {
        timer::count()
    }
}

/// EL3 for the calls of guests that are handed on.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded {
    /// Results may stand in x4 to x17.
    pub wide: bool,
}

impl Firmware for Forwarded {
    fn call(&self, x: &mut [u64; 18]) {
        smc::forward(x);
    }

    fn is_wide(&self) -> bool {
        self.wide
    }
}
