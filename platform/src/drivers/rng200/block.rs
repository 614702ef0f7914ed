//! The registers of an RNG200 (Linux, `drivers/char/hw_random/iproc-rng200.c`).

use core::ptr::NonNull;

use safe_mmio::{UniqueMmioPointer, field, field_shared, fields::ReadOnly, fields::ReadPureWrite};

/// What the driver does with the registers.
pub trait Block {
    /// CTRL.
    fn control(&mut self) -> u32;
    /// Writes CTRL.
    fn set_control(&mut self, value: u32);
    /// RNG_SOFT_RESET: holds the block in reset, or lets it go.
    fn reset(&mut self, held: bool);
    /// RBG_SOFT_RESET: the same for its random bit generator.
    fn reset_generator(&mut self, held: bool);
    /// TOTAL_BIT_COUNT: bits made since the reset.
    fn total_bits(&mut self) -> u32;
    /// Writes TOTAL_BIT_COUNT_THRESHOLD: how many of the first bits are dropped.
    fn set_warm_up(&mut self, bits: u32);
    /// INT_STATUS.
    fn status(&mut self) -> u32;
    /// Clears these bits of INT_STATUS.
    fn clear_status(&mut self, bits: u32);
    /// FIFO_DATA: takes a word out.
    fn pop(&mut self) -> u32;
    /// FIFO_COUNT.
    fn count(&mut self) -> u32;
    /// Writes FIFO_COUNT.
    fn set_count(&mut self, value: u32);
}

/// The registers from CTRL on.
#[repr(C)]
pub struct Registers {
    control: ReadPureWrite<u32>,
    reset: ReadPureWrite<u32>,
    reset_generator: ReadPureWrite<u32>,
    total_bits: ReadPureWrite<u32>,
    warm_up: ReadPureWrite<u32>,
    revision: ReadPureWrite<u32>,
    status: ReadPureWrite<u32>,
    enable: ReadPureWrite<u32>,
    data: ReadOnly<u32>,
    count: ReadPureWrite<u32>,
}

const _: () = assert!(size_of::<Registers>() == 0x28);

/// The registers in memory.
pub struct Mmio(UniqueMmioPointer<'static, Registers>);

impl Mmio {
    /// The registers at `address`.
    ///
    /// # Safety
    ///
    /// `address` must be that of an RNG200's registers, mapped as device memory and used by nothing else.
    pub unsafe fn new(address: NonNull<Registers>) -> Self {
        // SAFETY: passed on to the caller.
        Self(unsafe { UniqueMmioPointer::new(address) })
    }
}

impl Block for Mmio {
    fn control(&mut self) -> u32 {
        field_shared!(self.0, control).read()
    }

    fn set_control(&mut self, value: u32) {
        field!(self.0, control).write(value);
    }

    fn reset(&mut self, held: bool) {
        field!(self.0, reset).write(held.into());
    }

    fn reset_generator(&mut self, held: bool) {
        field!(self.0, reset_generator).write(held.into());
    }

    fn total_bits(&mut self) -> u32 {
        field_shared!(self.0, total_bits).read()
    }

    fn set_warm_up(&mut self, bits: u32) {
        field!(self.0, warm_up).write(bits);
    }

    fn status(&mut self) -> u32 {
        field_shared!(self.0, status).read()
    }

    fn clear_status(&mut self, bits: u32) {
        field!(self.0, status).write(bits);
    }

    fn pop(&mut self) -> u32 {
        field!(self.0, data).read()
    }

    fn count(&mut self) -> u32 {
        field_shared!(self.0, count).read()
    }

    fn set_count(&mut self, value: u32) {
        field!(self.0, count).write(value);
    }
}
